MODEL (
  name interactions_internal.movies,
  kind FULL,
  description 'One row per movie, its title taken apart.',
  grain movie_id,
  @source_contract(movies)
);

/* A title ends in its year, "Heat (1995)", or in a range of years, "Note (2006-2007)", or in neither. One that is a year in brackets and no more keeps it; one that says the same year twice loses both. Genres are cleared of blanks, of empty ones and of "(no genres listed)" here, so that all that read them agree. Blanks of every script are trimmed by name: TRIM() alone means others on each engine. */
WITH trimmed AS (
  SELECT
    movieid AS movie_id,
    REGEXP_REPLACE(title, '^[\\p{Cc}\\p{Cf}\\p{Z}]+|[\\p{Cc}\\p{Cf}\\p{Z}]+$', '') AS title,
    NULLIF(
      REGEXP_REPLACE(
        REGEXP_REPLACE(
          REPLACE(genres, '(no genres listed)', ''),
          '(?:[\\p{Cc}\\p{Cf}\\p{Z}]*[|][\\p{Cc}\\p{Cf}\\p{Z}]*)+',
          '|'
        ),
        '^[|\\p{Cc}\\p{Cf}\\p{Z}]+|[|\\p{Cc}\\p{Cf}\\p{Z}]+$',
        ''
      ),
      ''
    ) AS genres
  FROM operational.movies
), titled AS (
  SELECT
    movie_id,
    title,
    REGEXP_REPLACE(
      title,
      '[\\p{Cc}\\p{Cf}\\p{Z}]*[(](?:1[89]|20)[0-9]{2}(?: ?[-–—] ?[0-9]{0,4})?[)]$',
      ''
    ) AS title_without_year,
    SAFE_CAST(REGEXP_EXTRACT(title, '[(]((?:1[89]|20)[0-9]{2})(?: ?[-–—] ?[0-9]{0,4})?[)]$') AS INT64) AS release_year,
    genres
  FROM trimmed
), named AS (
  SELECT
    *,
    CASE
      WHEN ENDS_WITH(title_without_year, '(' || release_year::STRING || ')')
      THEN REGEXP_REPLACE(
        title_without_year,
        '[\\p{Cc}\\p{Cf}\\p{Z}]*[(](?:1[89]|20)[0-9]{2}(?: ?[-–—] ?[0-9]{0,4})?[)]$',
        ''
      )
    END AS title_without_years
  FROM titled
)
SELECT
  movie_id::INT64 AS movie_id,
  COALESCE(NULLIF(title_without_years, ''), NULLIF(title_without_year, ''), title)::STRING AS title,
  release_year::INT64 AS release_year,
  CASE
    WHEN release_year BETWEEN 1920 AND 1999
    THEN CONCAT(CAST(MOD(DIV(release_year, 10) * 10, 100) AS STRING), 's')
    ELSE CONCAT(CAST(DIV(release_year, 10) * 10 AS STRING), 's')
  END::STRING AS release_decade,
  genres::STRING AS genres
FROM named
