MODEL (
  name engagement_internal.thresholds,
  kind VIEW,
  description 'How the consumer domain reads the numbers, in one place: when a user likes, dislikes, rates much or tags much, from how many ratings on a liking is counted, when a rating is high and a movie old, how long a first impression lasts, after how long without action a user is gone, and how few users are too few to be shown.'
);

/* One row. Medians are in stars, counts are over all time; limits are exclusive, but for those that are called from or smallest. */
SELECT
  4.0::FLOAT64 AS likes_above_median,
  3.0::FLOAT64 AS dislikes_below_median,
  5::INT64 AS likes_from_ratings,
  100::INT64 AS rater_above_ratings,
  7::INT64 AS tagger_above_tags,
  5::INT64 AS smallest_group,
  4.0::FLOAT64 AS high_above_rating,
  7::INT64 AS first_impression_days,
  180::INT64 AS churned_after_days,
  20::INT64 AS old_above_years
