MODEL (
  name engagement_internal.genre_comparables,
  kind FULL,
  description 'The genres that each genre is compared with: those nearest to it in the number of movies and of ratings.',
  grain (genre, comparable_genre)
);

/* Of the genres that enough users rated. Near is meant in proportions: a genre with half as many movies is as far away as one with twice as many, so both numbers are taken as logarithms. Of genres equally near, up to what logarithms round, the first by name; the contract of the report asks in the same words, so that both round alike. */
WITH audience AS (
  SELECT
    genre
  FROM engagement_internal.genre_user_pairs
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    genre = other_genre AND rated_count >= thresholds.smallest_group
), genres AS (
  SELECT
    movies.genre,
    COUNT(*) AS movie_count,
    SUM(movies.rating_count) AS rating_count
  FROM engagement_internal.genre_movies AS movies
  INNER JOIN audience
    ON audience.genre = movies.genre
  GROUP BY
    movies.genre
), nearest AS (
  SELECT
    own.genre,
    other.genre AS comparable_genre,
    ROW_NUMBER() OVER (
      PARTITION BY own.genre
      ORDER BY ROUND(
        POW(LN(own.movie_count / other.movie_count), 2) + POW(LN(own.rating_count / other.rating_count), 2),
        9
      ), other.genre
    ) AS place
  FROM genres AS own
  INNER JOIN genres AS other
    ON other.genre <> own.genre
)
SELECT
  nearest.genre::STRING AS genre,
  nearest.comparable_genre::STRING AS comparable_genre,
  nearest.place::INT64 AS place
FROM nearest
CROSS JOIN engagement_internal.thresholds AS thresholds
WHERE
  nearest.place <= thresholds.comparable_genres
