MODEL (
  name interactions.user_movie_ratings,
  kind VIEW,
  @contract(user_movie_ratings)
);

/* Who rated which movie how, and when: the users x movies matrix in long form. */
SELECT
  user_id::INT64 AS user_id,
  movie_id::INT64 AS movie_id,
  rating::FLOAT64 AS rating,
  rated_at::TIMESTAMP AS rated_at
FROM interactions_internal.rating_events
WHERE
  rated_on >= '1995-01-01'::DATE
