select user_id
from {{ ref('stg_ratings') }} as ratings
inner join {{ ref('stg_movies') }} as movies using (movie_id)
where movies.genres is not null
    and user_id not in (select user_id from {{ ref('user_genre_ratings') }})
