MODEL (
  name interactions.movies_engagement,
  kind VIEW,
  @contract(movies_engagement)
);

/* How much attention a movie got in a month, and how it was liked. */
SELECT
  months.movie_id::INT64 AS movie_id,
  months.reporting_month::DATE AS reporting_month,
  movies.title::STRING AS title,
  movies.release_year::INT64 AS release_year,
  movies.genres::STRING AS genres,
  movie_tags.tags::STRING AS tags,
  months.rating_count::INT64 AS rating_count,
  @median_of_histogram(months)::FLOAT64 AS rating_median
FROM interactions_internal.movie_ratings_monthly AS months
LEFT JOIN interactions_internal.movies AS movies
  ON movies.movie_id = months.movie_id
LEFT JOIN interactions_internal.movie_tags AS movie_tags
  ON movie_tags.movie_id = months.movie_id
