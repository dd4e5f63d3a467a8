MODEL (
  name engagement_internal.group_activity,
  kind FULL,
  description 'How many users of a group did anything lately: in the month of the newest rating, or in the eleven before it.',
  grain (user_group, membership)
);

/* One row per group and side of it. A group is left out, with its other side, when fewer than five of a side are active, or not. */
WITH last_actions AS (
  SELECT
    user_id,
    MAX(reporting_month) AS last_month
  FROM interactions.user_actions
  GROUP BY
    user_id
), memberships AS (
  SELECT
    user_group,
    CASE user_group
      WHEN 'raters'
      THEN IF(user_groups.is_rater, 'members', 'others')
      WHEN 'taggers'
      THEN IF(user_groups.is_tagger, 'members', 'others')
      WHEN 'sleepers'
      THEN IF(user_groups.is_sleeper, 'members', 'others')
      ELSE 'members'
    END AS membership,
    DATE_DIFF(newest_rating.rated_on, last_actions.last_month, MONTH) < thresholds.active_months AS is_active
  FROM engagement_internal.user_groups AS user_groups
  INNER JOIN last_actions
    ON last_actions.user_id = user_groups.user_id
  CROSS JOIN engagement_internal.newest_rating AS newest_rating
  CROSS JOIN engagement_internal.thresholds AS thresholds
  CROSS JOIN UNNEST(['all_users', 'raters', 'taggers', 'sleepers']) AS user_group
), counted AS (
  SELECT
    user_group,
    membership,
    COUNTIF(is_active) AS active_user_count,
    COUNTIF(NOT is_active) AS passive_user_count
  FROM memberships
  GROUP BY
    user_group,
    membership
), compared AS (
  SELECT
    user_group,
    membership,
    active_user_count,
    MIN(LEAST(active_user_count, passive_user_count)) OVER (PARTITION BY user_group) AS smallest_part
  FROM counted
)
SELECT
  compared.user_group::STRING AS user_group,
  compared.membership::STRING AS membership,
  compared.active_user_count::INT64 AS active_user_count
FROM compared
CROSS JOIN engagement_internal.thresholds AS thresholds
WHERE
  compared.smallest_part >= thresholds.smallest_group
