MODEL (
  name engagement.movie_years,
  kind FULL,
  @contract(movie_years)
);

/* How much attention a movie got, year by year, from its first to the last that is over. Rounded down to the smallest group: a user rates a movie once, and movie_lifecycles tells the ratings of the movie, of its first years and of its peak, so that exact years would leave single users behind. Years, since few movies have five ratings in most of their months. */
WITH calendar AS (
  SELECT
    DATE_SUB(DATE_TRUNC(DATE_ADD(rated_on, INTERVAL '1' DAY), YEAR), INTERVAL '1' YEAR) AS last_year,
    DATE_SUB(DATE_TRUNC(DATE_ADD(rated_on, INTERVAL '1' DAY), MONTH), INTERVAL '1' MONTH) AS last_month
  FROM engagement_internal.newest_rating
), movies AS (
  SELECT
    engagement.movie_id,
    DATE_TRUNC(MIN(engagement.reporting_month), YEAR) AS first_year
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
    DATE_TRUNC(reporting_month, YEAR) AS counted_year,
    SUM(rating_count) AS rating_count
  FROM interactions.movies_engagement
  GROUP BY
    movie_id,
    counted_year
)
SELECT
  movies.movie_id::INT64 AS movie_id,
  reporting_year::DATE AS reporting_year,
  (
    DIV(COALESCE(counted.rating_count, 0), thresholds.smallest_group) * thresholds.smallest_group
  )::INT64 AS rating_count,
  newest_rating.rated_on::DATE AS as_of
FROM movies
CROSS JOIN calendar
CROSS JOIN engagement_internal.thresholds AS thresholds
CROSS JOIN engagement_internal.newest_rating AS newest_rating
CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(movies.first_year, calendar.last_year, INTERVAL '1' YEAR)) AS reporting_year
LEFT JOIN counted
  ON counted.movie_id = movies.movie_id AND counted.counted_year = reporting_year
