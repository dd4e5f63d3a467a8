MODEL (
  name engagement_internal.user_genre_tastes,
  kind FULL,
  description 'Whether a user rated and liked a genre: over all time, and in the last six months.',
  grain (user_id, genre),
  clustered_by genre
);

/* One row per user and genre with at least one rating. */
SELECT
  preferences.user_id::INT64 AS user_id,
  preferences.genre::STRING AS genre,
  LOGICAL_OR(preferences.user_preference = 'likes')::BOOL AS likes,
  LOGICAL_OR(preferences.reporting_month >= windows.window_start)::BOOL AS rated_lately,
  LOGICAL_OR(
    preferences.reporting_month >= windows.window_start
    AND preferences.user_monthly_preference = 'likes'
  )::BOOL AS liked_lately
FROM engagement.user_genre_preferences AS preferences
CROSS JOIN engagement_internal.windows AS windows
WHERE
  windows.period = 'last_6_months'
GROUP BY
  preferences.user_id,
  preferences.genre
