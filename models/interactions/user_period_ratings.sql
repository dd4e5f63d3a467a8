MODEL (
  name interactions.user_period_ratings,
  kind FULL,
  partitioned_by DATE_TRUNC(reporting_month, MONTH),
  clustered_by (user_id, release_decade),
  @contract(user_period_ratings)
);

/* How a user rated the movies of a decade: in a month, and over all time. */
WITH all_time AS (
  SELECT
    user_id,
    release_decade,
    SUM(rating_count) AS rating_count,
    @median_of_histograms(monthly) AS rating_median
  FROM interactions_internal.user_period_ratings_monthly AS monthly
  GROUP BY
    user_id,
    release_decade
)
SELECT
  monthly.user_id::INT64 AS user_id,
  monthly.release_decade::STRING AS release_decade,
  monthly.reporting_month::DATE AS reporting_month,
  monthly.rating_count::INT64 AS rating_monthly_count,
  @median_of_histogram(monthly)::FLOAT64 AS rating_monthly_median,
  all_time.rating_count::INT64 AS rating_count,
  all_time.rating_median::FLOAT64 AS rating_median
FROM interactions_internal.user_period_ratings_monthly AS monthly
INNER JOIN all_time
  ON all_time.user_id = monthly.user_id
  AND all_time.release_decade = monthly.release_decade
