MODEL (
  name engagement.movie_tags,
  kind FULL,
  @contract(movie_tags)
);

/* What viewers call one of the most rated movies: the tags that enough of them gave it, those of most users first. A tag is left out when too few of its users did not give it to this movie: they could be counted by subtracting from tag_interests. */
WITH rated AS (
  SELECT
    movie_id,
    ROW_NUMBER() OVER (ORDER BY SUM(rating_count) DESC, movie_id) AS movie_rank
  FROM interactions.movies_engagement
  GROUP BY
    movie_id
), uses AS (
  SELECT
    uses.movie_id,
    uses.tag,
    COUNT(DISTINCT uses.user_id) AS user_count,
    MIN(uses.tagged_on) AS first_used_on,
    MAX(uses.tagged_on) AS last_used_on
  FROM engagement_internal.tag_uses AS uses
  INNER JOIN rated
    ON rated.movie_id = uses.movie_id
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    rated.movie_rank <= thresholds.neighbours_of_movies
  GROUP BY
    uses.movie_id,
    uses.tag
), told AS (
  SELECT
    uses.movie_id,
    uses.tag,
    interests.spelling,
    uses.user_count,
    interests.user_count AS tag_user_count,
    uses.first_used_on,
    uses.last_used_on,
    interests.as_of,
    ROW_NUMBER() OVER (
      PARTITION BY uses.movie_id
      ORDER BY uses.user_count DESC, interests.user_count, uses.tag
    ) AS tag_rank
  FROM uses
  INNER JOIN engagement.tag_interests AS interests
    ON interests.tag = uses.tag
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    uses.user_count >= thresholds.smallest_group
    AND (
      interests.user_count = uses.user_count
      OR interests.user_count - uses.user_count >= thresholds.smallest_group
    )
)
SELECT
  told.movie_id::INT64 AS movie_id,
  told.tag::STRING AS tag,
  told.tag_rank::INT64 AS tag_rank,
  told.spelling::STRING AS spelling,
  told.user_count::INT64 AS user_count,
  told.tag_user_count::INT64 AS tag_user_count,
  told.first_used_on::DATE AS first_used_on,
  told.last_used_on::DATE AS last_used_on,
  told.as_of::DATE AS as_of
FROM told
CROSS JOIN engagement_internal.thresholds AS thresholds
WHERE
  told.tag_rank <= thresholds.top_movie_tags
