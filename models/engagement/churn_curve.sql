MODEL (
  name engagement.churn_curve,
  kind FULL,
  @contract(churn_curve, steps_are_those_of_the_users)
);

/* What share of the users who came in a year, or ever, was still seen so many months later: Kaplan and Meier's estimate, in which users count as long as they were watched. A curve ends before a step in which too few stay or leave. */
WITH parts AS (
  SELECT
    cohort,
    step_start,
    step_end,
    at_risk_user_count,
    churned_user_count,
    at_risk_user_count - churned_user_count AS staying_user_count,
    MIN(LEAST(churned_user_count, at_risk_user_count - churned_user_count)) OVER (
      PARTITION BY cohort
      ORDER BY step_end
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS smallest_part
  FROM engagement_internal.churn_steps
), years AS (
  /* What is left of all when the years that are shown are taken away: the years that are not, and of the others those with fewer users. */
  SELECT
    parts.cohort,
    parts.step_end,
    parts.smallest_part,
    COALESCE(SUM(parts.churned_user_count) OVER before, 0) AS hidden_churned,
    COALESCE(SUM(parts.staying_user_count) OVER before, 0) AS hidden_staying
  FROM parts
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    parts.cohort <> 'all'
  WINDOW before AS (
    PARTITION BY parts.step_end
    ORDER BY IF(parts.smallest_part < thresholds.smallest_group, 0, 1), parts.at_risk_user_count, parts.cohort
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  )
), safe AS (
  /* Where the rest would tell of a few, the smallest year that could be shown is not; and from there on. */
  SELECT
    years.cohort,
    years.step_end,
    MIN(
      IF(
        years.smallest_part >= thresholds.smallest_group
        AND (
          years.hidden_churned + years.hidden_staying = 0
          OR LEAST(years.hidden_churned, years.hidden_staying) >= thresholds.smallest_group
        ),
        1,
        0
      )
    ) OVER (
      PARTITION BY years.cohort
      ORDER BY years.step_end
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) = 1 AS is_shown
  FROM years
  CROSS JOIN engagement_internal.thresholds AS thresholds
), steps AS (
  SELECT
    parts.cohort,
    parts.step_start,
    parts.step_end,
    parts.at_risk_user_count,
    parts.churned_user_count,
    EXP(SUM(LN(parts.staying_user_count / parts.at_risk_user_count)) OVER so_far) AS survival,
    SUM(parts.churned_user_count / parts.at_risk_user_count / parts.staying_user_count) OVER so_far AS greenwood
  FROM parts
  LEFT JOIN safe
    ON safe.cohort = parts.cohort AND safe.step_end = parts.step_end
  WHERE
    parts.cohort = 'all' OR safe.is_shown
  WINDOW so_far AS (
    PARTITION BY parts.cohort
    ORDER BY parts.step_end
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
), curves AS (
  /* 1.96 standard errors of LN(-LN(survival)), so that the interval stays between 0 and 1. */
  SELECT
    cohort,
    step_end AS months_since,
    at_risk_user_count,
    churned_user_count,
    survival,
    POW(survival, EXP(-1.959963984540054 * SQRT(greenwood) / LN(survival))) AS survival_low,
    POW(survival, EXP(1.959963984540054 * SQRT(greenwood) / LN(survival))) AS survival_high
  FROM steps
  UNION ALL
  SELECT
    cohort,
    0 AS months_since,
    at_risk_user_count,
    0 AS churned_user_count,
    1.0 AS survival,
    1.0 AS survival_low,
    1.0 AS survival_high
  FROM steps
  WHERE
    step_start = 0
), newest AS (
  SELECT
    MAX(newest_on) AS newest_on
  FROM engagement_internal.user_lifetimes
)
SELECT
  curves.cohort::STRING AS cohort,
  curves.months_since::INT64 AS months_since,
  curves.at_risk_user_count::INT64 AS at_risk_user_count,
  curves.churned_user_count::INT64 AS churned_user_count,
  curves.survival::FLOAT64 AS survival,
  curves.survival_low::FLOAT64 AS survival_low,
  curves.survival_high::FLOAT64 AS survival_high,
  newest.newest_on::DATE AS as_of
FROM curves
CROSS JOIN newest
