with totals as (
    select
        user_id,
        coalesce(sum(action_monthly_count) filter (where action_type = 'rate'), 0) as ratings,
        coalesce(sum(action_monthly_count) filter (where action_type = 'tag'), 0) as tags
    from {{ ref('user_actions') }}
    group by user_id
),

user_groups as (
    select
        user_id,
        ratings > {{ var('rater_above_ratings') }} as is_rater,
        tags > {{ var('tagger_above_tags') }} as is_tagger
    from totals
)

select
    actions.user_id,
    actions.action_type,
    actions.reporting_month,
    actions.action_monthly_count,
    actions.action_count,
    user_groups.is_rater,
    user_groups.is_tagger,
    not user_groups.is_rater and not user_groups.is_tagger as is_sleeper
from {{ ref('user_actions') }} as actions
inner join user_groups using (user_id)
