MODEL (
  name engagement_internal.user_lifetimes,
  kind FULL,
  description 'When a user came, was last seen and, if they did, left; and for how long they stayed and were watched, in months of 30.4375 days.',
  grain user_id,
  clustered_by user_id
);

/* One row per user. A user left with the first action that none followed for longer than churned_after_days. Who acts again later came back, and had left all the same: were only the last action to count, those with more time to come back would seem to stay longer. Of a month the first and the last action are enough, since such a pause is longer than any. Whether somebody has left can be told of the time up to churned_after_days before the newest action in the data: watching ends there for all, so that who was seen since has stayed as long as they were watched. Were it to end with a user's own last action, those who have just gone would count as staying. A month has 487 / 16 days: whole numbers, which engines divide alike. */
WITH months AS (
  SELECT
    user_id,
    first_action_at,
    last_action_at,
    LEAD(first_action_at) OVER (PARTITION BY user_id ORDER BY reporting_month) AS next_action_at
  FROM engagement_internal.user_months
), users AS (
  SELECT
    months.user_id,
    MIN(months.first_action_at) AS first_action_at,
    MAX(months.last_action_at) AS last_action_at,
    MIN(
      IF(
        UNIX_MICROS(months.next_action_at) - UNIX_MICROS(months.last_action_at) > thresholds.churned_after_days * 86400000000,
        months.last_action_at,
        NULL
      )
    ) AS paused_at
  FROM months
  CROSS JOIN engagement_internal.thresholds AS thresholds
  GROUP BY
    months.user_id
), ended AS (
  SELECT
    users.user_id,
    users.first_action_at,
    users.last_action_at,
    MAX(users.last_action_at) OVER () AS newest_action_at,
    thresholds.churned_after_days,
    COALESCE(
      users.paused_at,
      IF(
        UNIX_MICROS(MAX(users.last_action_at) OVER ()) - UNIX_MICROS(users.last_action_at) > thresholds.churned_after_days * 86400000000,
        users.last_action_at,
        NULL
      )
    ) AS left_at
  FROM users
  CROSS JOIN engagement_internal.thresholds AS thresholds
), dated AS (
  SELECT
    user_id,
    first_action_at,
    last_action_at,
    left_at,
    churned_after_days,
    DIV(UNIX_MICROS(first_action_at), 86400000000) AS first_day,
    DIV(UNIX_MICROS(COALESCE(left_at, last_action_at)), 86400000000) AS end_day,
    DIV(UNIX_MICROS(newest_action_at), 86400000000) AS newest_day
  FROM ended
)
SELECT
  user_id::INT64 AS user_id,
  first_action_at::TIMESTAMP AS first_action_at,
  last_action_at::TIMESTAMP AS last_action_at,
  left_at::TIMESTAMP AS left_at,
  DATE_TRUNC(DATE_FROM_UNIX_DATE(first_day), MONTH)::DATE AS cohort_month,
  DATE_FROM_UNIX_DATE(newest_day)::DATE AS newest_on,
  CAST(DIV((
    end_day - first_day
  ) * 16, 487) AS INT64) AS active_months,
  CAST(DIV(GREATEST(newest_day - churned_after_days - first_day, 0) * 16, 487) AS INT64) AS watched_months
FROM dated
