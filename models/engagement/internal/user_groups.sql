MODEL (
  name engagement_internal.user_groups,
  kind FULL,
  description 'Which groups of the audience a user belongs to, and whether they did anything lately: in the month of the newest rating, or in the eleven before it.',
  grain user_id,
  clustered_by user_id
);

/* One row per user who ever rated or tagged. */
WITH user_totals AS (
  SELECT
    user_id,
    SUM(IF(action_type = 'rate', action_monthly_count, 0)) AS rating_count,
    SUM(IF(action_type = 'tag', action_monthly_count, 0)) AS tag_count,
    MAX(reporting_month) AS last_month
  FROM interactions.user_actions
  GROUP BY
    user_id
), user_groups AS (
  SELECT
    user_totals.user_id,
    user_totals.rating_count,
    user_totals.tag_count,
    user_totals.rating_count > thresholds.rater_above_ratings AS is_rater,
    user_totals.tag_count > thresholds.tagger_above_tags AS is_tagger,
    DATE_DIFF(newest_rating.rated_on, user_totals.last_month, MONTH) < thresholds.active_months AS is_active
  FROM user_totals
  CROSS JOIN engagement_internal.newest_rating AS newest_rating
  CROSS JOIN engagement_internal.thresholds AS thresholds
)
SELECT
  user_id::INT64 AS user_id,
  rating_count::INT64 AS rating_count,
  tag_count::INT64 AS tag_count,
  is_rater::BOOL AS is_rater,
  is_tagger::BOOL AS is_tagger,
  (
    NOT is_rater AND NOT is_tagger
  )::BOOL AS is_sleeper,
  is_active::BOOL AS is_active
FROM user_groups
