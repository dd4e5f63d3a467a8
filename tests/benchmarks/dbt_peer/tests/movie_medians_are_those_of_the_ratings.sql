-- every sixth month of each movie
with sums as (
    select movie_id, reporting_month, count(*) as rating_count, median(rating) as rating_median
    from {{ ref('stg_ratings') }}
    where (movie_id + extract(month from reporting_month)) % 6 = 0
    group by movie_id, reporting_month
)

select movie_id, reporting_month
from {{ ref('movies_engagement') }} as shown
full join sums using (movie_id, reporting_month)
where (movie_id + extract(month from reporting_month)) % 6 = 0
    and (shown.rating_count, shown.rating_median)
        is distinct from (sums.rating_count, sums.rating_median)
