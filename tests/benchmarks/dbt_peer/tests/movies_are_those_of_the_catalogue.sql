with shown as (
    select distinct movie_id, title, release_year, genres
    from {{ ref('movies_engagement') }}
)

select shown.movie_id
from shown
left join {{ source('movielens', 'movies') }} as known on known.movieId = shown.movie_id
where contains(known.title, shown.title) is not true
    or not contains(known.title, shown.release_year::varchar)
    or not contains(known.genres, shown.genres)
    or (shown.genres is null) <> (known.genres = '(no genres listed)')
