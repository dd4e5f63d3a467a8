with months as (
    select
        user_id,
        'rate' as action_type,
        reporting_month,
        count(*) as action_monthly_count
    from {{ ref('stg_ratings') }}
    group by user_id, reporting_month

    union all

    select
        user_id,
        'tag' as action_type,
        reporting_month,
        count(*) as action_monthly_count
    from {{ ref('stg_tags') }}
    group by user_id, reporting_month
)

select
    user_id,
    action_type,
    reporting_month,
    action_monthly_count,
    sum(action_monthly_count) over (partition by user_id, action_type)::bigint as action_count
from months
