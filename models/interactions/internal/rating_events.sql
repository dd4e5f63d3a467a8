MODEL (
  name interactions_internal.rating_events,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column rated_on
  ),
  description 'One row per rating, as delivered, in our spelling: the only model that reads the operational ratings.',
  grain (user_id, movie_id),
  partitioned_by DATE_TRUNC(rated_on, MONTH),
  clustered_by (user_id, movie_id),
  physical_properties (
    require_partition_filter = TRUE
  ),
  @source_contract(ratings)
);

/* Every rating of the months that are being built, sorted so that a month lies together on disk. Its day in UTC is worked out here, once for all that count by day or month, and from the microseconds of whole days: where a session has a time zone, DATE() takes longer than the counting. */
SELECT
  userid::INT64 AS user_id,
  movieid::INT64 AS movie_id,
  rating::FLOAT64 AS rating,
  timestamp::TIMESTAMP AS rated_at,
  DATE_FROM_UNIX_DATE(DIV(UNIX_MICROS(timestamp), 86400000000))::DATE AS rated_on
FROM operational.ratings
WHERE
  timestamp BETWEEN @start_ts AND @end_ts
ORDER BY
  rated_at
