MODEL (
  name interactions.user_genre_ratings,
  kind FULL,
  partitioned_by DATE_TRUNC(reporting_month, MONTH),
  clustered_by (user_id, genre),
  @contract(user_genre_ratings)
);

/* How a user rated the movies of a genre: in a month, and over all time. */
WITH all_time AS (
  SELECT
    user_id,
    genre,
    SUM(rating_count) AS rating_count,
    @median_of_histograms(monthly) AS rating_median
  FROM interactions_internal.user_genre_ratings_monthly AS monthly
  GROUP BY
    user_id,
    genre
)
SELECT
  monthly.user_id::INT64 AS user_id,
  monthly.genre::STRING AS genre,
  monthly.reporting_month::DATE AS reporting_month,
  monthly.rating_count::INT64 AS rating_monthly_count,
  @median_of_histogram(monthly)::FLOAT64 AS rating_monthly_median,
  all_time.rating_count::INT64 AS rating_count,
  all_time.rating_median::FLOAT64 AS rating_median,
  @high_ratings_of(monthly)::INT64 AS rating_monthly_high_count
FROM interactions_internal.user_genre_ratings_monthly AS monthly
INNER JOIN all_time
  ON all_time.user_id = monthly.user_id AND all_time.genre = monthly.genre
