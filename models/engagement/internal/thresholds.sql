MODEL (
  name engagement_internal.thresholds,
  kind VIEW,
  description 'How the consumer domain reads the numbers, in one place: when a user likes, dislikes, rates much or tags much, from how many ratings on a liking is counted, how few users are too few to be shown, which decades are new and which classic, and when a change is one.'
);

/* One row. Medians are in stars, counts are over all time; limits are exclusive, but for those that are called from or smallest. Decades are counted back from that of the newest rating, which is 0. A change is called one from so many margins of its 95 % interval on: with 1.5 of them, one of twenty genres that stay as they are is called changed in one month of fifteen. */
SELECT
  4.0::FLOAT64 AS likes_above_median,
  3.0::FLOAT64 AS dislikes_below_median,
  5::INT64 AS likes_from_ratings,
  100::INT64 AS rater_above_ratings,
  7::INT64 AS tagger_above_tags,
  5::INT64 AS smallest_group,
  1::INT64 AS new_to_decades_back,
  3::INT64 AS classic_from_decades_back,
  20::INT64 AS change_from_users,
  1.5::FLOAT64 AS change_from_margins
