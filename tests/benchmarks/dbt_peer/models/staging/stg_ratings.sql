select
    userId as user_id,
    movieId as movie_id,
    rating,
    date_trunc('month', make_timestamp(timestamp * 1000000))::date as reporting_month
from {{ source('movielens', 'ratings') }}
