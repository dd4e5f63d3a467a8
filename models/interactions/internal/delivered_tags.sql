MODEL (
  name interactions_internal.delivered_tags,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column reporting_month
  ),
  description 'Which ingest each month of the tag facts was last built from: the watermark that mesh refresh compares.',
  grain reporting_month,
  @source_contract(tags)
);

/* A month's newest ingest that changed tags, as of when the month was built. */
SELECT
  reporting_month::DATE AS reporting_month,
  MAX(ingest_id)::INT64 AS ingest_id
FROM operational.changed_months
WHERE
  source_table = 'tags' AND reporting_month BETWEEN @start_date AND @end_date
GROUP BY
  reporting_month
