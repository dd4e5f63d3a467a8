MODEL (
  name engagement.user_period_preferences,
  kind VIEW,
  @contract(user_period_preferences)
);

/* Of which decades a user likes the movies, and of which not: over all time, and in a month. */
SELECT
  ratings.user_id::INT64 AS user_id,
  ratings.release_decade::STRING AS release_decade,
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
FROM interactions.user_period_ratings AS ratings
CROSS JOIN engagement_internal.thresholds AS thresholds
