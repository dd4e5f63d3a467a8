MODEL (
  name interactions_internal.monthly_ratings,
  kind INCREMENTAL_BY_TIME_RANGE (time_column reporting_month, batch_size 12),
  start '2024-01-01',
  description 'Ratings of one movie in one month.',
  column_descriptions (movie_id = 'The movie.', rating_count = 'How many ratings.'),
  partitioned_by DATE_TRUNC(reporting_month, MONTH),
  clustered_by (movie_id),
  physical_properties (require_partition_filter = TRUE, labels = [('domain', 'interactions')]),
  audits (not_null(columns := (movie_id, reporting_month)), counts_are_positive)
);

SELECT
  movieId::INT64 AS movie_id,
  DATE_TRUNC(DATE(timestamp), MONTH)::DATE AS reporting_month,
  COUNT(*)::INT64 AS rating_count
FROM operational.ratings
WHERE DATE_TRUNC(DATE(timestamp), MONTH) BETWEEN @start_date AND @end_date
GROUP BY 1, 2
