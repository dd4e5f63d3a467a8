MODEL (
  name interactions_internal.user_genre_ratings_total,
  kind VIEW,
  description 'How a user rated a genre over all time, as a histogram of half-stars.',
  grain (user_id, genre)
);

/* The sum of the monthly histograms: a view, since its readers read the months in any case. */
SELECT
  user_id::INT64 AS user_id,
  genre::STRING AS genre,
  SUM(rating_count)::INT64 AS rating_count,
  SUM(histogram_low)::INT64 AS histogram_low,
  SUM(histogram_mid)::INT64 AS histogram_mid,
  SUM(histogram_high)::INT64 AS histogram_high
FROM interactions_internal.user_genre_ratings_monthly
GROUP BY
  user_id,
  genre
