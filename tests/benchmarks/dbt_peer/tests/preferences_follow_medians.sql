select max(rating_median)
from {{ ref('user_genre_preferences') }}
having max(rating_median) filter (where user_preference = 'dislikes')
        >= min(rating_median) filter (where user_preference <> 'dislikes')
    or max(rating_median) filter (where user_preference <> 'likes')
        >= min(rating_median) filter (where user_preference = 'likes')
