MODEL (
  name engagement.movie_years,
  kind FULL,
  @contract(movie_years)
);

/* How much attention a movie got, year by year, from its first to the last that is over. A year of fewer than five ratings tells none; and when all that is not told, with the year under way, is fewer than five, the smallest year that is told goes with it, since the movie's sum is in movie_lifecycles. Years, since few movies have five ratings in most of their months. */
WITH calendar AS (
  SELECT
    DATE_SUB(DATE_TRUNC(DATE_ADD(rated_on, INTERVAL '1' DAY), YEAR), INTERVAL '1' YEAR) AS last_year,
    DATE_SUB(DATE_TRUNC(DATE_ADD(rated_on, INTERVAL '1' DAY), MONTH), INTERVAL '1' MONTH) AS last_month
  FROM engagement_internal.newest_rating
), movies AS (
  SELECT
    engagement.movie_id,
    DATE_TRUNC(MIN(engagement.reporting_month), YEAR) AS first_year,
    SUM(engagement.rating_count) AS rating_count
  FROM interactions.movies_engagement AS engagement
  CROSS JOIN calendar
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    engagement.reporting_month <= calendar.last_month
  GROUP BY
    engagement.movie_id,
    thresholds.life_from_ratings
  HAVING
    SUM(engagement.rating_count) >= thresholds.life_from_ratings
), counted AS (
  SELECT
    movie_id,
    DATE_TRUNC(reporting_month, YEAR) AS reporting_year,
    SUM(rating_count) AS rating_count
  FROM interactions.movies_engagement
  GROUP BY
    movie_id,
    reporting_year
), years AS (
  SELECT
    movies.movie_id,
    movies.rating_count AS movie_ratings,
    year AS reporting_year,
    COALESCE(counted.rating_count, 0) AS rating_count
  FROM movies
  CROSS JOIN calendar
  CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(movies.first_year, calendar.last_year, INTERVAL '1' YEAR)) AS year
  LEFT JOIN counted
    ON counted.movie_id = movies.movie_id AND counted.reporting_year = year
), judged AS (
  SELECT
    years.movie_id,
    years.movie_ratings,
    years.reporting_year,
    years.rating_count,
    years.rating_count >= thresholds.smallest_group AS is_enough,
    ROW_NUMBER() OVER (
      PARTITION BY years.movie_id, years.rating_count >= thresholds.smallest_group
      ORDER BY years.rating_count, years.reporting_year
    ) AS place
  FROM years
  CROSS JOIN engagement_internal.thresholds AS thresholds
), rests AS (
  SELECT
    movie_id,
    movie_ratings - SUM(IF(is_enough, rating_count, 0)) AS rating_count
  FROM judged
  GROUP BY
    movie_id,
    movie_ratings
)
SELECT
  judged.movie_id::INT64 AS movie_id,
  judged.reporting_year::DATE AS reporting_year,
  IF(
    judged.rating_count = 0
    OR (
      judged.is_enough
      AND (
        judged.place > 1
        OR rests.rating_count = 0
        OR rests.rating_count >= thresholds.smallest_group
      )
    ),
    judged.rating_count,
    NULL
  )::INT64 AS rating_count,
  newest_rating.rated_on::DATE AS as_of
FROM judged
INNER JOIN rests
  ON rests.movie_id = judged.movie_id
CROSS JOIN engagement_internal.thresholds AS thresholds
CROSS JOIN engagement_internal.newest_rating AS newest_rating
