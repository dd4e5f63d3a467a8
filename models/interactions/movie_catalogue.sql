MODEL (
  name interactions.movie_catalogue,
  kind VIEW,
  @contract(movie_catalogue)
);

/* Every movie that can be rented, whether anybody rated it or not: supply, where movies_engagement is demand. */
SELECT
  movie_id::INT64 AS movie_id,
  title::STRING AS title,
  release_year::INT64 AS release_year,
  release_decade::STRING AS release_decade,
  genres::STRING AS genres
FROM interactions_internal.movies
