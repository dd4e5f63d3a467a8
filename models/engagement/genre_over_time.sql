MODEL (
  name engagement.genre_over_time,
  kind FULL,
  @contract(genre_over_time)
);

/* How much attention a genre gets in a month and how well it is liked, and whether that changed against the same month a year before. Moving values are of the months that are shown alone, since those that are not could be found in them otherwise. */
WITH moving AS (
  SELECT
    reporting_month,
    genre,
    COUNTIF(is_shown) OVER last_year AS month_count,
    SUM(IF(is_shown, rating_count, 0)) OVER last_year AS rating_count,
    SUM(IF(is_shown, high_count, 0)) OVER last_year AS high_count,
    SUM(IF(is_shown, month_rating_count, 0)) OVER last_year AS all_rating_count
  FROM engagement_internal.genre_month_shares
  WINDOW last_year AS (
    PARTITION BY genre
    ORDER BY reporting_month
    ROWS BETWEEN 11 PRECEDING AND CURRENT ROW
  )
), changes AS (
  SELECT
    own.reporting_month,
    own.genre,
    own.is_shown,
    own.user_count,
    own.rating_count,
    own.rating_share,
    own.high_rating_share,
    own.high_rating_share_low,
    own.high_rating_share_high,
    own.rating_share - before.rating_share AS rating_share_change,
    @change_limit(own, rating_share, before, 'low') AS rating_share_change_low,
    @change_limit(own, rating_share, before, 'high') AS rating_share_change_high,
    own.high_rating_share - before.high_rating_share AS high_rating_share_change,
    @change_limit(own, high_rating_share, before, 'low') AS high_rating_share_change_low,
    @change_limit(own, high_rating_share, before, 'high') AS high_rating_share_change_high
  FROM engagement_internal.genre_month_shares AS own
  LEFT JOIN engagement_internal.genre_month_shares AS before
    ON before.genre = own.genre
    AND before.reporting_month = DATE_SUB(own.reporting_month, INTERVAL '12' MONTH)
)
SELECT
  changes.reporting_month::DATE AS reporting_month,
  changes.genre::STRING AS genre,
  CASE
    WHEN NOT changes.is_shown
    THEN 'withheld'
    WHEN changes.user_count = 0
    THEN 'nobody'
    ELSE 'shown'
  END::STRING AS state,
  IF(changes.is_shown, changes.user_count, NULL)::INT64 AS user_count,
  IF(changes.is_shown, changes.rating_count, NULL)::INT64 AS rating_count,
  IF(changes.is_shown, changes.rating_share, NULL)::FLOAT64 AS rating_share,
  IF(changes.is_shown, changes.high_rating_share, NULL)::FLOAT64 AS high_rating_share,
  changes.high_rating_share_low::FLOAT64 AS high_rating_share_low,
  changes.high_rating_share_high::FLOAT64 AS high_rating_share_high,
  moving.month_count::INT64 AS moving_month_count,
  moving.rating_count::INT64 AS moving_rating_count,
  SAFE_DIVIDE(moving.rating_count, moving.all_rating_count)::FLOAT64 AS moving_rating_share,
  SAFE_DIVIDE(moving.high_count, moving.rating_count)::FLOAT64 AS moving_high_rating_share,
  IF(changes.rating_share_change_low IS NULL, NULL, changes.rating_share_change)::FLOAT64 AS rating_share_change,
  changes.rating_share_change_low::FLOAT64 AS rating_share_change_low,
  changes.rating_share_change_high::FLOAT64 AS rating_share_change_high,
  @change_of(
    changes.rating_share_change,
    changes.rating_share_change_low,
    changes.rating_share_change_high,
    thresholds.change_from_margins
  )::STRING AS rating_share_trend,
  IF(changes.high_rating_share_change_low IS NULL, NULL, changes.high_rating_share_change)::FLOAT64 AS high_rating_share_change,
  changes.high_rating_share_change_low::FLOAT64 AS high_rating_share_change_low,
  changes.high_rating_share_change_high::FLOAT64 AS high_rating_share_change_high,
  @change_of(
    changes.high_rating_share_change,
    changes.high_rating_share_change_low,
    changes.high_rating_share_change_high,
    thresholds.change_from_margins
  )::STRING AS high_rating_share_trend,
  (
    DATE_DIFF(DATE_ADD(newest_rating.rated_on, INTERVAL '1' DAY), changes.reporting_month, MONTH) - 1
  )::INT64 AS months_ago,
  newest_rating.rated_on::DATE AS as_of
FROM changes
INNER JOIN moving
  ON moving.genre = changes.genre AND moving.reporting_month = changes.reporting_month
CROSS JOIN engagement_internal.newest_rating AS newest_rating
CROSS JOIN engagement_internal.thresholds AS thresholds
