MODEL (
  name interactions.movie_totals,
  kind FULL,
  description 'How many ratings a movie had, in all.'
);

SELECT
  movies.movie_id::INT64 AS movie_id,
  ANY_VALUE(movies.title)::STRING AS title,
  SUM(monthly.rating_count)::INT64 AS rating_count
FROM interactions_internal.ratings_monthly AS monthly
INNER JOIN interactions_internal.movies AS movies ON movies.movie_id = monthly.movie_id
GROUP BY 1
