MODEL (
  name interactions.movies_engagement_daily,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column rated_on
  ),
  partitioned_by DATE_TRUNC(rated_on, MONTH),
  clustered_by movie_id
);

/* How a movie was rated on a day: how many ratings there were of each half-star. */
SELECT
  movie_id::INT64 AS movie_id,
  DATE(rated_at)::DATE AS rated_on,
  COUNT(*)::INT64 AS rating_count,
  COUNTIF(rating = 0.5)::INT64 AS ratings_0_5,
  COUNTIF(rating = 1.0)::INT64 AS ratings_1_0,
  COUNTIF(rating = 1.5)::INT64 AS ratings_1_5,
  COUNTIF(rating = 2.0)::INT64 AS ratings_2_0,
  COUNTIF(rating = 2.5)::INT64 AS ratings_2_5,
  COUNTIF(rating = 3.0)::INT64 AS ratings_3_0,
  COUNTIF(rating = 3.5)::INT64 AS ratings_3_5,
  COUNTIF(rating = 4.0)::INT64 AS ratings_4_0,
  COUNTIF(rating = 4.5)::INT64 AS ratings_4_5,
  COUNTIF(rating = 5.0)::INT64 AS ratings_5_0
FROM interactions_internal.rating_events
WHERE
  rated_at BETWEEN @start_ts AND @end_ts
GROUP BY
  movie_id,
  rated_on
