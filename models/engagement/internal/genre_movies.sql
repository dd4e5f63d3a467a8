MODEL (
  name engagement_internal.genre_movies,
  kind FULL,
  description 'How often each movie of a genre was rated, over all time, and how often highly; also movies that nobody rated.',
  grain (genre, movie_id),
  clustered_by genre
);

/* One row per genre and movie of the catalogue. A movie is recent when it came out in the year of the newest rating or in the few before it; one without a year is not. */
WITH ratings AS (
  SELECT
    months.movie_id,
    SUM(months.rating_count) AS rating_count,
    SUM(months.ratings_4_5 + months.ratings_5_0) AS high_rating_count
  FROM interactions.movies_engagement AS months
  GROUP BY
    months.movie_id
), movie_genres AS (
  SELECT DISTINCT
    genre,
    movies.movie_id,
    movies.release_year
  FROM interactions.movie_catalogue AS movies
  CROSS JOIN UNNEST(SPLIT(movies.genres, '|')) AS genre
)
SELECT
  movie_genres.genre::STRING AS genre,
  movie_genres.movie_id::INT64 AS movie_id,
  COALESCE(
    movie_genres.release_year > EXTRACT(YEAR FROM newest_rating.rated_on) - thresholds.recent_release_years,
    FALSE
  )::BOOL AS is_recent,
  COALESCE(ratings.rating_count, 0)::INT64 AS rating_count,
  COALESCE(ratings.high_rating_count, 0)::INT64 AS high_rating_count
FROM movie_genres
LEFT JOIN ratings
  ON ratings.movie_id = movie_genres.movie_id
CROSS JOIN engagement_internal.newest_rating AS newest_rating
CROSS JOIN engagement_internal.thresholds AS thresholds
