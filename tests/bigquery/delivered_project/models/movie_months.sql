MODEL (
  name interactions.movie_months,
  kind VIEW,
  description 'How many ratings a movie had in a month.'
);

SELECT movie_id::INT64, reporting_month::DATE, rating_count::INT64
FROM interactions_internal.ratings_monthly
