MODEL (
  name engagement.audience_over_time,
  kind FULL,
  @contract(audience_over_time)
);

/* How the audience moves: who was active in a month, what they did, and how they rated. A month of few users says no more than that they were few. The ratings of one user are not independent of each other, so a share is as sure as it would stay were any one user left out, as in genre_months. */
WITH ratings AS (
  SELECT
    reporting_month,
    COUNT(*) AS user_count,
    SUM(rating_count) AS rating_count,
    SUM(rating_count) / SUM(rating_count * rating_count) * SUM(rating_count) AS even_user_count,
    @median_of_many_histograms(user_months) AS rating_median,
    SUM(@high_ratings_of(user_months)) / SUM(rating_count) AS high_rating_share
  FROM engagement_internal.user_months
  WHERE
    rating_count > 0
  GROUP BY
    reporting_month
), deviations AS (
  SELECT
    ratings.reporting_month,
    SUM(
      POW(
        SAFE_DIVIDE(
          @high_ratings_of(user_months) - user_months.rating_count * ratings.high_rating_share,
          ratings.rating_count - user_months.rating_count
        ),
        2
      )
    ) AS high_squares
  FROM ratings
  INNER JOIN engagement_internal.user_months AS user_months
    ON user_months.reporting_month = ratings.reporting_month
  GROUP BY
    ratings.reporting_month
), rated AS (
  SELECT
    ratings.reporting_month,
    ratings.rating_median,
    ratings.high_rating_share,
    @effective_count(
      ratings.high_rating_share,
      (
        ratings.user_count - 1
      ) / ratings.user_count * deviations.high_squares,
      ratings.rating_count,
      ratings.even_user_count
    ) AS high_number,
    @t_limit(ratings.even_user_count - 1) AS high_errors
  FROM ratings
  INNER JOIN deviations
    ON deviations.reporting_month = ratings.reporting_month
), months AS (
  SELECT
    audience.reporting_month,
    audience.active_user_count,
    audience.new_user_count,
    audience.rating_count,
    audience.tag_count,
    audience.is_whole,
    audience.shows_users,
    audience.shows_users AND audience.shows_new_users AS shows_new_users,
    audience.shows_users AND audience.shows_ratings AS shows_ratings,
    audience.shows_users AND audience.shows_tags AS shows_tags,
    rated.rating_median,
    rated.high_rating_share,
    rated.high_number,
    rated.high_errors
  FROM engagement_internal.audience_months AS audience
  LEFT JOIN rated
    ON rated.reporting_month = audience.reporting_month
)
SELECT
  months.reporting_month::DATE AS reporting_month,
  CASE
    WHEN months.active_user_count = 0
    THEN 'nobody'
    WHEN months.shows_users
    THEN 'shown'
    ELSE 'withheld'
  END::STRING AS state,
  IF(months.shows_users, months.active_user_count, NULL)::INT64 AS active_user_count,
  IF(months.shows_new_users, months.new_user_count, NULL)::INT64 AS new_user_count,
  IF(months.shows_new_users, months.active_user_count - months.new_user_count, NULL)::INT64 AS returning_user_count,
  IF(months.shows_ratings, months.rating_count, NULL)::INT64 AS rating_count,
  IF(months.shows_tags, months.tag_count, NULL)::INT64 AS tag_count,
  IF(months.shows_ratings, months.rating_median, NULL)::FLOAT64 AS rating_median,
  IF(months.shows_ratings, months.high_rating_share, NULL)::FLOAT64 AS high_rating_share,
  IF(
    months.shows_ratings,
    @wilson(months.high_rating_share, months.high_number, months.high_errors, 'low'),
    NULL
  )::FLOAT64 AS high_rating_share_low,
  IF(
    months.shows_ratings,
    @wilson(months.high_rating_share, months.high_number, months.high_errors, 'high'),
    NULL
  )::FLOAT64 AS high_rating_share_high,
  months.is_whole::BOOL AS is_whole,
  newest_rating.rated_on::DATE AS as_of
FROM months
CROSS JOIN engagement_internal.newest_rating AS newest_rating
