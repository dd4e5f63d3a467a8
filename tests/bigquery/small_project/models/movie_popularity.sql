MODEL (
  name engagement.movie_popularity,
  kind VIEW,
  description 'How many ratings a movie had, in all.',
  column_descriptions (movie_id = 'The movie.'),
  grants ('roles/bigquery.dataViewer' = ['group:studios@example.com']),
  audits (unique_values(columns := (movie_id)))
);

SELECT
  movie_id::INT64,
  SUM(rating_count)::INT64 AS rating_count
FROM interactions_internal.monthly_ratings
WHERE reporting_month >= DATE '1995-01-01'
GROUP BY movie_id
