MODEL (
  name engagement_internal.age_months,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column reporting_month
  ),
  description 'How many users rated movies of an age in a month, and how often.',
  grain (reporting_month, age_rank),
  partitioned_by DATE_TRUNC(reporting_month, MONTH)
);

/* One row per month and class of age with at least one rating. A movie is as old as the years between its release and the rating; one that is rated before its year is of this year. Days are numbers, of which there are few: to make a date and a month of each rating takes longer than the counting. */
WITH ratings AS (
  SELECT
    user_id,
    movie_id,
    DIV(UNIX_MICROS(rated_at), 86400000000) AS day
  FROM interactions.user_movie_ratings
  WHERE
    rated_at BETWEEN @start_ts AND @end_ts
), days AS (
  SELECT
    day,
    DATE_TRUNC(DATE_FROM_UNIX_DATE(day), MONTH) AS reporting_month,
    EXTRACT(YEAR FROM DATE_FROM_UNIX_DATE(day)) AS reporting_year
  FROM ratings
  GROUP BY
    day
), ages AS (
  SELECT
    ratings.user_id,
    days.reporting_month,
    days.reporting_year - movies.release_year AS age
  FROM ratings
  INNER JOIN days
    ON days.day = ratings.day
  LEFT JOIN interactions.movie_catalogue AS movies
    ON movies.movie_id = ratings.movie_id
), users AS (
  SELECT
    user_id,
    reporting_month,
    CASE
      WHEN age IS NULL
      THEN 7
      WHEN age <= 0
      THEN 1
      WHEN age = 1
      THEN 2
      WHEN age <= 4
      THEN 3
      WHEN age <= 9
      THEN 4
      WHEN age <= 19
      THEN 5
      ELSE 6
    END AS age_rank,
    COUNT(*) AS rating_count
  FROM ages
  GROUP BY
    user_id,
    reporting_month,
    age_rank
)
SELECT
  reporting_month::DATE AS reporting_month,
  age_rank::INT64 AS age_rank,
  COUNT(*)::INT64 AS user_count,
  SUM(rating_count)::INT64 AS rating_count
FROM users
GROUP BY
  reporting_month,
  age_rank
