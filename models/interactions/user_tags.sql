MODEL (
  name interactions.user_tags,
  kind FULL,
  clustered_by (user_id, movie_id),
  @contract(user_tags)
);

/* Who wrote which tag on which movie, when, and how the same user rated that movie; a tag without a rating stays. */
WITH ratings AS (
  SELECT
    user_id,
    movie_id,
    rating
  FROM interactions_internal.rating_events
  WHERE
    rated_on >= '1995-01-01'::DATE
)
SELECT
  tags.user_id::INT64 AS user_id,
  tags.movie_id::INT64 AS movie_id,
  tags.tag::STRING AS tag,
  tags.tagged_at::TIMESTAMP AS tagged_at,
  ratings.rating::FLOAT64 AS rating
FROM interactions_internal.tag_events AS tags
LEFT JOIN ratings
  ON ratings.user_id = tags.user_id AND ratings.movie_id = tags.movie_id
WHERE
  tags.tagged_at >= '1995-01-01 00:00:00+00:00'::TIMESTAMP
