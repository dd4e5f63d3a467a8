MODEL (
  name interactions_internal.movie_ratings_daily,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column rated_on
  ),
  description 'How a movie was rated on a day, as a histogram of half-stars.',
  grain (movie_id, rated_on),
  partitioned_by DATE_TRUNC(rated_on, MONTH),
  clustered_by movie_id
);

/* One row per movie and day, in UTC, with at least one rating. */
SELECT
  movie_id::INT64 AS movie_id,
  rated_on::DATE AS rated_on,
  COUNT(*)::INT64 AS rating_count,
  SUM(@histogram_part(rating, 'low'))::INT64 AS histogram_low,
  SUM(@histogram_part(rating, 'mid'))::INT64 AS histogram_mid,
  SUM(@histogram_part(rating, 'high'))::INT64 AS histogram_high
FROM interactions_internal.rating_events
WHERE
  rated_on BETWEEN @start_date AND @end_date
GROUP BY
  movie_id,
  rated_on
