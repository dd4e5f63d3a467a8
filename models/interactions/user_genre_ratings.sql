MODEL (
  name interactions.user_genre_ratings,
  kind VIEW,
  @contract(user_genre_ratings)
);

/* How a user rated the movies of a genre: in a month, and over all time. All time is a subquery and not a join: for who reads some months, it is summed for their users alone. With its GROUP BY, DuckDB still joins it like a table when all months are read. */
WITH months AS (
  SELECT
    own.user_id,
    own.genre,
    own.reporting_month,
    own.rating_count,
    @median_of_histogram(own) AS rating_median,
    @ratings_of(own, 4.5) + @ratings_of(own, 5.0) AS high_count,
    (
      SELECT
        STRUCT(
          SUM(every.rating_count) AS rating_count,
          @median_of_histograms(every) AS rating_median
        )
      FROM interactions_internal.user_genre_ratings_monthly AS every
      WHERE
        every.user_id = own.user_id AND every.genre = own.genre
      GROUP BY
        every.user_id,
        every.genre
    ) AS all_time
  FROM interactions_internal.user_genre_ratings_monthly AS own
)
SELECT
  user_id::INT64 AS user_id,
  genre::STRING AS genre,
  reporting_month::DATE AS reporting_month,
  rating_count::INT64 AS rating_monthly_count,
  rating_median::FLOAT64 AS rating_monthly_median,
  all_time.rating_count::INT64 AS rating_count,
  all_time.rating_median::FLOAT64 AS rating_median,
  high_count::INT64 AS rating_monthly_high_count
FROM months
