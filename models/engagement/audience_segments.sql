MODEL (
  name engagement.audience_segments,
  kind FULL,
  @contract(audience_segments)
);

/* How the groups overlap: each user is in exactly one segment. Taggers who rate much and taggers who do not are one segment when either is too small to be shown, or has nobody in it: so segments are counted from their list, not from the users there are. */
WITH users AS (
  SELECT
    CASE
      WHEN is_rater AND is_tagger
      THEN 'raters_and_taggers'
      WHEN is_rater
      THEN 'raters_only'
      WHEN is_tagger
      THEN 'taggers_only'
      ELSE 'sleepers'
    END AS user_segment,
    rating_count,
    tag_count
  FROM engagement_internal.user_groups
), counted AS (
  SELECT
    segment,
    segment IN ('raters_and_taggers', 'taggers_only') AS is_tagger,
    COUNT(users.user_segment) AS user_count,
    COALESCE(SUM(users.rating_count), 0) AS rating_count,
    COALESCE(SUM(users.tag_count), 0) AS tag_count
  FROM UNNEST(['raters_only', 'raters_and_taggers', 'taggers_only', 'sleepers']) AS segment
  LEFT JOIN users
    ON users.user_segment = segment
  GROUP BY
    segment,
    is_tagger
), compared AS (
  SELECT
    segment,
    is_tagger,
    user_count,
    rating_count,
    tag_count,
    MIN(user_count) OVER (PARTITION BY is_tagger) AS smaller_part,
    SUM(user_count) OVER () AS all_users,
    SUM(rating_count + tag_count) OVER () AS all_actions
  FROM counted
), folded AS (
  SELECT
    IF(
      compared.is_tagger AND compared.smaller_part < thresholds.smallest_group,
      'all_taggers',
      compared.segment
    ) AS segment,
    SUM(compared.user_count) AS user_count,
    SUM(compared.rating_count) AS rating_count,
    SUM(compared.tag_count) AS tag_count,
    MAX(compared.all_users) AS all_users,
    MAX(compared.all_actions) AS all_actions
  FROM compared
  CROSS JOIN engagement_internal.thresholds AS thresholds
  GROUP BY
    1
)
SELECT
  folded.segment::STRING AS segment,
  folded.user_count::INT64 AS user_count,
  SAFE_DIVIDE(folded.user_count, folded.all_users)::FLOAT64 AS user_share,
  folded.rating_count::INT64 AS rating_count,
  folded.tag_count::INT64 AS tag_count,
  SAFE_DIVIDE(folded.rating_count + folded.tag_count, folded.all_actions)::FLOAT64 AS action_share,
  newest_rating.rated_on::DATE AS as_of
FROM folded
CROSS JOIN engagement_internal.newest_rating AS newest_rating
CROSS JOIN engagement_internal.thresholds AS thresholds
WHERE
  folded.user_count >= thresholds.smallest_group
