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
), judged AS (
  SELECT
    genres.period,
    genres.preference,
    genres.genre,
    genres.user_count,
    genres.asked_count,
    genres.genre_rank,
    genres.user_count >= thresholds.smallest_group
    AND (
      genres.preference = 'rated'
      OR genres.asked_count - genres.user_count >= thresholds.smallest_group
    ) AS is_shown,
    genres.genre_rank <= thresholds.top_slices AS is_first
  FROM genres
  CROSS JOIN engagement_internal.thresholds AS thresholds
), others AS (
  SELECT
    choices.period,
    choices.preference,
    COUNT(DISTINCT choices.genre) AS genre_count,
    COUNT(DISTINCT IF(choices.is_counted, choices.user_id, NULL)) AS user_count,
    COUNT(DISTINCT choices.user_id) AS asked_count
  FROM choices
  INNER JOIN judged
    ON judged.period = choices.period
    AND judged.preference = choices.preference
    AND judged.genre = choices.genre
  WHERE
    NOT judged.is_shown OR NOT judged.is_first
  GROUP BY
    choices.period,
    choices.preference
), shown AS (
  SELECT
    period,
    preference,
    genre,
    FALSE AS is_others,
    IF(is_first, genre_rank, NULL) AS slice_rank,
    1 AS genre_count,
    user_count,
    asked_count
  FROM judged
  WHERE
    is_shown
  UNION ALL
  SELECT
    others.period,
    others.preference,
    'Others' AS genre,
    TRUE AS is_others,
    thresholds.top_slices + 1 AS slice_rank,
    others.genre_count,
    others.user_count,
    others.asked_count
  FROM others
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    others.user_count >= thresholds.smallest_group
    AND (
      others.preference = 'rated'
      OR others.asked_count - others.user_count >= thresholds.smallest_group
    )
), shared AS (
  SELECT
    shown.period,
    shown.preference,
    shown.genre,
    shown.is_others,
    shown.slice_rank,
    shown.genre_count,
    shown.user_count,
    IF(shown.preference = 'rated', audience.user_count, shown.asked_count) AS of_user_count
  FROM shown
  INNER JOIN audience
    ON audience.period = shown.period
)
SELECT
  shared.period::STRING AS period,
  shared.preference::STRING AS preference,
  shared.genre::STRING AS genre,
  shared.is_others::BOOL AS is_others,
  (
    NOT shared.slice_rank IS NULL
  )::BOOL AS is_slice,
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
