AUDIT (
  name steps_are_those_of_the_users,
  dialect bigquery
);

/* What no rule of a contract can ask, which knows no spans of time: a user has left with the last action before the first 180 days without any, and was watched until 180 days before the newest action of all; months have 30.4375 days. Who is at risk in a step had not left when it began and was watched to its end. No curve ends early: that of all has each block of months in which five leave and five stay, and that of a year each such step of all, but for the smallest where the years that are not shown would else be of less than five. */
WITH own AS (
  SELECT
    cohort,
    months_since,
    at_risk_user_count,
    churned_user_count
  FROM @this_model
  WHERE
    months_since > 0
), newest AS (
  SELECT
    COALESCE(MAX(months_since), 0) AS curve_end
  FROM own
  WHERE
    cohort = 'all'
), steps AS (
  SELECT
    COALESCE(LAG(months_since) OVER (ORDER BY months_since), 0) AS step_start,
    months_since AS step_end,
    TRUE AS is_of_years
  FROM own
  WHERE
    cohort = 'all'
  UNION ALL
  /* The block of months in which the curve of all ends. */
  SELECT
    CASE
      WHEN curve_end < 1
      THEN 0
      WHEN curve_end < 3
      THEN 1
      WHEN curve_end < 6
      THEN 3
      WHEN curve_end < 12
      THEN 6
      ELSE curve_end - MOD(curve_end, 12)
    END AS step_start,
    CASE
      WHEN curve_end < 1
      THEN 1
      WHEN curve_end < 3
      THEN 3
      WHEN curve_end < 6
      THEN 6
      WHEN curve_end < 12
      THEN 12
      ELSE curve_end - MOD(curve_end, 12) + 12
    END AS step_end,
    FALSE AS is_of_years
  FROM newest
), actions AS (
  SELECT
    user_id,
    UNIX_MICROS(rated_at) AS acted_at
  FROM interactions.user_movie_ratings
  UNION ALL
  SELECT
    user_id,
    UNIX_MICROS(tagged_at) AS acted_at
  FROM interactions.user_tags
), spells AS (
  /* Within thirty days nobody is gone for long. */
  SELECT
    user_id,
    MIN(acted_at) AS first_at,
    MAX(acted_at) AS last_at
  FROM actions
  GROUP BY
    user_id,
    DIV(acted_at, 2592000000000)
), gaps AS (
  SELECT
    user_id,
    first_at,
    last_at,
    MAX(last_at) OVER () AS newest_at,
    LEAD(first_at) OVER (PARTITION BY user_id ORDER BY first_at) AS next_at
  FROM spells
), lives AS (
  SELECT
    user_id,
    EXTRACT(YEAR FROM DATE_FROM_UNIX_DATE(DIV(MIN(first_at), 86400000000))) AS year,
    FLOOR(MIN(first_at) / 86400000000) AS first_day,
    FLOOR(
      COALESCE(MIN(IF(next_at - last_at > 15552000000000, last_at, NULL)), MAX(last_at)) / 86400000000
    ) AS end_day,
    FLOOR(MAX(newest_at) / 86400000000) - 180 AS watched_day
  FROM gaps
  GROUP BY
    user_id
), users AS (
  SELECT
    year::STRING AS cohort_year,
    FLOOR((
      end_day - first_day
    ) / 30.4375) AS active_months,
    FLOOR((
      watched_day - first_day
    ) / 30.4375) AS watched_months,
    COUNT(*) AS user_count
  FROM lives
  GROUP BY
    cohort_year,
    active_months,
    watched_months
), parts AS (
  SELECT
    cohort,
    steps.step_end,
    steps.is_of_years,
    SUM(
      IF(
        users.active_months >= steps.step_start
        AND users.watched_months >= steps.step_end,
        users.user_count,
        0
      )
    ) AS at_risk_user_count,
    SUM(
      IF(
        users.active_months >= steps.step_start
        AND users.active_months < steps.step_end
        AND users.watched_months >= steps.step_end,
        users.user_count,
        0
      )
    ) AS churned_user_count
  FROM users
  CROSS JOIN UNNEST(['all', users.cohort_year]) AS cohort
  CROSS JOIN steps
  WHERE
    steps.is_of_years OR cohort = 'all'
  GROUP BY
    cohort,
    steps.step_end,
    steps.is_of_years
), compared AS (
  SELECT
    parts.cohort,
    parts.step_end,
    parts.at_risk_user_count,
    parts.churned_user_count,
    own.at_risk_user_count AS at_risk_told,
    own.churned_user_count AS churned_told,
    COUNT(*) OVER so_far AS step_count,
    COUNT(own.cohort) OVER so_far AS told_count,
    MIN(
      LEAST(parts.churned_user_count, parts.at_risk_user_count - parts.churned_user_count)
    ) OVER so_far AS smallest_part
  FROM parts
  LEFT JOIN own
    ON parts.is_of_years
    AND own.cohort = parts.cohort
    AND own.months_since = parts.step_end
  WINDOW so_far AS (
    PARTITION BY parts.cohort, parts.is_of_years
    ORDER BY parts.step_end
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
), judged AS (
  /* And what is left of a step without the years that could be told. */
  SELECT
    cohort,
    step_end,
    at_risk_user_count,
    churned_user_count,
    at_risk_told,
    churned_told,
    step_count,
    told_count,
    smallest_part,
    SUM(IF(cohort <> 'all' AND smallest_part < 5, churned_user_count, 0)) OVER step AS rest_churned,
    SUM(
      IF(cohort <> 'all' AND smallest_part < 5, at_risk_user_count - churned_user_count, 0)
    ) OVER step AS rest_staying,
    ROW_NUMBER() OVER (
      PARTITION BY step_end, cohort = 'all', smallest_part < 5
      ORDER BY at_risk_user_count, cohort
    ) AS place
  FROM compared
  WINDOW step AS (PARTITION BY step_end)
), counted AS (
  SELECT
    COUNT(*) AS row_count,
    MIN(CONCAT('cohort=', cohort, ', months_since=', step_end::STRING)) AS example
  FROM judged
  WHERE
    CASE
      WHEN NOT at_risk_told IS NULL
      THEN told_count < step_count
      OR at_risk_told <> at_risk_user_count
      OR churned_told <> churned_user_count
      WHEN told_count + 1 = step_count AND smallest_part >= 5
      THEN cohort = 'all'
      OR place > 1
      OR rest_churned + rest_staying = 0
      OR LEAST(rest_churned, rest_staying) >= 5
      ELSE FALSE
    END
)
SELECT
  row_count
FROM counted
WHERE
  IF(
    row_count > 0,
    ERROR(
      CONCAT(
        'engagement.churn_curve is not what users did: ',
        row_count::STRING,
        ' rows differ, or tell too little or too much, such as ',
        COALESCE(example, 'one without a cohort'),
        '.'
      )
    ),
    FALSE
  )
