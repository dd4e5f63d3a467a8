MODEL (
  name engagement.audience_groups,
  kind FULL,
  @contract(audience_groups)
);

/* How many users are in a group and how many are not, and what share of all users and of all actions they are. Both sides of a group are counted in one row, so that a side with nobody in it counts as too small to be shown. How many are still active stands beside it, unless a part would be too small. */
WITH memberships AS (
  SELECT
    user_group,
    CASE user_group
      WHEN 'raters'
      THEN users.is_rater
      WHEN 'taggers'
      THEN users.is_tagger
      WHEN 'sleepers'
      THEN users.is_sleeper
      ELSE TRUE
    END AS is_member,
    users.rating_count + users.tag_count AS action_count,
    users.is_active
  FROM engagement_internal.user_groups AS users
  CROSS JOIN UNNEST(['all_users', 'raters', 'taggers', 'sleepers']) AS user_group
), counted AS (
  SELECT
    user_group,
    COUNT(*) AS all_users,
    COUNTIF(is_member) AS members,
    SUM(action_count) AS all_actions,
    SUM(IF(is_member, action_count, 0)) AS member_actions,
    COUNTIF(is_active) AS all_active,
    COUNTIF(is_active AND is_member) AS active_members
  FROM memberships
  GROUP BY
    user_group
), sides AS (
  SELECT
    counted.user_group,
    membership,
    counted.all_users,
    counted.all_actions,
    IF(membership = 'members', counted.members, counted.all_users - counted.members) AS user_count,
    IF(
      membership = 'members',
      counted.member_actions,
      counted.all_actions - counted.member_actions
    ) AS action_count,
    IF(
      membership = 'members',
      counted.active_members,
      counted.all_active - counted.active_members
    ) AS active_user_count,
    LEAST(counted.members, counted.all_users - counted.members) AS smaller_side
  FROM counted
  CROSS JOIN UNNEST(['members', 'others']) AS membership
), compared AS (
  SELECT
    sides.user_group,
    sides.membership,
    sides.all_users,
    sides.all_actions,
    sides.user_count,
    sides.action_count,
    sides.active_user_count,
    sides.smaller_side,
    MIN(
      IF(
        sides.user_count > 0,
        LEAST(sides.active_user_count, sides.user_count - sides.active_user_count),
        NULL
      )
    ) OVER (PARTITION BY sides.user_group) AS smallest_part
  FROM sides
), shown AS (
  SELECT
    compared.user_group,
    compared.membership,
    compared.all_users,
    compared.all_actions,
    compared.user_count,
    compared.action_count,
    IF(
      compared.smallest_part >= thresholds.smallest_group,
      compared.active_user_count,
      NULL
    ) AS active_user_count
  FROM compared
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    compared.user_count >= thresholds.smallest_group
    AND (
      compared.user_group = 'all_users'
      OR compared.smaller_side >= thresholds.smallest_group
    )
)
SELECT
  shown.user_group::STRING AS user_group,
  shown.membership::STRING AS membership,
  shown.user_count::INT64 AS user_count,
  (
    shown.user_count / shown.all_users
  )::FLOAT64 AS user_share,
  shown.action_count::INT64 AS action_count,
  (
    shown.action_count / shown.all_actions
  )::FLOAT64 AS action_share,
  newest_rating.rated_on::DATE AS as_of,
  shown.active_user_count::INT64 AS active_user_count,
  (
    shown.active_user_count / shown.user_count
  )::FLOAT64 AS active_user_share,
  windows.window_start::DATE AS active_from
FROM shown
CROSS JOIN engagement_internal.newest_rating AS newest_rating
CROSS JOIN engagement_internal.windows AS windows
WHERE
  windows.period = 'last_12_months'
