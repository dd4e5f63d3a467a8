MODEL (
  name engagement_internal.first_impressions,
  kind FULL,
  description 'What a user did in the first days, and whether they left in them: no further action for as long as it takes to count as churned.',
  grain user_id,
  clustered_by user_id
);

/* One row per user whose first days hold a rating of a movie of a known year, and who was watched long enough. Whether a user left in those days is known churned_after_days later, and does not change; everybody is watched for the same time. */
WITH spans AS (
  SELECT
    lifetimes.user_id,
    UNIX_MICROS(lifetimes.first_action_at) AS start_at,
    UNIX_MICROS(lifetimes.first_action_at) + thresholds.first_impression_days * 86400000000 AS judged_from,
    UNIX_MICROS(lifetimes.first_action_at) + (
      thresholds.first_impression_days + thresholds.churned_after_days
    ) * 86400000000 AS judged_until,
    UNIX_MICROS(MAX(lifetimes.last_action_at) OVER ()) AS newest_at,
    UNIX_MICROS(lifetimes.left_at) AS left_at
  FROM engagement_internal.user_lifetimes AS lifetimes
  CROSS JOIN engagement_internal.thresholds AS thresholds
), users AS (
  SELECT
    user_id,
    judged_from,
    COALESCE(left_at < judged_from, FALSE) AS has_churned,
    EXTRACT(YEAR FROM DATE_FROM_UNIX_DATE(DIV(start_at, 86400000000))) AS first_year,
    MOD(DIV(start_at, 3600000000), 24) AS first_hour,
    MOD(DIV(start_at, 86400000000) + 3, 7) + 1 AS first_weekday
  FROM spans
  WHERE
    judged_until <= newest_at
), ratings AS (
  SELECT
    users.user_id,
    users.first_year - movies.release_year AS movie_age,
    movies.genres,
    ratings.rating
  FROM interactions.user_movie_ratings AS ratings
  INNER JOIN users
    ON users.user_id = ratings.user_id
  LEFT JOIN interactions.movie_catalogue AS movies
    ON movies.movie_id = ratings.movie_id
  WHERE
    UNIX_MICROS(ratings.rated_at) < users.judged_from
), rated AS (
  SELECT
    ratings.user_id,
    COUNT(*) AS rating_count,
    COUNTIF(ratings.rating > thresholds.high_above_rating) AS high_rating_count,
    COUNT(ratings.movie_age) AS dated_rating_count,
    COUNTIF(ratings.movie_age > thresholds.old_above_years) AS old_rating_count,
    SUM(ratings.movie_age) AS movie_ages
  FROM ratings
  CROSS JOIN engagement_internal.thresholds AS thresholds
  GROUP BY
    ratings.user_id
), tagged AS (
  SELECT
    users.user_id,
    COUNT(*) AS tag_count
  FROM interactions.user_tags AS tags
  INNER JOIN users
    ON users.user_id = tags.user_id
  WHERE
    UNIX_MICROS(tags.tagged_at) < users.judged_from
  GROUP BY
    users.user_id
), lists AS (
  /* A user's lists of genres are far fewer than their ratings. */
  SELECT DISTINCT
    user_id,
    genres
  FROM ratings
), seen AS (
  SELECT
    lists.user_id,
    COUNT(DISTINCT genre) AS genre_count
  FROM lists
  CROSS JOIN UNNEST(SPLIT(lists.genres, '|')) AS genre
  GROUP BY
    lists.user_id
)
SELECT
  users.user_id::INT64 AS user_id,
  rated.rating_count::INT64 AS rating_count,
  (
    rated.high_rating_count / NULLIF(rated.rating_count, 0)
  )::FLOAT64 AS high_rating_share,
  COALESCE(tagged.tag_count, 0)::INT64 AS tag_count,
  COALESCE(seen.genre_count, 0)::INT64 AS genre_count,
  (
    rated.old_rating_count / NULLIF(rated.dated_rating_count, 0)
  )::FLOAT64 AS old_movie_share,
  (
    rated.movie_ages / NULLIF(rated.dated_rating_count, 0)
  )::FLOAT64 AS movie_age,
  users.first_hour::INT64 AS first_hour,
  users.first_weekday::INT64 AS first_weekday,
  users.has_churned::BOOL AS has_churned
FROM users
INNER JOIN rated
  ON rated.user_id = users.user_id
LEFT JOIN tagged
  ON tagged.user_id = users.user_id
LEFT JOIN seen
  ON seen.user_id = users.user_id
WHERE
  rated.dated_rating_count > 0
