MODEL (
  name interactions_internal.movie_genres,
  kind FULL,
  description 'One row per movie and genre; a movie without genres has none.',
  grain (movie_id, genre)
);

/* A genre that is listed twice for a movie counts once. */
SELECT DISTINCT
  movies.movie_id::INT64 AS movie_id,
  genre::STRING AS genre
FROM interactions_internal.movies AS movies
CROSS JOIN UNNEST(SPLIT(movies.genres, '|')) AS genre
