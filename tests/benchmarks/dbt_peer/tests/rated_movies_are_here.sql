select distinct movie_id
from {{ ref('stg_ratings') }}
where movie_id not in (select movie_id from {{ ref('movies_engagement') }})
