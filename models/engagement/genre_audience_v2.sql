MODEL (
  name engagement.genre_audience_v2,
  kind FULL,
  @contract(genre_audience_v2)
);

/* How many users rate a genre, of all users; and how many like it, of those who rated it often enough to say so. Each genre has a row; the nine with most users, and all others together, are the slices of a pie. */
WITH choices AS (
  SELECT
    period,
    'rated' AS preference,
    user_id,
    genre,
    TRUE AS is_counted
  FROM engagement_internal.user_genre_likings
  UNION ALL
  SELECT
    period,
    'likes' AS preference,
    user_id,
    genre,
    likes AS is_counted
  FROM engagement_internal.user_genre_likings
  WHERE
    is_asked
), audience AS (
  SELECT
    period,
    COUNT(DISTINCT user_id) AS user_count
  FROM engagement_internal.user_genre_likings
  GROUP BY
    period
), genres AS (
  SELECT
    period,
    preference,
    genre,
    COUNTIF(is_counted) AS user_count,
    COUNT(*) AS asked_count,
    ROW_NUMBER() OVER (PARTITION BY period, preference ORDER BY COUNTIF(is_counted) DESC, genre) AS genre_rank
  FROM choices
  GROUP BY
    period,
    preference,
    genre
), ranked AS (
  SELECT
    genres.period,
    genres.preference,
    genres.genre,
    genres.user_count,
    genres.asked_count,
    genres.genre_rank,
    genres.genre_rank <= 9 AND genres.user_count >= thresholds.smallest_group AS is_slice
  FROM genres
  CROSS JOIN engagement_internal.thresholds AS thresholds
), counted AS (
  SELECT
    period,
    preference,
    genre,
    FALSE AS is_others,
    is_slice,
    IF(is_slice, genre_rank, NULL) AS slice_rank,
    1 AS genre_count,
    user_count,
    asked_count
  FROM ranked
  UNION ALL
  SELECT
    choices.period,
    choices.preference,
    'Others' AS genre,
    TRUE AS is_others,
    TRUE AS is_slice,
    10 AS slice_rank,
    COUNT(DISTINCT choices.genre) AS genre_count,
    COUNT(DISTINCT IF(choices.is_counted, choices.user_id, NULL)) AS user_count,
    COUNT(DISTINCT choices.user_id) AS asked_count
  FROM choices
  INNER JOIN ranked
    ON ranked.period = choices.period
    AND ranked.preference = choices.preference
    AND ranked.genre = choices.genre
  WHERE
    NOT ranked.is_slice
  GROUP BY
    choices.period,
    choices.preference
), shared AS (
  SELECT
    counted.period,
    counted.preference,
    counted.genre,
    counted.is_others,
    counted.is_slice,
    counted.slice_rank,
    counted.genre_count,
    counted.user_count,
    IF(counted.preference = 'rated', audience.user_count, counted.asked_count) AS of_user_count
  FROM counted
  INNER JOIN audience
    ON audience.period = counted.period
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    counted.user_count >= thresholds.smallest_group
)
SELECT
  shared.period::STRING AS period,
  shared.preference::STRING AS preference,
  shared.genre::STRING AS genre,
  shared.is_others::BOOL AS is_others,
  shared.is_slice::BOOL AS is_slice,
  shared.slice_rank::INT64 AS slice_rank,
  ROW_NUMBER() OVER (
    PARTITION BY shared.period, shared.preference
    ORDER BY shared.is_others, shared.user_count / shared.of_user_count DESC, shared.user_count DESC, shared.genre
  )::INT64 AS share_rank,
  shared.genre_count::INT64 AS genre_count,
  shared.user_count::INT64 AS user_count,
  shared.of_user_count::INT64 AS of_user_count,
  (
    shared.user_count / shared.of_user_count
  )::FLOAT64 AS user_share,
  IF(shared.period = 'all_time', NULL, windows.window_start)::DATE AS window_start,
  windows.window_end::DATE AS as_of
FROM shared
CROSS JOIN engagement_internal.windows AS windows
WHERE
  windows.period = 'last_182_days'
