MODEL (
  name interactions_internal.user_period_ratings_total,
  kind VIEW,
  description 'How a user rated the movies of a decade over all time, as a histogram of half-stars.',
  grain (user_id, release_decade)
);

/* The sum of the monthly histograms: a view, since its readers read the months in any case. */
SELECT
  user_id::INT64 AS user_id,
  release_decade::STRING AS release_decade,
  SUM(rating_count)::INT64 AS rating_count,
  SUM(histogram_low)::INT64 AS histogram_low,
  SUM(histogram_mid)::INT64 AS histogram_mid,
  SUM(histogram_high)::INT64 AS histogram_high
FROM interactions_internal.user_period_ratings_monthly
GROUP BY
  user_id,
  release_decade
