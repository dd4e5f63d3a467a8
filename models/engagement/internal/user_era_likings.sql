MODEL (
  name engagement_internal.user_era_likings,
  kind FULL,
  description 'How often a user rated the movies of a decade, and whether they like them: over all time, and in the last 182 days.',
  grain (period, user_id, release_decade),
  clustered_by (period, release_decade)
);

/* One row per period, user and decade with at least one rating. A decade is told by its first year, so that decades can be sorted and counted. */
WITH recent AS (
  SELECT
    ratings.user_id,
    movies.release_decade,
    COUNT(*) AS rating_count,
    SUM(@histogram_part(ratings.rating, 'low')) AS histogram_low,
    SUM(@histogram_part(ratings.rating, 'mid')) AS histogram_mid,
    SUM(@histogram_part(ratings.rating, 'high')) AS histogram_high
  FROM interactions.user_movie_ratings AS ratings
  INNER JOIN engagement_internal.windows AS windows
    ON ratings.rated_at >= windows.window_start::TIMESTAMP
  INNER JOIN interactions.movie_catalogue AS movies
    ON movies.movie_id = ratings.movie_id
  WHERE
    windows.period = 'last_182_days' AND NOT movies.release_decade IS NULL
  GROUP BY
    ratings.user_id,
    movies.release_decade
), tastes AS (
  SELECT
    'all_time' AS period,
    user_id,
    release_decade,
    MAX(rating_count) AS rating_count,
    MAX(rating_median) AS rating_median
  FROM engagement.user_period_preferences
  GROUP BY
    user_id,
    release_decade
  UNION ALL
  SELECT
    'last_182_days' AS period,
    user_id,
    release_decade,
    rating_count,
    @median_of_histogram(recent) AS rating_median
  FROM recent
)
SELECT
  tastes.period::STRING AS period,
  tastes.user_id::INT64 AS user_id,
  tastes.release_decade::STRING AS release_decade,
  IF(
    LENGTH(tastes.release_decade) = 3,
    1900 + SUBSTR(tastes.release_decade, 1, 2)::INT64,
    SUBSTR(tastes.release_decade, 1, 4)::INT64
  )::INT64 AS decade_start,
  tastes.rating_count::INT64 AS rating_count,
  (
    tastes.rating_count >= thresholds.likes_from_ratings
  )::BOOL AS is_asked,
  (
    tastes.rating_count >= thresholds.likes_from_ratings
    AND tastes.rating_median > thresholds.likes_above_median
  )::BOOL AS likes
FROM tastes
CROSS JOIN engagement_internal.thresholds AS thresholds
