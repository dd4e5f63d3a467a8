MODEL (
  name engagement.audience_segments,
  kind FULL,
  @contract(audience_segments)
);

/* How the groups overlap: each user is in exactly one segment. Taggers who rate much and taggers who do not are one segment when either is too small to be shown, or has nobody in it. */
WITH counted AS (
  SELECT
    parts.segment,
    COUNT(*) AS user_count,
    SUM(users.rating_count) AS rating_count,
    SUM(users.tag_count) AS tag_count
  FROM engagement_internal.user_groups AS users
  INNER JOIN engagement_internal.audience_parts AS parts
    ON parts.is_rater = users.is_rater AND parts.is_tagger = users.is_tagger
  GROUP BY
    parts.segment
), compared AS (
  SELECT
    segment,
    user_count,
    rating_count,
    tag_count,
    SUM(user_count) OVER () AS all_users,
    SUM(rating_count + tag_count) OVER () AS all_actions
  FROM counted
)
SELECT
  compared.segment::STRING AS segment,
  compared.user_count::INT64 AS user_count,
  (
    compared.user_count / compared.all_users
  )::FLOAT64 AS user_share,
  compared.rating_count::INT64 AS rating_count,
  compared.tag_count::INT64 AS tag_count,
  (
    (
      compared.rating_count + compared.tag_count
    ) / compared.all_actions
  )::FLOAT64 AS action_share,
  newest_rating.rated_on::DATE AS as_of
FROM compared
CROSS JOIN engagement_internal.newest_rating AS newest_rating
WHERE
  NOT compared.segment IN ('raters_or_taggers', 'everyone')
