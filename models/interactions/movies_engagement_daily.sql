MODEL (
  name interactions.movies_engagement_daily,
  kind VIEW,
  @contract(movies_engagement_daily)
);

/* How a movie was rated on a day: how many ratings there were of each half-star. */
SELECT
  movie_id::INT64 AS movie_id,
  rated_on::DATE AS rated_on,
  rating_count::INT64 AS rating_count,
  @ratings_of(movie_ratings_daily, 0.5)::INT64 AS ratings_0_5,
  @ratings_of(movie_ratings_daily, 1.0)::INT64 AS ratings_1_0,
  @ratings_of(movie_ratings_daily, 1.5)::INT64 AS ratings_1_5,
  @ratings_of(movie_ratings_daily, 2.0)::INT64 AS ratings_2_0,
  @ratings_of(movie_ratings_daily, 2.5)::INT64 AS ratings_2_5,
  @ratings_of(movie_ratings_daily, 3.0)::INT64 AS ratings_3_0,
  @ratings_of(movie_ratings_daily, 3.5)::INT64 AS ratings_3_5,
  @ratings_of(movie_ratings_daily, 4.0)::INT64 AS ratings_4_0,
  @ratings_of(movie_ratings_daily, 4.5)::INT64 AS ratings_4_5,
  @ratings_of(movie_ratings_daily, 5.0)::INT64 AS ratings_5_0
FROM interactions_internal.movie_ratings_daily
