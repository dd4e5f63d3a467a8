MODEL (
  name interactions_internal.movie_genres,
  kind FULL,
  description 'One row per movie and genre; a movie without genres has none.',
  grain (movie_id, genre)
);

/* A genre that is listed twice for a movie counts once. Blanks of every script are trimmed by name: TRIM() alone means others on each engine. */
WITH listed AS (
  SELECT
    movies.movie_id,
    REGEXP_REPLACE(genre, '^[\\p{Cc}\\p{Cf}\\p{Z}]+|[\\p{Cc}\\p{Cf}\\p{Z}]+$', '') AS genre
  FROM interactions_internal.movies AS movies
  CROSS JOIN UNNEST(SPLIT(movies.genres, '|')) AS genre
)
SELECT DISTINCT
  movie_id::INT64 AS movie_id,
  genre::STRING AS genre
FROM listed
WHERE
  NOT genre IN ('', '(no genres listed)')
