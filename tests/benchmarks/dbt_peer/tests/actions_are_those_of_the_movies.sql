with users as (
    select reporting_month, sum(action_monthly_count) as rating_count
    from {{ ref('user_actions') }}
    where action_type = 'rate'
    group by reporting_month
),

movies as (
    select reporting_month, sum(rating_count) as rating_count
    from {{ ref('movies_engagement') }}
    group by reporting_month
)

select reporting_month
from users
full join movies using (reporting_month)
where users.rating_count is distinct from movies.rating_count
