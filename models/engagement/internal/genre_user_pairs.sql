MODEL (
  name engagement_internal.genre_user_pairs,
  kind FULL,
  description 'How the audiences of two genres overlap, over all time: who rated both, who rated both often enough to be asked, and who likes one or both of them.',
  grain (genre, other_genre)
);

/* One row per pair of genres that a user rated, both ways round; a genre with itself holds its own numbers. Whether somebody likes a genre is counted here of those alone who are asked about both. A user has many pairs, so these are counted by a number that tells genre, is_asked and likes at once, and not by names. */
WITH likings AS (
  SELECT
    user_id,
    genre,
    is_asked,
    likes
  FROM engagement_internal.user_genre_likings
  WHERE
    period = 'all_time'
), kinds AS (
  SELECT
    genre,
    is_asked,
    likes,
    ROW_NUMBER() OVER (ORDER BY genre, is_asked, likes) AS kind
  FROM likings
  GROUP BY
    genre,
    is_asked,
    likes
), users AS (
  SELECT
    likings.user_id,
    kinds.kind
  FROM likings
  INNER JOIN kinds
    ON kinds.genre = likings.genre
    AND kinds.is_asked = likings.is_asked
    AND kinds.likes = likings.likes
), counted AS (
  SELECT
    own.kind,
    other.kind AS other_kind,
    COUNT(*) AS user_count
  FROM users AS own
  INNER JOIN users AS other
    ON other.user_id = own.user_id
  GROUP BY
    own.kind,
    other.kind
)
SELECT
  own.genre::STRING AS genre,
  other.genre::STRING AS other_genre,
  SUM(counted.user_count)::INT64 AS rated_count,
  SUM(IF(own.is_asked AND other.is_asked, counted.user_count, 0))::INT64 AS asked_count,
  SUM(IF(own.likes AND other.is_asked, counted.user_count, 0))::INT64 AS likes_count,
  SUM(IF(own.is_asked AND other.likes, counted.user_count, 0))::INT64 AS other_likes_count,
  SUM(IF(own.likes AND other.likes, counted.user_count, 0))::INT64 AS both_like_count
FROM counted
INNER JOIN kinds AS own
  ON own.kind = counted.kind
INNER JOIN kinds AS other
  ON other.kind = counted.other_kind
GROUP BY
  own.genre,
  other.genre
