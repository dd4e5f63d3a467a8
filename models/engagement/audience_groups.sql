MODEL (
  name engagement.audience_groups,
  kind FULL,
  @contract(audience_groups)
);

/* How many users are in a group and how many are not, and what share of all users and of all actions they are. */
WITH memberships AS (
  SELECT
    'all_users' AS user_group,
    TRUE AS is_member,
    rating_count + tag_count AS action_count
  FROM engagement_internal.user_groups
  UNION ALL
  SELECT
    'raters' AS user_group,
    is_rater AS is_member,
    rating_count + tag_count AS action_count
  FROM engagement_internal.user_groups
  UNION ALL
  SELECT
    'taggers' AS user_group,
    is_tagger AS is_member,
    rating_count + tag_count AS action_count
  FROM engagement_internal.user_groups
  UNION ALL
  SELECT
    'sleepers' AS user_group,
    is_sleeper AS is_member,
    rating_count + tag_count AS action_count
  FROM engagement_internal.user_groups
), counted AS (
  SELECT
    user_group,
    is_member,
    COUNT(*) AS user_count,
    SUM(action_count) AS action_count
  FROM memberships
  GROUP BY
    user_group,
    is_member
), compared AS (
  SELECT
    user_group,
    is_member,
    user_count,
    action_count,
    SUM(user_count) OVER (PARTITION BY user_group) AS all_users,
    SUM(action_count) OVER (PARTITION BY user_group) AS all_actions,
    MIN(user_count) OVER (PARTITION BY user_group) AS smaller_side
  FROM counted
)
SELECT
  compared.user_group::STRING AS user_group,
  IF(compared.is_member, 'members', 'others')::STRING AS membership,
  compared.user_count::INT64 AS user_count,
  (
    compared.user_count / compared.all_users
  )::FLOAT64 AS user_share,
  compared.action_count::INT64 AS action_count,
  (
    compared.action_count / compared.all_actions
  )::FLOAT64 AS action_share,
  newest_rating.rated_on::DATE AS as_of
FROM compared
CROSS JOIN engagement_internal.newest_rating AS newest_rating
CROSS JOIN engagement_internal.thresholds AS thresholds
WHERE
  compared.smaller_side >= thresholds.smallest_group
