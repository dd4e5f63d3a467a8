MODEL (
  name interactions.user_actions,
  kind VIEW,
  @contract(user_actions)
);

/* How often a user rated and tagged: month by month, and in all. */
SELECT
  user_id::INT64 AS user_id,
  action_type::STRING AS action_type,
  reporting_month::DATE AS reporting_month,
  action_monthly_count::INT64 AS action_monthly_count,
  SUM(action_monthly_count) OVER (PARTITION BY user_id, action_type)::INT64 AS action_count
FROM interactions_internal.user_actions_monthly
