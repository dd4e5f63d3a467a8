MODEL (
  name interactions.user_period_ratings,
  kind VIEW,
  @contract(user_period_ratings)
);

/* How a user rated the movies of a decade: in a month, and over all time. All time is a subquery and not a join: for who reads some months, it is summed for their users alone. With its GROUP BY, DuckDB still joins it like a table when all months are read. */
WITH months AS (
  SELECT
    own.user_id,
    own.release_decade,
    own.reporting_month,
    own.rating_count,
    @median_of_histogram(own) AS rating_median,
    (
      SELECT
        STRUCT(
          SUM(every.rating_count) AS rating_count,
          @median_of_histograms(every) AS rating_median
        )
      FROM interactions_internal.user_period_ratings_monthly AS every
      WHERE
        every.user_id = own.user_id AND every.release_decade = own.release_decade
      GROUP BY
        every.user_id,
        every.release_decade
    ) AS all_time
  FROM interactions_internal.user_period_ratings_monthly AS own
)
SELECT
  user_id::INT64 AS user_id,
  release_decade::STRING AS release_decade,
  reporting_month::DATE AS reporting_month,
  rating_count::INT64 AS rating_monthly_count,
  rating_median::FLOAT64 AS rating_monthly_median,
  all_time.rating_count::INT64 AS rating_count,
  all_time.rating_median::FLOAT64 AS rating_median
FROM months
