MODEL (
  name interactions.user_period_ratings,
  kind VIEW,
  @contract(user_period_ratings)
);

/* How a user rated the movies of a decade: in a month, and over all time. */
SELECT
  months.user_id::INT64 AS user_id,
  months.release_decade::STRING AS release_decade,
  months.reporting_month::DATE AS reporting_month,
  months.rating_count::INT64 AS rating_monthly_count,
  @median_of_histogram(months)::FLOAT64 AS rating_monthly_median,
  total.rating_count::INT64 AS rating_count,
  @median_of_histogram(total)::FLOAT64 AS rating_median
FROM interactions_internal.user_period_ratings_monthly AS months
INNER JOIN interactions_internal.user_period_ratings_total AS total
  ON total.user_id = months.user_id AND total.release_decade = months.release_decade
