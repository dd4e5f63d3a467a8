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
), genres AS (
  SELECT DISTINCT
    movies.movie_id,
    DENSE_RANK() OVER (ORDER BY genre) - 1 AS place
  FROM interactions.movie_catalogue AS movies
  CROSS JOIN UNNEST(SPLIT(movies.genres, '|')) AS genre
), movies AS (
  /* The genres of a movie as bits, so that a user's are united while ratings are counted: to tell which of the names differ takes longer than all else. There are a hundred genres at most, as the contracts say, and 60 fit into an integer. */
  SELECT
    movies.movie_id,
    movies.release_year,
    SUM(IF(genres.place < 60, 1 << MOD(genres.place, 60), 0))::INT64 AS first_genres,
    SUM(IF(genres.place >= 60, 1 << MOD(genres.place, 60), 0))::INT64 AS more_genres
  FROM interactions.movie_catalogue AS movies
  LEFT JOIN genres
    ON genres.movie_id = movies.movie_id
  GROUP BY
    movies.movie_id,
    movies.release_year
), rated AS (
  SELECT
    users.user_id,
    COUNT(*) AS rating_count,
    COUNTIF(@is_high(ratings.rating)) AS high_rating_count,
    COUNT(movies.release_year) AS dated_rating_count,
    COUNTIF(users.first_year - movies.release_year > thresholds.old_above_years) AS old_rating_count,
    SUM(users.first_year - movies.release_year) AS movie_ages,
    BIT_COUNT(BIT_OR(movies.first_genres)) + BIT_COUNT(BIT_OR(movies.more_genres)) AS genre_count
  FROM interactions.user_movie_ratings AS ratings
  INNER JOIN users
    ON users.user_id = ratings.user_id
  LEFT JOIN movies
    ON movies.movie_id = ratings.movie_id
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    UNIX_MICROS(ratings.rated_at) < users.judged_from
  GROUP BY
    users.user_id
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
)
SELECT
  users.user_id::INT64 AS user_id,
  rated.rating_count::INT64 AS rating_count,
  (
    rated.high_rating_count / NULLIF(rated.rating_count, 0)
  )::FLOAT64 AS high_rating_share,
  COALESCE(tagged.tag_count, 0)::INT64 AS tag_count,
  COALESCE(rated.genre_count, 0)::INT64 AS genre_count,
  (
    rated.old_rating_count / NULLIF(rated.dated_rating_count, 0)
  )::FLOAT64 AS old_movie_share,
  (
    rated.movie_ages / NULLIF(rated.dated_rating_count, 0)
  )::FLOAT64 AS movie_age,
  users.first_year::INT64 AS first_year,
  users.first_hour::INT64 AS first_hour,
  users.first_weekday::INT64 AS first_weekday,
  users.has_churned::BOOL AS has_churned
FROM users
INNER JOIN rated
  ON rated.user_id = users.user_id
LEFT JOIN tagged
  ON tagged.user_id = users.user_id
WHERE
  rated.dated_rating_count > 0
