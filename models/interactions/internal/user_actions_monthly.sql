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
WITH ratings AS (
  SELECT
    user_id,
    DATE_TRUNC(rated_on, MONTH) AS reporting_month,
    COUNT(*) AS action_monthly_count
  FROM interactions_internal.rating_events
  WHERE
    rated_on BETWEEN @start_date AND @end_date
  GROUP BY
    user_id,
    reporting_month
), tags AS (
  SELECT
    user_id,
    DATE_TRUNC(DATE(tagged_at), MONTH) AS reporting_month,
    COUNT(*) AS action_monthly_count
  FROM interactions_internal.tag_events
  WHERE
    tagged_at BETWEEN @start_ts AND @end_ts
  GROUP BY
    user_id,
    reporting_month
), actions AS (
  SELECT
    user_id,
    'rate' AS action_type,
    reporting_month,
    action_monthly_count
  FROM ratings
  UNION ALL
  SELECT
    user_id,
    'tag' AS action_type,
    reporting_month,
    action_monthly_count
  FROM tags
)
SELECT
  user_id::INT64 AS user_id,
  action_type::STRING AS action_type,
  reporting_month::DATE AS reporting_month,
  action_monthly_count::INT64 AS action_monthly_count
FROM actions
