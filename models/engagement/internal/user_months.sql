MODEL (
  name engagement_internal.user_months,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column reporting_month
  ),
  description 'What a user did in a month: the first and the last action, the ratings as a histogram of half-stars, the tags.',
  grain (user_id, reporting_month),
  partitioned_by DATE_TRUNC(reporting_month, MONTH),
  clustered_by user_id
);

/* One row per user and month with at least one rating or tag. Actions are added up by the day first, told as a number: to make dates and months of each takes longer than the counting, and of few days it does not. */
WITH actions AS (
  SELECT
    user_id,
    rated_at AS acted_at,
    rating
  FROM interactions.user_movie_ratings
  WHERE
    rated_at BETWEEN @start_ts AND @end_ts
  UNION ALL
  SELECT
    user_id,
    tagged_at AS acted_at,
    NULL AS rating
  FROM interactions.user_tags
  WHERE
    tagged_at BETWEEN @start_ts AND @end_ts
), days AS (
  SELECT
    user_id,
    DIV(UNIX_MICROS(acted_at), 86400000000) AS day,
    MIN(acted_at) AS first_action_at,
    MAX(acted_at) AS last_action_at,
    COUNT(rating) AS rating_count,
    COUNTIF(rating IS NULL) AS tag_count,
    SUM(@histogram_part(rating, 'low')) AS histogram_low,
    SUM(@histogram_part(rating, 'mid')) AS histogram_mid,
    SUM(@histogram_part(rating, 'high')) AS histogram_high
  FROM actions
  GROUP BY
    user_id,
    day
), dated AS (
  SELECT
    days.*,
    DATE_TRUNC(DATE_FROM_UNIX_DATE(day), MONTH) AS reporting_month
  FROM days
)
SELECT
  user_id::INT64 AS user_id,
  reporting_month::DATE AS reporting_month,
  MIN(first_action_at)::TIMESTAMP AS first_action_at,
  MAX(last_action_at)::TIMESTAMP AS last_action_at,
  SUM(rating_count)::INT64 AS rating_count,
  SUM(tag_count)::INT64 AS tag_count,
  SUM(histogram_low)::INT64 AS histogram_low,
  SUM(histogram_mid)::INT64 AS histogram_mid,
  SUM(histogram_high)::INT64 AS histogram_high
FROM dated
GROUP BY
  user_id,
  reporting_month
