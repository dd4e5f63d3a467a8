MODEL (
  name engagement_internal.age_months,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column reporting_month
  ),
  description 'How many users rated movies of an age in a month and how often, and how much of it hangs on single users.',
  grain (reporting_month, age_rank),
  partitioned_by DATE_TRUNC(reporting_month, MONTH)
);

/* One row per month and class of age with at least one rating. A movie is as old as the years between its release and the rating; one that is rated before its year is of this year. Days are numbers, of which there are few: to make a date and a month of each rating takes longer than the counting. The share of a class is as sure as it would stay were any one user left out, as in genre_months; a user counts with what each class has of their ratings, so what all users add is the sum over all classes. */
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
), actions AS (
  SELECT
    user_id,
    reporting_month,
    action_monthly_count AS rating_count
  FROM interactions.user_actions
  WHERE
    action_type = 'rate' AND reporting_month BETWEEN @start_date AND @end_date
), months AS (
  SELECT
    reporting_month,
    COUNT(*) AS user_count,
    SUM(rating_count) AS rating_count,
    SUM(rating_count) / SUM(rating_count * rating_count) * SUM(rating_count) AS even_user_count
  FROM actions
  GROUP BY
    reporting_month
), weighed AS (
  SELECT
    users.reporting_month,
    users.age_rank,
    users.rating_count,
    actions.rating_count AS own_count,
    months.user_count AS month_user_count,
    months.rating_count AS month_rating_count,
    months.even_user_count,
    SAFE_DIVIDE(1, months.rating_count - actions.rating_count) AS weight
  FROM users
  INNER JOIN actions
    ON actions.user_id = users.user_id
    AND actions.reporting_month = users.reporting_month
  INNER JOIN months
    ON months.reporting_month = users.reporting_month
), classes AS (
  SELECT
    reporting_month,
    age_rank,
    month_user_count,
    even_user_count,
    COUNT(*) AS user_count,
    SUM(rating_count) AS rating_count,
    SUM(rating_count) / month_rating_count AS rating_share,
    SUM(POW(rating_count * weight, 2)) AS own_squares,
    SUM(rating_count * own_count * weight * weight) AS products
  FROM weighed
  GROUP BY
    reporting_month,
    age_rank,
    month_user_count,
    month_rating_count,
    even_user_count
), squared AS (
  SELECT
    classes.*,
    SUM(products) OVER (PARTITION BY reporting_month) AS month_squares
  FROM classes
)
SELECT
  reporting_month::DATE AS reporting_month,
  age_rank::INT64 AS age_rank,
  user_count::INT64 AS user_count,
  rating_count::INT64 AS rating_count,
  even_user_count::FLOAT64 AS month_even_user_count,
  GREATEST(
    (
      month_user_count - 1
    ) / month_user_count * (
      own_squares - 2 * rating_share * products + rating_share * rating_share * month_squares
    ),
    0
  )::FLOAT64 AS rating_share_variance
FROM squared
