MODEL (
  name interactions_internal.user_actions_monthly,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column reporting_month
  ),
  description 'How often a user rated and tagged in a month.',
  grain (user_id, action_type, reporting_month),
  partitioned_by DATE_TRUNC(reporting_month, MONTH),
  clustered_by (user_id, action_type)
);

/* One action is one rating or one tag. */
WITH actions AS (
  SELECT
    user_id,
    'rate' AS action_type,
    DATE_TRUNC(DATE(rated_at), MONTH) AS reporting_month
  FROM interactions_internal.rating_events
  WHERE
    rated_at BETWEEN @start_ts AND @end_ts
  UNION ALL
  SELECT
    user_id,
    'tag' AS action_type,
    DATE_TRUNC(DATE(tagged_at), MONTH) AS reporting_month
  FROM interactions_internal.tag_events
  WHERE
    tagged_at BETWEEN @start_ts AND @end_ts
)
SELECT
  user_id::INT64 AS user_id,
  action_type::STRING AS action_type,
  reporting_month::DATE AS reporting_month,
  COUNT(*)::INT64 AS action_monthly_count
FROM actions
GROUP BY
  user_id,
  action_type,
  reporting_month
