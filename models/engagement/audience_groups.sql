MODEL (
  name engagement.audience_groups,
  kind FULL,
  @contract(audience_groups)
);

/* How many users are in a group and how many are not, and what share of all users and of all actions they are; how many are still active stands beside it. A group is told of where it is made of whole segments of the audience, so that whatever follows from several groups is too. */
WITH parts AS (
  SELECT
    user_group,
    is_rater,
    is_tagger,
    segment,
    active_segment,
    CASE user_group
      WHEN 'raters'
      THEN is_rater
      WHEN 'taggers'
      THEN is_tagger
      WHEN 'sleepers'
      THEN NOT is_rater AND NOT is_tagger
      ELSE TRUE
    END AS is_member
  FROM engagement_internal.audience_parts
  CROSS JOIN UNNEST(['all_users', 'raters', 'taggers', 'sleepers']) AS user_group
), compared AS (
  SELECT
    user_group,
    is_rater,
    is_tagger,
    is_member,
    segment IS NULL
    OR LOGICAL_AND(is_member) OVER (PARTITION BY user_group, segment) = LOGICAL_OR(is_member) OVER (PARTITION BY user_group, segment) AS is_whole,
    active_segment IS NULL
    OR LOGICAL_AND(is_member) OVER (PARTITION BY user_group, active_segment) = LOGICAL_OR(is_member) OVER (PARTITION BY user_group, active_segment) AS is_whole_of_active
  FROM parts
), told AS (
  SELECT
    user_group,
    is_rater,
    is_tagger,
    IF(is_member, 'members', 'others') AS membership,
    LOGICAL_AND(is_whole) OVER (PARTITION BY user_group) AS tells_users,
    LOGICAL_AND(is_whole_of_active) OVER (PARTITION BY user_group) AS tells_active
  FROM compared
), counted AS (
  SELECT
    told.user_group,
    told.membership,
    told.tells_users,
    told.tells_active,
    COUNT(*) AS user_count,
    SUM(users.rating_count + users.tag_count) AS action_count,
    COUNTIF(users.is_active) AS active_user_count
  FROM told
  INNER JOIN engagement_internal.user_groups AS users
    ON users.is_rater = told.is_rater AND users.is_tagger = told.is_tagger
  GROUP BY
    told.user_group,
    told.membership,
    told.tells_users,
    told.tells_active
), shared AS (
  SELECT
    counted.user_group,
    counted.membership,
    counted.tells_users
    AND (
      counted.user_group = 'all_users'
      OR COUNT(*) OVER (PARTITION BY counted.user_group) = 2
    ) AS is_told,
    counted.user_count,
    counted.user_count / SUM(counted.user_count) OVER (PARTITION BY counted.user_group) AS user_share,
    counted.action_count,
    counted.action_count / SUM(counted.action_count) OVER (PARTITION BY counted.user_group) AS action_share,
    IF(
      counted.tells_active
      AND LEAST(counted.active_user_count, counted.user_count - counted.active_user_count) >= thresholds.smallest_group,
      counted.active_user_count,
      NULL
    ) AS active_user_count,
    thresholds.smallest_group,
    thresholds.active_months
  FROM counted
  CROSS JOIN engagement_internal.thresholds AS thresholds
)
SELECT
  shared.user_group::STRING AS user_group,
  shared.membership::STRING AS membership,
  shared.user_count::INT64 AS user_count,
  shared.user_share::FLOAT64 AS user_share,
  shared.action_count::INT64 AS action_count,
  shared.action_share::FLOAT64 AS action_share,
  newest_rating.rated_on::DATE AS as_of,
  shared.active_user_count::INT64 AS active_user_count,
  (
    shared.active_user_count / shared.user_count
  )::FLOAT64 AS active_user_share,
  DATE_SUB(DATE_TRUNC(newest_rating.rated_on, MONTH), INTERVAL (
    shared.active_months - 1
  ) MONTH)::DATE AS active_from
FROM shared
CROSS JOIN engagement_internal.newest_rating AS newest_rating
WHERE
  shared.is_told AND shared.user_count >= shared.smallest_group
