MODEL (
  name interactions_internal.delivered_ratings,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column reporting_month
  ),
  description 'Which ingest each month of the rating facts was last built from: the watermark that mesh refresh compares.',
  grain reporting_month,
  @source_contract(ratings)
);

/* A month's newest ingest that changed ratings, as of when the month was built. */
SELECT
  reporting_month::DATE AS reporting_month,
  MAX(ingest_id)::INT64 AS ingest_id
FROM operational.changed_months
WHERE
  source_table = 'ratings' AND reporting_month BETWEEN @start_date AND @end_date
GROUP BY
  reporting_month
