select user_id, action_type
from {{ ref('user_actions') }}
group by user_id, action_type
having sum(action_monthly_count) <> max(action_count)
    or min(action_count) <> max(action_count)
