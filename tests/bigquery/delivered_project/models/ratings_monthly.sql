MODEL (
  name interactions_internal.ratings_monthly,
  kind INCREMENTAL_BY_TIME_RANGE (time_column reporting_month),
  partitioned_by DATE_TRUNC(reporting_month, MONTH)
);

SELECT
  movie_id::INT64 AS movie_id,
  DATE_TRUNC(rated_on, MONTH)::DATE AS reporting_month,
  COUNT(*)::INT64 AS rating_count
FROM interactions_internal.rating_events
WHERE rated_on BETWEEN @start_date AND @end_date
GROUP BY 1, 2
