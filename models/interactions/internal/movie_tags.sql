MODEL (
  name interactions_internal.movie_tags,
  kind FULL,
  description 'All tags of a movie in one text.',
  grain movie_id
);

/* The distinct tags of a movie, of all time, sorted and joined with |. A bar in a tag becomes a broken one, so that splitting gives the tags back. */
SELECT
  movie_id::INT64 AS movie_id,
  STRING_AGG(DISTINCT tag, '|'
  ORDER BY
    tag)::STRING AS tags
FROM (
  SELECT
    movie_id,
    REPLACE(tag, '|', '¦') AS tag
  FROM interactions_internal.tag_events
  WHERE
    tagged_at >= '1995-01-01 00:00:00+00:00'::TIMESTAMP
)
GROUP BY
  movie_id
