MODEL (
  name interactions_internal.rating_events,
  kind INCREMENTAL_BY_TIME_RANGE (time_column rated_on),
  description 'One row per rating.',
  partitioned_by DATE_TRUNC(rated_on, MONTH),
  clustered_by (user_id, movie_id),
  physical_properties (require_partition_filter = TRUE),
  audits (not_null(columns := (user_id, movie_id)))
);

SELECT userId::INT64 AS user_id, movieId::INT64 AS movie_id, DATE(timestamp)::DATE AS rated_on
FROM operational.ratings
WHERE timestamp BETWEEN @start_ts AND @end_ts
