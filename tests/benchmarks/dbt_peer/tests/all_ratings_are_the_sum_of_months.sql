select user_id, genre
from {{ ref('user_genre_ratings') }}
group by user_id, genre
having sum(rating_monthly_count) <> max(rating_count)
    or min(rating_count) <> max(rating_count)
    or min(rating_median) <> max(rating_median)
