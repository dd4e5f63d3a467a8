MODEL (
  name engagement_internal.genre_months,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column reporting_month
  ),
  description 'How a genre was rated in a month, and how much of it hangs on single users.',
  grain (genre, reporting_month),
  partitioned_by DATE_TRUNC(reporting_month, MONTH)
);

/* One row per genre and month with at least one rating of it. The ratings of one user are not independent of each other, so a share is as sure as it would stay were any one user left out (the jackknife): its variance is summed over users. For that each user weighs 1 / (all ratings - own ratings); where one user is all there is, there is no variance. Users without a rating of the genre count in its share of all ratings too: what they add is the sum over all users less that over its own, which is why that variance is made of three sums. */
WITH actions AS (
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
    SUM(rating_count * rating_count) AS squares
  FROM actions
  GROUP BY
    reporting_month
), users AS (
  SELECT
    actions.user_id,
    actions.reporting_month,
    actions.rating_count,
    SAFE_DIVIDE(1, months.rating_count - actions.rating_count) AS weight
  FROM actions
  INNER JOIN months
    ON months.reporting_month = actions.reporting_month
), user_squares AS (
  SELECT
    reporting_month,
    SUM(rating_count * weight * rating_count * weight) AS squares
  FROM users
  GROUP BY
    reporting_month
), genre_ratings AS (
  SELECT
    user_id,
    genre,
    reporting_month,
    rating_monthly_count AS rating_count,
    rating_monthly_high_count AS high_count
  FROM interactions.user_genre_ratings
  WHERE
    reporting_month BETWEEN @start_date AND @end_date
), genres AS (
  SELECT
    genre,
    reporting_month,
    COUNT(*) AS user_count,
    SUM(rating_count) AS rating_count,
    SUM(high_count) AS high_count,
    SUM(rating_count * rating_count) AS squares
  FROM genre_ratings
  GROUP BY
    genre,
    reporting_month
), deviations AS (
  SELECT
    ratings.genre,
    ratings.reporting_month,
    SUM(POW(ratings.rating_count * users.weight, 2)) AS own_squares,
    SUM(ratings.rating_count * users.rating_count * users.weight * users.weight) AS products,
    SUM(
      POW(
        SAFE_DIVIDE(
          ratings.high_count - ratings.rating_count * genres.high_count / genres.rating_count,
          genres.rating_count - ratings.rating_count
        ),
        2
      )
    ) AS high_squares
  FROM genre_ratings AS ratings
  INNER JOIN users
    ON users.user_id = ratings.user_id
    AND users.reporting_month = ratings.reporting_month
  INNER JOIN genres
    ON genres.genre = ratings.genre AND genres.reporting_month = ratings.reporting_month
  GROUP BY
    ratings.genre,
    ratings.reporting_month
), shares AS (
  SELECT
    genres.genre,
    genres.reporting_month,
    genres.user_count,
    genres.rating_count,
    genres.high_count,
    genres.rating_count / months.rating_count AS rating_share,
    months.user_count AS month_user_count,
    months.rating_count AS month_rating_count,
    genres.rating_count / genres.squares * genres.rating_count AS even_user_count,
    months.rating_count / months.squares * months.rating_count AS month_even_user_count,
    deviations.own_squares,
    deviations.products,
    user_squares.squares AS month_squares,
    deviations.high_squares
  FROM genres
  INNER JOIN deviations
    ON deviations.genre = genres.genre
    AND deviations.reporting_month = genres.reporting_month
  INNER JOIN months
    ON months.reporting_month = genres.reporting_month
  INNER JOIN user_squares
    ON user_squares.reporting_month = genres.reporting_month
)
SELECT
  genre::STRING AS genre,
  reporting_month::DATE AS reporting_month,
  user_count::INT64 AS user_count,
  rating_count::INT64 AS rating_count,
  high_count::INT64 AS high_count,
  even_user_count::FLOAT64 AS even_user_count,
  (
    (
      user_count - 1
    ) / user_count * high_squares
  )::FLOAT64 AS high_share_variance,
  month_rating_count::INT64 AS month_rating_count,
  month_even_user_count::FLOAT64 AS month_even_user_count,
  GREATEST(
    (
      month_user_count - 1
    ) / month_user_count * (
      own_squares - 2 * rating_share * products + rating_share * rating_share * month_squares
    ),
    0
  )::FLOAT64 AS rating_share_variance
FROM shares
