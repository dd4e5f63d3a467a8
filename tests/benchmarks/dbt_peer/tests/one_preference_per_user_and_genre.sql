select user_id, genre
from {{ ref('user_genre_preferences') }}
group by user_id, genre
having min(user_preference) <> max(user_preference)
