MODEL (
  name engagement_internal.churn_steps,
  kind FULL,
  description 'How many users of a cohort were still there when a span of months began, and how many of them were never seen after it.',
  grain (cohort, step_end)
);

/* One row per cohort and step of the curves: a year of first actions, or all. A user is at risk in a step that they were watched to the end of. All cohorts have the steps of all together, or one could be had by subtraction: the shortest that leave enough users on both sides, single months at first and wider ones later, so that the curves of single years last as well. */
WITH lifetimes AS (
  SELECT
    cohort,
    active_months,
    watched_months,
    COUNT(*) AS user_count
  FROM engagement_internal.user_lifetimes
  CROSS JOIN UNNEST(['all', EXTRACT(YEAR FROM cohort_month)::STRING]) AS cohort
  WHERE
    watched_months > 0
  GROUP BY
    cohort,
    active_months,
    watched_months
), blocks AS (
  SELECT
    block_start,
    CASE block_start
      WHEN 0
      THEN 1
      WHEN 1
      THEN 3
      WHEN 3
      THEN 6
      WHEN 6
      THEN 12
      ELSE block_start + 12
    END AS block_end,
    CASE
      WHEN block_start < 12
      THEN 1
      WHEN block_start < 36
      THEN 3
      WHEN block_start < 60
      THEN 6
      ELSE 12
    END AS shortest
  FROM UNNEST(ARRAY_CONCAT([0, 1, 3, 6], GENERATE_ARRAY(12, 600, 12))) AS block_start
), candidates AS (
  SELECT
    blocks.block_start,
    blocks.block_end,
    width,
    step_start,
    step_start + width AS step_end
  FROM blocks
  CROSS JOIN UNNEST([1, 2, 3, 6, 12]) AS width
  CROSS JOIN UNNEST(GENERATE_ARRAY(blocks.block_start, blocks.block_end - width, width)) AS step_start
  WHERE
    width >= blocks.shortest
    AND MOD(blocks.block_end - blocks.block_start, width) = 0
), counted AS (
  SELECT
    candidates.block_start,
    candidates.block_end,
    candidates.width,
    candidates.step_start,
    candidates.step_end,
    SUM(lifetimes.user_count) AS at_risk_user_count,
    SUM(IF(lifetimes.active_months < candidates.step_end, lifetimes.user_count, 0)) AS churned_user_count
  FROM candidates
  INNER JOIN lifetimes
    ON lifetimes.active_months >= candidates.step_start
    AND lifetimes.watched_months >= candidates.step_end
  WHERE
    lifetimes.cohort = 'all'
  GROUP BY
    candidates.block_start,
    candidates.block_end,
    candidates.width,
    candidates.step_start,
    candidates.step_end
), judged AS (
  SELECT
    counted.block_start,
    counted.block_end,
    counted.width,
    counted.step_start,
    counted.step_end,
    MIN(
      LEAST(
        counted.churned_user_count,
        counted.at_risk_user_count - counted.churned_user_count
      )
    ) OVER (
      PARTITION BY counted.block_start, counted.width
      ORDER BY counted.step_start
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) >= thresholds.smallest_group AS is_enough
  FROM counted
  CROSS JOIN engagement_internal.thresholds AS thresholds
), widths AS (
  SELECT
    block_start,
    block_end,
    width,
    MAX(IF(is_enough, step_end, block_start)) AS reached,
    ROW_NUMBER() OVER (
      PARTITION BY block_start
      ORDER BY MAX(IF(is_enough, step_end, block_start)) DESC, width
    ) AS choice
  FROM judged
  GROUP BY
    block_start,
    block_end,
    width
), chosen AS (
  SELECT
    block_start,
    width,
    COALESCE(
      MIN(IF(reached = block_end, 1, 0)) OVER (ORDER BY block_start ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
      1
    ) = 1 AS is_joined
  FROM widths
  WHERE
    choice = 1
), steps AS (
  SELECT
    judged.step_start,
    judged.step_end
  FROM judged
  INNER JOIN chosen
    ON chosen.block_start = judged.block_start AND chosen.width = judged.width
  WHERE
    judged.is_enough AND chosen.is_joined
)
SELECT
  lifetimes.cohort::STRING AS cohort,
  steps.step_start::INT64 AS step_start,
  steps.step_end::INT64 AS step_end,
  SUM(lifetimes.user_count)::INT64 AS at_risk_user_count,
  SUM(IF(lifetimes.active_months < steps.step_end, lifetimes.user_count, 0))::INT64 AS churned_user_count
FROM steps
INNER JOIN lifetimes
  ON lifetimes.active_months >= steps.step_start
  AND lifetimes.watched_months >= steps.step_end
GROUP BY
  lifetimes.cohort,
  steps.step_start,
  steps.step_end
