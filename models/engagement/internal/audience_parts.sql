MODEL (
  name engagement_internal.audience_parts,
  kind FULL,
  description 'How finely the audience can be told apart so that no reader finds fewer than five users, also by subtracting numbers from each other.',
  grain (is_rater, is_tagger)
);

/* One row for each of the four parts of the audience: raters or not, taggers or not. Its segment is the finest of which all can be told: each has enough users or nobody, and both kinds of taggers have enough. So is that of who is active, where enough users of each are active and enough are not. Empty where nobody is in the segment. */
WITH parts AS (
  SELECT
    rates AS is_rater,
    tags AS is_tagger,
    COUNT(users.user_id) AS user_count,
    COUNTIF(users.is_active) AS active_user_count
  FROM UNNEST([TRUE, FALSE]) AS rates
  CROSS JOIN UNNEST([TRUE, FALSE]) AS tags
  LEFT JOIN engagement_internal.user_groups AS users
    ON users.is_rater = rates AND users.is_tagger = tags
  GROUP BY
    rates,
    tags
), folded AS (
  SELECT
    folding,
    is_rater,
    is_tagger,
    CASE
      WHEN folding = 4
      THEN 'everyone'
      WHEN NOT is_rater AND NOT is_tagger
      THEN 'sleepers'
      WHEN folding = 3
      THEN 'raters_or_taggers'
      WHEN NOT is_tagger
      THEN 'raters_only'
      WHEN folding = 2
      THEN 'all_taggers'
      WHEN is_rater
      THEN 'raters_and_taggers'
      ELSE 'taggers_only'
    END AS segment,
    user_count,
    active_user_count
  FROM parts
  CROSS JOIN UNNEST([1, 2, 3, 4]) AS folding
), segments AS (
  SELECT
    folding,
    segment,
    SUM(user_count) AS user_count,
    LEAST(SUM(active_user_count), SUM(user_count - active_user_count)) AS smaller_side,
    SUM(user_count) > 0 OR segment IN ('raters_and_taggers', 'taggers_only') AS is_asked
  FROM folded
  GROUP BY
    folding,
    segment
), smallest AS (
  SELECT
    folding,
    MIN(IF(is_asked, user_count, NULL)) AS user_count,
    MIN(IF(is_asked, smaller_side, NULL)) AS smaller_side
  FROM segments
  GROUP BY
    folding
), finest AS (
  SELECT
    MIN(
      IF(
        smallest.folding = 4 OR smallest.user_count >= thresholds.smallest_group,
        smallest.folding,
        NULL
      )
    ) AS of_users,
    MIN(
      IF(
        smallest.folding = 4 OR smallest.smaller_side >= thresholds.smallest_group,
        smallest.folding,
        NULL
      )
    ) AS of_active
  FROM smallest
  CROSS JOIN engagement_internal.thresholds AS thresholds
)
SELECT
  folded.is_rater::BOOL AS is_rater,
  folded.is_tagger::BOOL AS is_tagger,
  MAX(
    IF(folded.folding = finest.of_users AND segments.user_count > 0, folded.segment, NULL)
  )::STRING AS segment,
  MAX(
    IF(folded.folding = finest.of_active AND segments.user_count > 0, folded.segment, NULL)
  )::STRING AS active_segment
FROM folded
INNER JOIN segments
  ON segments.folding = folded.folding AND segments.segment = folded.segment
CROSS JOIN finest
GROUP BY
  folded.is_rater,
  folded.is_tagger
