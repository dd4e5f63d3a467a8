MODEL (
  name engagement_internal.user_genre_likings,
  kind FULL,
  description 'Whether a user likes a genre, and whether they rated it often enough to say so: over all time, and in the last 182 days.',
  grain (period, user_id, genre),
  clustered_by (period, genre)
);

/* One row per period, user and genre with at least one rating. A genre that a movie has twice counts once. */
WITH half_year AS (
  SELECT
    window_start,
    window_end
  FROM engagement_internal.windows
  WHERE
    period = 'last_182_days'
), movie_genres AS (
  SELECT DISTINCT
    engagement.movie_id,
    genre
  FROM interactions.movies_engagement AS engagement
  INNER JOIN half_year
    ON engagement.reporting_month BETWEEN DATE_TRUNC(half_year.window_start, MONTH) AND half_year.window_end
  CROSS JOIN UNNEST(SPLIT(engagement.genres, '|')) AS genre
), recent AS (
  SELECT
    ratings.user_id,
    movie_genres.genre,
    COUNT(*) AS rating_count,
    SUM(@histogram_part(ratings.rating, 'low')) AS histogram_low,
    SUM(@histogram_part(ratings.rating, 'mid')) AS histogram_mid,
    SUM(@histogram_part(ratings.rating, 'high')) AS histogram_high
  FROM interactions.user_movie_ratings AS ratings
  INNER JOIN half_year
    ON ratings.rated_at >= half_year.window_start::TIMESTAMP
  INNER JOIN movie_genres
    ON movie_genres.movie_id = ratings.movie_id
  GROUP BY
    ratings.user_id,
    movie_genres.genre
), tastes AS (
  SELECT
    'all_time' AS period,
    user_id,
    genre,
    MAX(rating_count) AS rating_count,
    MAX(rating_median) AS rating_median
  FROM engagement.user_genre_preferences
  GROUP BY
    user_id,
    genre
  UNION ALL
  SELECT
    'last_182_days' AS period,
    user_id,
    genre,
    rating_count,
    @median_of_histogram(recent) AS rating_median
  FROM recent
)
SELECT
  tastes.period::STRING AS period,
  tastes.user_id::INT64 AS user_id,
  tastes.genre::STRING AS genre,
  (
    tastes.rating_count >= thresholds.likes_from_ratings
  )::BOOL AS is_asked,
  (
    tastes.rating_count >= thresholds.likes_from_ratings
    AND tastes.rating_median > thresholds.likes_above_median
  )::BOOL AS likes
FROM tastes
CROSS JOIN engagement_internal.thresholds AS thresholds
