MODEL (
  name engagement.era_audience,
  kind FULL,
  @contract(era_audience)
);

/* How many users rate the movies of a decade, of all who rate; and how many like them, of those who rated them often enough to say so. Who likes and who does not must both be enough to be shown; and who was not asked, or nobody. */
WITH audience AS (
  SELECT
    period,
    COUNT(DISTINCT user_id) AS user_count
  FROM engagement_internal.user_era_likings
  GROUP BY
    period
), eras AS (
  SELECT
    period,
    release_decade,
    decade_start,
    COUNT(*) AS user_count,
    COUNTIF(is_asked) AS asked_count,
    COUNTIF(likes) AS like_count
  FROM engagement_internal.user_era_likings
  GROUP BY
    period,
    release_decade,
    decade_start
), judged AS (
  SELECT
    eras.period,
    eras.release_decade,
    eras.decade_start,
    eras.user_count,
    audience.user_count AS of_user_count,
    LEAST(eras.like_count, eras.asked_count - eras.like_count) >= thresholds.smallest_group
    AND (
      eras.user_count = eras.asked_count
      OR eras.user_count - eras.asked_count >= thresholds.smallest_group
    ) AS shows_likes,
    eras.asked_count,
    eras.like_count
  FROM eras
  INNER JOIN audience
    ON audience.period = eras.period
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    eras.user_count >= thresholds.smallest_group
)
SELECT
  judged.period::STRING AS period,
  judged.release_decade::STRING AS release_decade,
  judged.decade_start::INT64 AS decade_start,
  judged.user_count::INT64 AS user_count,
  judged.of_user_count::INT64 AS of_user_count,
  (
    judged.user_count / judged.of_user_count
  )::FLOAT64 AS user_share,
  IF(judged.shows_likes, judged.like_count, NULL)::INT64 AS like_user_count,
  IF(judged.shows_likes, judged.asked_count, NULL)::INT64 AS asked_user_count,
  IF(judged.shows_likes, judged.like_count / judged.asked_count, NULL)::FLOAT64 AS like_share,
  IF(judged.period = 'all_time', NULL, windows.window_start)::DATE AS window_start,
  windows.window_end::DATE AS as_of
FROM judged
CROSS JOIN engagement_internal.windows AS windows
WHERE
  windows.period = 'last_182_days'
