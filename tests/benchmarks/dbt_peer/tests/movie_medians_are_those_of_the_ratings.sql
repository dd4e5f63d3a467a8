-- every sixth month of each movie
with sums as (
    select
        movie_id,
        reporting_month,
        count(*) as rating_count,
        median(rating) as rating_median,
        sum(4 * rating * rating)::bigint as squares
    from {{ ref('stg_ratings') }}
    where (movie_id + extract(month from reporting_month)) % 6 = 0
    group by movie_id, reporting_month
),

shown as (
    select
        movie_id,
        reporting_month,
        rating_count,
        rating_median,
        ratings_0_5 + 4 * ratings_1_0 + 9 * ratings_1_5 + 16 * ratings_2_0 + 25 * ratings_2_5
            + 36 * ratings_3_0 + 49 * ratings_3_5 + 64 * ratings_4_0 + 81 * ratings_4_5 + 100 * ratings_5_0 as squares
    from {{ ref('movies_engagement') }}
    where (movie_id + extract(month from reporting_month)) % 6 = 0
)

select movie_id, reporting_month
from shown
full join sums using (movie_id, reporting_month)
where (shown.rating_count, shown.rating_median, shown.squares)
    is distinct from (sums.rating_count, sums.rating_median, sums.squares)
