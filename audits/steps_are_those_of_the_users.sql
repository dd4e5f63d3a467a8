AUDIT (
  name steps_are_those_of_the_users,
  dialect bigquery
);

/* What no contract can ask, since no product tells how long single users stayed: who is at risk in a step had not left when it began and was watched to its end, and who left is at risk no more. */
WITH steps AS (
  SELECT
    cohort,
    months_since,
    at_risk_user_count,
    churned_user_count,
    LAG(months_since) OVER (PARTITION BY cohort ORDER BY months_since) AS step_start
  FROM @this_model
), users AS (
  SELECT
    EXTRACT(YEAR FROM cohort_month)::STRING AS cohort,
    active_months,
    watched_months,
    COUNT(*) AS user_count
  FROM engagement_internal.user_lifetimes
  GROUP BY
    cohort,
    active_months,
    watched_months
)
SELECT
  steps.cohort,
  steps.months_since
FROM steps
LEFT JOIN users
  ON users.watched_months >= steps.months_since
  AND users.active_months >= steps.step_start
  AND steps.cohort IN ('all', users.cohort)
WHERE
  steps.months_since > 0
GROUP BY
  steps.cohort,
  steps.months_since,
  steps.at_risk_user_count,
  steps.churned_user_count
HAVING
  SUM(users.user_count) <> steps.at_risk_user_count
  OR SUM(
    IF(
      users.active_months BETWEEN steps.step_start AND steps.months_since - 1,
      users.user_count,
      0
    )
  ) <> steps.churned_user_count
