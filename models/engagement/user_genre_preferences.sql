MODEL (
  name engagement.user_genre_preferences,
  kind VIEW,
  @contract(user_genre_preferences)
);

/* What a user likes and dislikes: over all time, and in a month. */
SELECT
  ratings.user_id::INT64 AS user_id,
  ratings.genre::STRING AS genre,
  ratings.reporting_month::DATE AS reporting_month,
  ratings.rating_monthly_count::INT64 AS rating_monthly_count,
  ratings.rating_monthly_median::FLOAT64 AS rating_monthly_median,
  ratings.rating_count::INT64 AS rating_count,
  ratings.rating_median::FLOAT64 AS rating_median,
  CASE
    WHEN ratings.rating_median > thresholds.likes_above_median
    THEN 'likes'
    WHEN ratings.rating_median < thresholds.dislikes_below_median
    THEN 'dislikes'
    ELSE 'indifferent'
  END::STRING AS user_preference,
  CASE
    WHEN ratings.rating_monthly_median > thresholds.likes_above_median
    THEN 'likes'
    WHEN ratings.rating_monthly_median < thresholds.dislikes_below_median
    THEN 'dislikes'
    ELSE 'indifferent'
  END::STRING AS user_monthly_preference
FROM interactions.user_genre_ratings AS ratings
CROSS JOIN engagement_internal.thresholds AS thresholds
