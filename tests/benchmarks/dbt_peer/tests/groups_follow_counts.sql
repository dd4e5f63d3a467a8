select user_id
from {{ ref('user_actions_and_groups') }}
group by user_id
having min(is_rater) <> max(is_rater)
    or min(is_tagger) <> max(is_tagger)
    or min(is_sleeper) <> max(is_sleeper)
    or max(is_rater) <> bool_or(action_type = 'rate' and action_count > 100)
    or max(is_tagger) <> bool_or(action_type = 'tag' and action_count > 7)
