MODEL (
  name interactions_internal.delivered_movies,
  kind FULL,
  description 'Which ingest the movies were last built from: the watermark that mesh refresh compares.',
  @source_contract(movies)
);

/* The newest ingest that changed any movie, as of when the movies were built. */
SELECT
  MAX(ingest_id)::INT64 AS ingest_id
FROM operational.changed_months
WHERE
  source_table = 'movies'
