MODEL (
  name engagement_internal.user_lifetimes,
  kind FULL,
  description 'When a user came and was last seen, and for how long they were watched: in days since 1970, and in months of 30.4375 days.',
  grain user_id,
  clustered_by user_id
);

/* One row per user. Whether somebody is gone can be told of the time up to churned_after_days before the newest action in the data: watching ends there for all, so that who was seen since has stayed as long as they were watched. Were it to end with a user's own last action, those who have just gone would count as staying. */
WITH users AS (
  SELECT
    user_id,
    MIN(first_action_at) AS first_action_at,
    MAX(last_action_at) AS last_action_at
  FROM engagement_internal.user_months
  GROUP BY
    user_id
), dated AS (
  SELECT
    user_id,
    first_action_at,
    last_action_at,
    DIV(UNIX_MICROS(first_action_at), 86400000000) AS first_day,
    DIV(UNIX_MICROS(last_action_at), 86400000000) AS last_day,
    DIV(UNIX_MICROS(MAX(last_action_at) OVER ()), 86400000000) AS newest_day
  FROM users
)
SELECT
  dated.user_id::INT64 AS user_id,
  dated.first_action_at::TIMESTAMP AS first_action_at,
  dated.last_action_at::TIMESTAMP AS last_action_at,
  DATE_TRUNC(DATE_FROM_UNIX_DATE(dated.first_day), MONTH)::DATE AS cohort_month,
  DATE_FROM_UNIX_DATE(dated.newest_day)::DATE AS newest_on,
  CAST(DIV((
    dated.last_day - dated.first_day
  ) * 16, 487) AS INT64) AS active_months,
  CAST(DIV(
    GREATEST(dated.newest_day - thresholds.churned_after_days - dated.first_day, 0) * 16,
    487
  ) AS INT64) AS watched_months
FROM dated
CROSS JOIN engagement_internal.thresholds AS thresholds
