MODEL (
  name engagement.era_segments,
  kind FULL,
  @contract(era_segments)
);

/* Who watches new movies, who classics, and who both: each user who rated in the period is in exactly one segment. A segment that is too small to be shown is empty, and so is one by which it could be found. */
WITH users AS (
  SELECT
    likings.period,
    likings.user_id,
    SUM(
      IF(
        likings.decade_start >= DIV(EXTRACT(YEAR FROM newest_rating.rated_on), 10) * 10 - 10 * thresholds.new_to_decades_back,
        likings.rating_count,
        0
      )
    ) >= MAX(thresholds.likes_from_ratings) AS is_new,
    SUM(
      IF(
        likings.decade_start <= DIV(EXTRACT(YEAR FROM newest_rating.rated_on), 10) * 10 - 10 * thresholds.classic_from_decades_back,
        likings.rating_count,
        0
      )
    ) >= MAX(thresholds.likes_from_ratings) AS is_classic
  FROM engagement_internal.user_era_likings AS likings
  CROSS JOIN engagement_internal.newest_rating AS newest_rating
  CROSS JOIN engagement_internal.thresholds AS thresholds
  GROUP BY
    likings.period,
    likings.user_id
), counted AS (
  SELECT
    users.period,
    segment,
    COUNTIF(
      CASE segment
        WHEN 'only_new'
        THEN users.is_new AND NOT users.is_classic
        WHEN 'only_classics'
        THEN users.is_classic AND NOT users.is_new
        WHEN 'both'
        THEN users.is_new AND users.is_classic
        ELSE NOT users.is_new AND NOT users.is_classic
      END
    ) AS user_count,
    COUNT(*) AS of_user_count
  FROM users
  CROSS JOIN UNNEST(['only_new', 'only_classics', 'both', 'neither']) AS segment
  GROUP BY
    users.period,
    segment
), judged AS (
  SELECT
    counted.period,
    counted.segment,
    counted.user_count,
    counted.of_user_count,
    @withheld(counted.user_count, thresholds.smallest_group, counted.segment, counted.period) AS is_withheld
  FROM counted
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    counted.of_user_count >= thresholds.smallest_group
)
SELECT
  judged.period::STRING AS period,
  judged.segment::STRING AS segment,
  judged.is_withheld::BOOL AS is_withheld,
  IF(judged.is_withheld, NULL, judged.user_count)::INT64 AS user_count,
  judged.of_user_count::INT64 AS of_user_count,
  IF(judged.is_withheld, NULL, judged.user_count / judged.of_user_count)::FLOAT64 AS user_share,
  IF(judged.period = 'all_time', NULL, windows.window_start)::DATE AS window_start,
  windows.window_end::DATE AS as_of
FROM judged
CROSS JOIN engagement_internal.windows AS windows
WHERE
  windows.period = 'last_182_days'
