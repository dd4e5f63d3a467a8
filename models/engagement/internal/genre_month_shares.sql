MODEL (
  name engagement_internal.genre_month_shares,
  kind FULL,
  description 'What of a genre in a month may be shown, and the limits of its shares where they are sure enough to be compared.',
  grain (genre, reporting_month)
);

/* One row per genre that anybody ever rated and month from the first action to the last rating. Limits are those of Wilson's interval of 95 %, with as many ratings as would be as sure if each were of a user of its own. */
WITH grid AS (
  SELECT
    months.reporting_month,
    genres.genre,
    months.rating_count AS month_rating_count,
    months.shows_users AND months.shows_ratings AS shows_ratings
  FROM engagement_internal.audience_months AS months
  INNER JOIN engagement_internal.newest_rating AS newest_rating
    ON newest_rating.rated_on >= months.reporting_month
  CROSS JOIN (
    SELECT DISTINCT
      genre
    FROM engagement_internal.genre_months
  ) AS genres
), filled AS (
  SELECT
    grid.reporting_month,
    grid.genre,
    grid.month_rating_count,
    grid.shows_ratings,
    COALESCE(rated.user_count, 0) AS user_count,
    COALESCE(rated.rating_count, 0) AS rating_count,
    COALESCE(rated.high_count, 0) AS high_count,
    SAFE_DIVIDE(COALESCE(rated.rating_count, 0), grid.month_rating_count) AS rating_share,
    SAFE_DIVIDE(rated.high_count, rated.rating_count) AS high_share,
    rated.rating_share_variance,
    rated.high_share_variance,
    rated.even_user_count,
    rated.month_even_user_count
  FROM grid
  LEFT JOIN engagement_internal.genre_months AS rated
    ON rated.genre = grid.genre AND rated.reporting_month = grid.reporting_month
), judged AS (
  SELECT
    filled.*,
    filled.shows_ratings
    AND NOT @withheld_of_shared(filled.user_count, thresholds.smallest_group, filled.reporting_month, filled.genre) AS is_shown,
    filled.user_count >= thresholds.change_from_users AS is_sure
  FROM filled
  CROSS JOIN engagement_internal.thresholds AS thresholds
), counted AS (
  SELECT
    judged.*,
    @effective_count(rating_share, rating_share_variance, month_rating_count, month_even_user_count) AS share_number,
    @effective_count(high_share, high_share_variance, rating_count, even_user_count) AS high_number,
    @t_limit(month_even_user_count - 1) AS share_errors,
    @t_limit(even_user_count - 1) AS high_errors
  FROM judged
)
SELECT
  reporting_month::DATE AS reporting_month,
  genre::STRING AS genre,
  is_shown::BOOL AS is_shown,
  user_count::INT64 AS user_count,
  rating_count::INT64 AS rating_count,
  high_count::INT64 AS high_count,
  month_rating_count::INT64 AS month_rating_count,
  rating_share::FLOAT64 AS rating_share,
  IF(is_shown AND is_sure, @wilson(rating_share, share_number, share_errors, 'low'), NULL)::FLOAT64 AS rating_share_low,
  IF(
    is_shown AND is_sure,
    @wilson(rating_share, share_number, share_errors, 'high'),
    NULL
  )::FLOAT64 AS rating_share_high,
  high_share::FLOAT64 AS high_rating_share,
  IF(is_shown AND is_sure, @wilson(high_share, high_number, high_errors, 'low'), NULL)::FLOAT64 AS high_rating_share_low,
  IF(is_shown AND is_sure, @wilson(high_share, high_number, high_errors, 'high'), NULL)::FLOAT64 AS high_rating_share_high
FROM counted
