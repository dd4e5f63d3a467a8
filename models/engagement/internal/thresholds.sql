MODEL (
  name engagement_internal.thresholds,
  kind VIEW,
  description 'How the consumer domain reads the numbers, in one place: when a user likes, dislikes, rates much or tags much.'
);

/* One row. Medians are in stars, counts are over all time; each limit is exclusive. */
SELECT
  4.0::FLOAT64 AS likes_above_median,
  3.0::FLOAT64 AS dislikes_below_median,
  100::INT64 AS rater_above_ratings,
  7::INT64 AS tagger_above_tags
