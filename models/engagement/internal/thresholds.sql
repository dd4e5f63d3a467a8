MODEL (
  name engagement_internal.thresholds,
  kind VIEW,
  description 'How the consumer domain reads the numbers, in one place: when a user likes, dislikes, rates much or tags much, from how many ratings on a liking is counted, and how few users are too few to be shown.'
);

/* One row. Medians are in stars, counts are over all time; limits are exclusive, but for those that are called from or smallest. */
SELECT
  4.0::FLOAT64 AS likes_above_median,
  3.0::FLOAT64 AS dislikes_below_median,
  5::INT64 AS likes_from_ratings,
  100::INT64 AS rater_above_ratings,
  7::INT64 AS tagger_above_tags,
  5::INT64 AS smallest_group,
  3::INT64 AS comparable_genres,
  5::INT64 AS recent_release_years,
  30::INT64 AS interval_from_units,
  1000::INT64 AS neighbours_of_movies,
  10::INT64 AS neighbours_from_users,
  10::INT64 AS top_neighbours
