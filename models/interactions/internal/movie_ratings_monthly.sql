MODEL (
  name interactions_internal.movie_ratings_monthly,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column reporting_month
  ),
  description 'How a movie was rated in a month, as a histogram of half-stars.',
  grain (movie_id, reporting_month),
  partitioned_by DATE_TRUNC(reporting_month, MONTH),
  clustered_by movie_id
);

/* The sum of the daily histograms. */
SELECT
  movie_id::INT64 AS movie_id,
  DATE_TRUNC(rated_on, MONTH)::DATE AS reporting_month,
  SUM(rating_count)::INT64 AS rating_count,
  SUM(histogram_low)::INT64 AS histogram_low,
  SUM(histogram_mid)::INT64 AS histogram_mid,
  SUM(histogram_high)::INT64 AS histogram_high
FROM interactions_internal.movie_ratings_daily
WHERE
  rated_on BETWEEN @start_date AND @end_date
GROUP BY
  movie_id,
  reporting_month
