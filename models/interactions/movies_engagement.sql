MODEL (
  name interactions.movies_engagement,
  kind VIEW,
  @contract(movies_engagement)
);

/* How much attention a movie got in a month, and how it was liked: the median, and how many ratings there were of each half-star, which can be added up over months. */
SELECT
  months.movie_id::INT64 AS movie_id,
  months.reporting_month::DATE AS reporting_month,
  movies.title::STRING AS title,
  movies.release_year::INT64 AS release_year,
  movies.genres::STRING AS genres,
  movie_tags.tags::STRING AS tags,
  months.rating_count::INT64 AS rating_count,
  @median_of_histogram(months)::FLOAT64 AS rating_median,
  @ratings_of(months, 0.5)::INT64 AS ratings_0_5,
  @ratings_of(months, 1.0)::INT64 AS ratings_1_0,
  @ratings_of(months, 1.5)::INT64 AS ratings_1_5,
  @ratings_of(months, 2.0)::INT64 AS ratings_2_0,
  @ratings_of(months, 2.5)::INT64 AS ratings_2_5,
  @ratings_of(months, 3.0)::INT64 AS ratings_3_0,
  @ratings_of(months, 3.5)::INT64 AS ratings_3_5,
  @ratings_of(months, 4.0)::INT64 AS ratings_4_0,
  @ratings_of(months, 4.5)::INT64 AS ratings_4_5,
  @ratings_of(months, 5.0)::INT64 AS ratings_5_0
FROM interactions_internal.movie_ratings_monthly AS months
LEFT JOIN interactions_internal.movies AS movies
  ON movies.movie_id = months.movie_id
LEFT JOIN interactions_internal.movie_tags AS movie_tags
  ON movie_tags.movie_id = months.movie_id
