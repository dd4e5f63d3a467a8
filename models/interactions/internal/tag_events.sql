MODEL (
  name interactions_internal.tag_events,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column tagged_at
  ),
  description 'One row per tag, as delivered, in our spelling: the only model that reads the operational tags.',
  grain (user_id, movie_id, tag),
  partitioned_by TIMESTAMP_TRUNC(tagged_at, MONTH),
  clustered_by (user_id, movie_id),
  physical_properties (
    require_partition_filter = TRUE
  ),
  @source_contract(tags)
);

/* Every tag of the months that are being built. */
SELECT
  userid::INT64 AS user_id,
  movieid::INT64 AS movie_id,
  tag::STRING AS tag,
  timestamp::TIMESTAMP AS tagged_at
FROM operational.tags
WHERE
  timestamp BETWEEN @start_ts AND @end_ts
