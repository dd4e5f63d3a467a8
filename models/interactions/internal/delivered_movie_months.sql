MODEL (
  name interactions_internal.delivered_movie_months,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column reporting_month
  ),
  description 'Which ingest each month of the facts by genre and decade was last built from: the watermark that mesh refresh compares.',
  grain reporting_month
);

/* A month's newest ingest that changed a movie rated in it, as of when the month was built. */
SELECT
  reporting_month::DATE AS reporting_month,
  MAX(ingest_id)::INT64 AS ingest_id
FROM operational.changed_months
WHERE
  source_table = 'movies' AND reporting_month BETWEEN @start_date AND @end_date
GROUP BY
  reporting_month
