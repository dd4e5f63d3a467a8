MODEL (
  name engagement.audience_actions,
  kind FULL,
  @contract(audience_actions)
);

/* How often the audience rated and tagged, and how many users did. Shares are of what is told: a share of everything would tell of what too few users did. */
WITH totals AS (
  SELECT
    SUM(rating_count) AS rating_count,
    SUM(tag_count) AS tag_count,
    COUNTIF(rating_count > 0) AS rating_users,
    COUNTIF(tag_count > 0) AS tag_users
  FROM engagement_internal.user_groups
), actions AS (
  SELECT
    'rate' AS action_type,
    rating_count AS action_count,
    rating_users AS user_count
  FROM totals
  UNION ALL
  SELECT
    'tag' AS action_type,
    tag_count AS action_count,
    tag_users AS user_count
  FROM totals
)
SELECT
  actions.action_type::STRING AS action_type,
  actions.action_count::INT64 AS action_count,
  (
    actions.action_count / SUM(actions.action_count) OVER ()
  )::FLOAT64 AS action_share,
  actions.user_count::INT64 AS user_count,
  newest_rating.rated_on::DATE AS as_of
FROM actions
CROSS JOIN engagement_internal.newest_rating AS newest_rating
CROSS JOIN engagement_internal.thresholds AS thresholds
WHERE
  actions.user_count >= thresholds.smallest_group
