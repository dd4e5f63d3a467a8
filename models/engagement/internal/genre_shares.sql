MODEL (
  name engagement_internal.genre_shares,
  kind FULL,
  description 'The shares by which genres are compared, each with what it is a share of.',
  grain (measure, genre)
);

/* One row per measure and genre that enough users rated. A measure is left out where it, or what is left of it, would tell of fewer than five users. Of ratings that is known without looking at users: a user rates a movie once, so a movie with five high ratings was rated high by five. */
WITH audience AS (
  SELECT
    COUNT(DISTINCT user_id) AS user_count
  FROM engagement_internal.user_genre_likings
  WHERE
    period = 'all_time'
), genres AS (
  SELECT
    pairs.genre,
    pairs.rated_count,
    pairs.asked_count,
    pairs.likes_count,
    audience.user_count AS audience_count,
    thresholds.smallest_group
  FROM engagement_internal.genre_user_pairs AS pairs
  CROSS JOIN audience
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    pairs.genre = pairs.other_genre
    AND pairs.rated_count >= thresholds.smallest_group
), ages AS (
  SELECT
    genre,
    is_recent,
    SUM(high_rating_count) AS high_rating_count,
    SUM(rating_count) AS rating_count,
    COUNTIF(rating_count > 0) AS rated_movie_count,
    LEAST(MAX(high_rating_count), MAX(rating_count - high_rating_count)) AS surely_users
  FROM engagement_internal.genre_movies
  GROUP BY
    genre,
    is_recent
), releases AS (
  SELECT
    genre,
    SUM(high_rating_count) AS high_rating_count,
    SUM(rating_count) AS rating_count,
    SUM(rated_movie_count) AS rated_movie_count,
    MAX(surely_users) AS surely_users,
    SUM(IF(is_recent, high_rating_count, 0)) AS recent_high_rating_count,
    SUM(IF(is_recent, rating_count, 0)) AS recent_rating_count,
    SUM(IF(is_recent, rated_movie_count, 0)) AS recent_rated_movie_count,
    MIN(IF(is_recent OR rating_count > 0, surely_users, NULL)) AS surely_users_of_each_age
  FROM ages
  GROUP BY
    genre
), catalogue AS (
  SELECT
    genre,
    COUNTIF(rating_count = 0) AS unrated_movie_count,
    COUNT(*) AS movie_count
  FROM engagement_internal.genre_movies
  GROUP BY
    genre
), measured AS (
  SELECT
    'users' AS measure,
    genre,
    rated_count AS part,
    audience_count AS whole,
    audience_count AS unit_count
  FROM genres
  UNION ALL
  SELECT
    'likes' AS measure,
    genre,
    likes_count AS part,
    asked_count AS whole,
    asked_count AS unit_count
  FROM genres
  WHERE
    LEAST(likes_count, asked_count - likes_count) >= smallest_group
  UNION ALL
  SELECT
    'unrated_movies' AS measure,
    genre,
    unrated_movie_count AS part,
    movie_count AS whole,
    movie_count AS unit_count
  FROM catalogue
  UNION ALL
  SELECT
    'high_ratings' AS measure,
    releases.genre,
    releases.high_rating_count AS part,
    releases.rating_count AS whole,
    releases.rated_movie_count AS unit_count
  FROM releases
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    releases.surely_users >= thresholds.smallest_group
  UNION ALL
  SELECT
    'recent_high_ratings' AS measure,
    releases.genre,
    releases.recent_high_rating_count AS part,
    releases.recent_rating_count AS whole,
    releases.recent_rated_movie_count AS unit_count
  FROM releases
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    releases.recent_rating_count > 0
    AND releases.surely_users_of_each_age >= thresholds.smallest_group
)
SELECT
  measured.measure::STRING AS measure,
  measured.genre::STRING AS genre,
  measured.part::INT64 AS part,
  measured.whole::INT64 AS whole,
  measured.unit_count::INT64 AS unit_count,
  (
    measured.part / measured.whole
  )::FLOAT64 AS share
FROM measured
INNER JOIN genres
  ON genres.genre = measured.genre
