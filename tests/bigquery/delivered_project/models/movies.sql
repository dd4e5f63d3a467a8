MODEL (name interactions_internal.movies, kind FULL);

SELECT movieId::INT64 AS movie_id, title::STRING AS title
FROM operational.movies
