with ratings as (
    select
        ratings.user_id,
        movie_genres.genre,
        ratings.reporting_month,
        ratings.rating
    from {{ ref('stg_ratings') }} as ratings
    inner join {{ ref('stg_movie_genres') }} as movie_genres using (movie_id)
),

months as (
    select
        user_id,
        genre,
        reporting_month,
        count(*) as rating_monthly_count,
        median(rating) as rating_monthly_median,
        count(*) filter (where rating > 4) as rating_monthly_high_count
    from ratings
    group by user_id, genre, reporting_month
),

all_time as (
    select
        user_id,
        genre,
        count(*) as rating_count,
        median(rating) as rating_median
    from ratings
    group by user_id, genre
)

select
    months.user_id,
    months.genre,
    months.reporting_month,
    months.rating_monthly_count,
    months.rating_monthly_median,
    all_time.rating_count,
    all_time.rating_median,
    months.rating_monthly_high_count
from months
inner join all_time using (user_id, genre)
