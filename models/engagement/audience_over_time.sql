MODEL (
  name engagement.audience_over_time,
  kind FULL,
  @contract(audience_over_time)
);

/* How the audience moves: who was active in a month, what they did, and how they rated. A month of few users says no more than that they were few. */
WITH ratings AS (
  SELECT
    reporting_month,
    @median_of_many_histograms(user_months) AS rating_median,
    SUM(@high_ratings_of(user_months)) / SUM(rating_count) AS high_rating_share
  FROM engagement_internal.user_months
  GROUP BY
    reporting_month
  HAVING
    SUM(rating_count) > 0
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
    ratings.rating_median,
    ratings.high_rating_share
  FROM engagement_internal.audience_months AS audience
  LEFT JOIN ratings
    ON ratings.reporting_month = audience.reporting_month
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
  months.is_whole::BOOL AS is_whole,
  newest_rating.rated_on::DATE AS as_of
FROM months
CROSS JOIN engagement_internal.newest_rating AS newest_rating
