MODEL (
  name interactions_internal.movies,
  kind FULL,
  description 'One row per movie, its title taken apart.',
  grain movie_id,
  depends_on (interactions_internal.delivered_movies)
);

/* A title ends in its year, "Heat (1995)", or in a range of years, "Note (2006-2007)", or in neither. */
WITH titled AS (
  SELECT
    movieid AS movie_id,
    TRIM(title) AS full_title,
    TRIM(
      REGEXP_REPLACE(TRIM(title), r'\s*\((?:1[89]|20)\d\d(?:\s*[-–—]\s*(?:\d{2,4})?)?\)$', '')
    ) AS title_without_year,
    SAFE_CAST(
      REGEXP_EXTRACT(TRIM(title), r'\(((?:1[89]|20)\d\d)(?:\s*[-–—]\s*(?:\d{2,4})?)?\)$') AS INT64
    ) AS release_year,
    NULLIF(genres, '(no genres listed)') AS genres
  FROM operational.movies
)
SELECT
  movie_id::INT64 AS movie_id,
  COALESCE(NULLIF(title_without_year, ''), full_title)::STRING AS title,
  release_year::INT64 AS release_year,
  CASE
    WHEN release_year >= 2000 OR release_year < 1900
    THEN CONCAT(CAST(DIV(release_year, 10) * 10 AS STRING), 's')
    ELSE CONCAT(CAST(MOD(DIV(release_year, 10) * 10, 100) AS STRING), 's')
  END::STRING AS release_decade,
  NULLIF(genres, '')::STRING AS genres
FROM titled
