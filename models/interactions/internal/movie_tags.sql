MODEL (
  name interactions_internal.movie_tags,
  kind FULL,
  description 'All tags of a movie in one text.',
  grain movie_id
);

/* The distinct tags of a movie, of all time, sorted and joined with |. */
SELECT
  movie_id::INT64 AS movie_id,
  STRING_AGG(DISTINCT tag, '|'
  ORDER BY
    tag)::STRING AS tags
FROM interactions_internal.tag_events
WHERE
  tagged_at >= '1995-01-01 00:00:00+00:00'::TIMESTAMP
GROUP BY
  movie_id
