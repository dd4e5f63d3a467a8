AUDIT (
  name steps_are_those_of_the_users,
  dialect bigquery
);

/* What no rule of a contract can ask, which knows no spans of time: a user has left with the last action before the first 180 days without any, and was watched until 180 days before the newest action of all; months have 30.4375 days. Who is at risk in a step had not left when it began and was watched to its end. */
WITH steps AS (
  SELECT
    cohort,
    months_since,
    at_risk_user_count,
    churned_user_count,
    LAG(months_since) OVER (PARTITION BY cohort ORDER BY months_since) AS step_start
  FROM @this_model
), months AS (
  SELECT
    user_id,
    UNIX_MICROS(first_action_at) AS first_at,
    UNIX_MICROS(last_action_at) AS last_at,
    UNIX_MICROS(MAX(last_action_at) OVER ()) AS newest_at,
    UNIX_MICROS(LEAD(first_action_at) OVER (PARTITION BY user_id ORDER BY first_action_at)) AS next_at
  FROM engagement_internal.user_months
), lives AS (
  SELECT
    user_id,
    EXTRACT(YEAR FROM DATE_FROM_UNIX_DATE(DIV(MIN(first_at), 86400000000))) AS year,
    FLOOR(MIN(first_at) / 86400000000) AS first_day,
    FLOOR(
      COALESCE(MIN(IF(next_at - last_at > 15552000000000, last_at, NULL)), MAX(last_at)) / 86400000000
    ) AS end_day,
    FLOOR(MAX(newest_at) / 86400000000) - 180 AS watched_day
  FROM months
  GROUP BY
    user_id
), users AS (
  SELECT
    year::STRING AS cohort,
    FLOOR((
      end_day - first_day
    ) / 30.4375) AS active_months,
    FLOOR((
      watched_day - first_day
    ) / 30.4375) AS watched_months,
    COUNT(*) AS user_count
  FROM lives
  GROUP BY
    cohort,
    active_months,
    watched_months
)
SELECT
  steps.cohort,
  steps.months_since
FROM steps
CROSS JOIN users
WHERE
  steps.months_since > 0 AND steps.cohort IN ('all', users.cohort)
GROUP BY
  steps.cohort,
  steps.months_since,
  steps.at_risk_user_count,
  steps.churned_user_count
HAVING
  SUM(
    IF(
      users.active_months >= steps.step_start
      AND users.watched_months >= steps.months_since,
      users.user_count,
      0
    )
  ) <> steps.at_risk_user_count
  OR SUM(
    IF(
      users.active_months >= steps.step_start
      AND users.active_months < steps.months_since
      AND users.watched_months >= steps.months_since,
      users.user_count,
      0
    )
  ) <> steps.churned_user_count
