MODEL (
  name engagement.audience_groups,
  kind FULL,
  @contract(audience_groups)
);

/* How many users are in a group and how many are not, and what share of all users and of all actions they are. Both sides of a group are counted in one row, so that a side with nobody in it counts as too small to be shown. How many are still active stands beside it. */
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
    users.rating_count + users.tag_count AS action_count
  FROM engagement_internal.user_groups AS users
  CROSS JOIN UNNEST(['all_users', 'raters', 'taggers', 'sleepers']) AS user_group
), counted AS (
  SELECT
    user_group,
    COUNT(*) AS all_users,
    COUNTIF(is_member) AS members,
    SUM(action_count) AS all_actions,
    SUM(IF(is_member, action_count, 0)) AS member_actions
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
    LEAST(counted.members, counted.all_users - counted.members) AS smaller_side
  FROM counted
  CROSS JOIN UNNEST(['members', 'others']) AS membership
)
SELECT
  sides.user_group::STRING AS user_group,
  sides.membership::STRING AS membership,
  sides.user_count::INT64 AS user_count,
  (
    sides.user_count / sides.all_users
  )::FLOAT64 AS user_share,
  sides.action_count::INT64 AS action_count,
  (
    sides.action_count / sides.all_actions
  )::FLOAT64 AS action_share,
  newest_rating.rated_on::DATE AS as_of,
  activity.active_user_count::INT64 AS active_user_count,
  (
    activity.active_user_count / sides.user_count
  )::FLOAT64 AS active_user_share,
  DATE_SUB(DATE_TRUNC(newest_rating.rated_on, MONTH), INTERVAL (
    thresholds.active_months - 1
  ) MONTH)::DATE AS active_from
FROM sides
LEFT JOIN engagement_internal.group_activity AS activity
  ON activity.user_group = sides.user_group AND activity.membership = sides.membership
CROSS JOIN engagement_internal.newest_rating AS newest_rating
CROSS JOIN engagement_internal.thresholds AS thresholds
WHERE
  sides.user_count >= thresholds.smallest_group
  AND (
    sides.user_group = 'all_users' OR sides.smaller_side >= thresholds.smallest_group
  )
