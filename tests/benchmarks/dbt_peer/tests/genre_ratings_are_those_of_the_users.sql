-- every fiftieth user
with ratings as (
    select ratings.user_id, genres.genre, ratings.reporting_month, ratings.rating
    from {{ ref('stg_ratings') }} as ratings
    inner join {{ ref('stg_movie_genres') }} as genres using (movie_id)
    where ratings.user_id % 50 = 3
),

all_time as (
    select user_id, genre, count(*) as rating_count, median(rating) as rating_median
    from ratings
    group by user_id, genre
),

months as (
    select
        user_id,
        genre,
        reporting_month,
        count(*) as rating_count,
        count(*) filter (where rating > 4) as high_count,
        median(rating) as rating_median
    from ratings
    group by user_id, genre, reporting_month
),

shown as (
    select * from {{ ref('user_genre_ratings') }}
    where user_id % 50 = 3
)

select user_id, genre, reporting_month
from shown
full join months using (user_id, genre, reporting_month)
left join all_time using (user_id, genre)
where (shown.rating_count, shown.rating_median)
        is distinct from (all_time.rating_count, all_time.rating_median)
    or (shown.rating_monthly_count, shown.rating_monthly_high_count, shown.rating_monthly_median)
        is distinct from (months.rating_count, months.high_count, months.rating_median)
