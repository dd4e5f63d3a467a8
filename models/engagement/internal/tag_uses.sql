MODEL (
  name engagement_internal.tag_uses,
  kind FULL,
  description 'Who used which tag on which movie, whatever the spelling; only tags that enough users use.',
  grain (user_id, movie_id, spelling),
  clustered_by tag
);

/* One row per user, movie and spelling. Spellings are one tag when they differ in case, blanks and signs alone, or in a plural at the end: an -s after a letter other than s, u and i goes from words of four letters and more, and then -ie becomes -y. A tag of signs alone stays as it is. Each spelling is looked at once, however often it is used. When fewer than five users have all hidden tags together, the smallest tag is hidden too, since they could be counted by subtraction. */
WITH spellings AS (
  SELECT
    tag AS spelling,
    COALESCE(
      NULLIF(
        REGEXP_REPLACE(
          REGEXP_REPLACE(REGEXP_REPLACE(LOWER(tag), '[^\\pL\\pM\\pN]+', ''), '(\\pL\\pL[^\\PLsui])s$', '\\1'),
          '(\\pL\\pL)ie$',
          '\\1y'
        ),
        ''
      ),
      tag
    ) AS tag
  FROM (
    SELECT DISTINCT
      tag
    FROM interactions.user_tags
  ) AS written
), uses AS (
  SELECT
    user_tags.user_id,
    user_tags.movie_id,
    spellings.tag,
    spellings.spelling,
    DATE_FROM_UNIX_DATE(DIV(UNIX_MICROS(user_tags.tagged_at), 86400000000)) AS tagged_on,
    user_tags.rating
  FROM interactions.user_tags AS user_tags
  INNER JOIN spellings
    ON spellings.spelling = user_tags.tag
), tags AS (
  SELECT
    tag,
    COUNT(DISTINCT user_id) AS user_count
  FROM uses
  GROUP BY
    tag
), judged AS (
  SELECT
    tags.tag,
    tags.user_count >= thresholds.smallest_group AS is_enough,
    ROW_NUMBER() OVER (
      PARTITION BY tags.user_count >= thresholds.smallest_group
      ORDER BY tags.user_count, tags.tag
    ) AS place
  FROM tags
  CROSS JOIN engagement_internal.thresholds AS thresholds
), hidden AS (
  SELECT
    COUNT(DISTINCT uses.user_id) AS user_count
  FROM uses
  INNER JOIN judged
    ON judged.tag = uses.tag
  WHERE
    NOT judged.is_enough
)
SELECT
  uses.user_id::INT64 AS user_id,
  uses.movie_id::INT64 AS movie_id,
  uses.spelling::STRING AS spelling,
  uses.tag::STRING AS tag,
  uses.tagged_on::DATE AS tagged_on,
  uses.rating::FLOAT64 AS rating
FROM uses
INNER JOIN judged
  ON judged.tag = uses.tag
CROSS JOIN hidden
CROSS JOIN engagement_internal.thresholds AS thresholds
WHERE
  judged.is_enough
  AND (
    judged.place > 1
    OR hidden.user_count = 0
    OR hidden.user_count >= thresholds.smallest_group
  )
