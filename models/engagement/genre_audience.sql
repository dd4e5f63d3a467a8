MODEL (
  name engagement.genre_audience,
  kind FULL,
  @contract(genre_audience)
);

/* How many users rate a genre and how many like it: the nine genres with most users, and all others together. */
WITH choices AS (
  SELECT
    'all_time' AS period,
    'rated' AS preference,
    user_id,
    genre
  FROM engagement_internal.user_genre_tastes
  UNION ALL
  SELECT
    'all_time' AS period,
    'likes' AS preference,
    user_id,
    genre
  FROM engagement_internal.user_genre_tastes
  WHERE
    likes
  UNION ALL
  SELECT
    'last_6_months' AS period,
    'rated' AS preference,
    user_id,
    genre
  FROM engagement_internal.user_genre_tastes
  WHERE
    rated_lately
  UNION ALL
  SELECT
    'last_6_months' AS period,
    'likes' AS preference,
    user_id,
    genre
  FROM engagement_internal.user_genre_tastes
  WHERE
    liked_lately
), genres AS (
  SELECT
    period,
    preference,
    genre,
    COUNT(*) AS user_count,
    ROW_NUMBER() OVER (PARTITION BY period, preference ORDER BY COUNT(*) DESC, genre) AS genre_rank
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
    genres.genre_rank,
    genres.genre_rank <= 9 AND genres.user_count >= thresholds.smallest_group AS is_shown
  FROM genres
  CROSS JOIN engagement_internal.thresholds AS thresholds
), slices AS (
  SELECT
    period,
    preference,
    genre_rank AS slice_rank,
    genre,
    FALSE AS is_others,
    1 AS genre_count,
    user_count
  FROM ranked
  WHERE
    is_shown
  UNION ALL
  SELECT
    choices.period,
    choices.preference,
    10 AS slice_rank,
    'Others' AS genre,
    TRUE AS is_others,
    COUNT(DISTINCT choices.genre) AS genre_count,
    COUNT(DISTINCT choices.user_id) AS user_count
  FROM choices
  INNER JOIN ranked
    ON ranked.period = choices.period
    AND ranked.preference = choices.preference
    AND ranked.genre = choices.genre
  WHERE
    NOT ranked.is_shown
  GROUP BY
    choices.period,
    choices.preference
), audience AS (
  SELECT
    COUNT(DISTINCT user_id) AS all_time,
    COUNT(DISTINCT IF(rated_lately, user_id, NULL)) AS last_6_months
  FROM engagement_internal.user_genre_tastes
)
SELECT
  slices.period::STRING AS period,
  slices.preference::STRING AS preference,
  slices.slice_rank::INT64 AS slice_rank,
  slices.genre::STRING AS genre,
  slices.is_others::BOOL AS is_others,
  slices.genre_count::INT64 AS genre_count,
  slices.user_count::INT64 AS user_count,
  (
    slices.user_count / IF(slices.period = 'all_time', audience.all_time, audience.last_6_months)
  )::FLOAT64 AS user_share,
  IF(slices.period = 'all_time', NULL, windows.window_start)::DATE AS window_start,
  windows.window_end::DATE AS as_of
FROM slices
CROSS JOIN audience
CROSS JOIN engagement_internal.windows AS windows
CROSS JOIN engagement_internal.thresholds AS thresholds
WHERE
  windows.period = 'last_6_months'
  AND slices.user_count >= thresholds.smallest_group
