MODEL (
  name engagement_internal.genre_user_pairs,
  kind FULL,
  description 'How the audiences of two genres overlap, over all time: who rated both, who rated both often enough to be asked, and who likes one or both of them.',
  grain (genre, other_genre)
);

/* One row per pair of genres that a user rated, both ways round; a genre with itself holds its own numbers. Whether somebody likes a genre is counted here of those alone who are asked about both. */
SELECT
  own.genre::STRING AS genre,
  other.genre::STRING AS other_genre,
  COUNT(*)::INT64 AS rated_count,
  COUNTIF(own.is_asked AND other.is_asked)::INT64 AS asked_count,
  COUNTIF(own.likes AND other.is_asked)::INT64 AS likes_count,
  COUNTIF(own.is_asked AND other.likes)::INT64 AS other_likes_count,
  COUNTIF(own.likes AND other.likes)::INT64 AS both_like_count
FROM engagement_internal.user_genre_likings AS own
INNER JOIN engagement_internal.user_genre_likings AS other
  ON other.user_id = own.user_id
WHERE
  own.period = 'all_time' AND other.period = 'all_time'
GROUP BY
  own.genre,
  other.genre
