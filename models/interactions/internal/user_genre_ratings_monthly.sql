MODEL (
  name interactions_internal.user_genre_ratings_monthly,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column reporting_month
  ),
  description 'How a user rated a genre in a month, as a histogram of half-stars.',
  grain (user_id, genre, reporting_month),
  partitioned_by DATE_TRUNC(reporting_month, MONTH),
  clustered_by (user_id, genre)
);

/* A rating counts once in each genre of its movie. */
WITH ratings AS (
  SELECT
    user_id,
    movie_id,
    DATE_TRUNC(rated_on, MONTH) AS reporting_month,
    @histogram_part(rating, 'low') AS histogram_low,
    @histogram_part(rating, 'mid') AS histogram_mid,
    @histogram_part(rating, 'high') AS histogram_high
  FROM interactions_internal.rating_events
  WHERE
    rated_on BETWEEN @start_date AND @end_date
)
SELECT
  ratings.user_id::INT64 AS user_id,
  movie_genres.genre::STRING AS genre,
  ratings.reporting_month::DATE AS reporting_month,
  COUNT(*)::INT64 AS rating_count,
  SUM(ratings.histogram_low)::INT64 AS histogram_low,
  SUM(ratings.histogram_mid)::INT64 AS histogram_mid,
  SUM(ratings.histogram_high)::INT64 AS histogram_high
FROM ratings
INNER JOIN interactions_internal.movie_genres AS movie_genres
  ON movie_genres.movie_id = ratings.movie_id
GROUP BY
  ratings.user_id,
  movie_genres.genre,
  ratings.reporting_month
