MODEL (
  name engagement.user_actions_and_groups,
  kind VIEW,
  @contract(user_actions_and_groups)
);

/* What a user did, and which group of the audience that makes them: the same on every row of a user. */
SELECT
  actions.user_id::INT64 AS user_id,
  actions.action_type::STRING AS action_type,
  actions.reporting_month::DATE AS reporting_month,
  actions.action_monthly_count::INT64 AS action_monthly_count,
  actions.action_count::INT64 AS action_count,
  user_groups.is_rater::BOOL AS is_rater,
  user_groups.is_tagger::BOOL AS is_tagger,
  user_groups.is_sleeper::BOOL AS is_sleeper
FROM interactions.user_actions AS actions
INNER JOIN engagement_internal.user_groups AS user_groups
  ON user_groups.user_id = actions.user_id
