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

/* One row per movie and month with at least one rating. */
SELECT
  movie_id::INT64 AS movie_id,
  DATE_TRUNC(DATE(rated_at), MONTH)::DATE AS reporting_month,
  COUNT(*)::INT64 AS rating_count,
  SUM(@histogram_part(rating, 'low'))::INT64 AS histogram_low,
  SUM(@histogram_part(rating, 'mid'))::INT64 AS histogram_mid,
  SUM(@histogram_part(rating, 'high'))::INT64 AS histogram_high
FROM interactions_internal.rating_events
WHERE
  rated_at BETWEEN @start_ts AND @end_ts
GROUP BY
  movie_id,
  reporting_month
