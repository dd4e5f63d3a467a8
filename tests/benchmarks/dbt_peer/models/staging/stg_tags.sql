select
    userId as user_id,
    movieId as movie_id,
    -- a bar joins the tags of a movie, so that none may hold one
    replace(tag, '|', '¦') as tag,
    date_trunc('month', make_timestamp(timestamp * 1000000))::date as reporting_month
from {{ source('movielens', 'tags') }}
