MODEL (
  name engagement_internal.thresholds,
  kind VIEW,
  description 'How the consumer domain reads the numbers, in one place: what a liking, a high rating, an old movie, a change, a departure and a life are, and from how many users, ratings or movies on something is told.'
);

/* One row. Medians are in stars, counts are over all time; limits are exclusive, but for those that are called from, smallest or top. Decades are counted back from that of the newest rating, which is 0. A change is called one from so many margins of its 95 % interval on: with 1.5 of them, one of twenty genres that stay as they are is called changed in one month of fifteen. */
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
  1.5::FLOAT64 AS change_from_margins,
  4.0::FLOAT64 AS high_above_rating,
  7::INT64 AS first_impression_days,
  180::INT64 AS churned_after_days,
  20::INT64 AS old_above_years,
  50::INT64 AS life_from_ratings,
  10::INT64 AS peak_from_ratings,
  100::INT64 AS top_movies,
  24::INT64 AS life_curve_months,
  10::INT64 AS life_curve_from_movies,
  10::INT64 AS interval_from_users,
  3::INT64 AS genre_from_movies,
  3::INT64 AS comparable_genres,
  5::INT64 AS recent_release_years,
  30::INT64 AS interval_from_units,
  1000::INT64 AS neighbours_of_movies,
  10::INT64 AS neighbours_from_users,
  10::INT64 AS top_neighbours,
  10::INT64 AS top_movie_tags
