MODEL (
  name engagement.genre_report,
  kind FULL,
  @contract(genre_report)
);

/* How a genre is doing: what there is of it, how it is rated, whom it reaches, and how its newest movies are received, each against the mean of the genres nearest to it in size. */
WITH catalogue AS (
  SELECT
    COUNT(*) AS movie_count
  FROM interactions.movie_catalogue
), ratings AS (
  SELECT
    SUM(rating_count) AS rating_count
  FROM interactions.movies_engagement
), places AS (
  SELECT
    genre,
    rating_count,
    ROW_NUMBER() OVER (PARTITION BY genre ORDER BY rating_count, movie_id) AS place,
    COUNT(*) OVER (PARTITION BY genre) AS movie_count
  FROM engagement_internal.genre_movies
  WHERE
    rating_count > 0
), bounds AS (
  SELECT
    genre,
    rating_count,
    place,
    movie_count,
    ROUND((
      movie_count - 1.959963984540054 * SQRT(movie_count)
    ) / 2)::INT64 AS low_place
  FROM places
), medians AS (
  SELECT
    bounds.genre,
    AVG(
      IF(
        2 * bounds.place BETWEEN bounds.movie_count AND bounds.movie_count + 2,
        bounds.rating_count,
        NULL
      )
    ) AS rating_count,
    MAX(IF(bounds.place = bounds.low_place, bounds.rating_count, NULL)) AS rating_count_low,
    MAX(
      IF(
        bounds.low_place > 0 AND bounds.place = bounds.movie_count + 1 - bounds.low_place,
        bounds.rating_count,
        NULL
      )
    ) AS rating_count_high
  FROM bounds
  CROSS JOIN engagement_internal.thresholds AS thresholds
  GROUP BY
    bounds.genre
  HAVING
    MAX(bounds.movie_count) >= MAX(thresholds.smallest_group)
), movies AS (
  SELECT
    genre,
    COUNT(*) AS movie_count,
    SUM(rating_count) AS rating_count,
    COUNTIF(is_recent) AS recent_movie_count
  FROM engagement_internal.genre_movies
  GROUP BY
    genre
), genres AS (
  SELECT
    movies.genre,
    movies.movie_count,
    movies.movie_count / catalogue.movie_count AS movie_share,
    catalogue.movie_count AS catalogue_movie_count,
    movies.rating_count,
    movies.rating_count / ratings.rating_count AS rating_share,
    ratings.rating_count AS all_rating_count,
    movies.recent_movie_count,
    medians.rating_count AS ratings_per_movie,
    medians.rating_count_low AS ratings_per_movie_low,
    medians.rating_count_high AS ratings_per_movie_high
  FROM movies
  LEFT JOIN medians
    ON medians.genre = movies.genre
  CROSS JOIN catalogue
  CROSS JOIN ratings
), comparables AS (
  SELECT
    comparables.genre,
    STRING_AGG(comparables.comparable_genre, '|'
    ORDER BY
      comparables.place) AS comparable_genres,
    AVG(genres.movie_share) AS movie_share,
    AVG(genres.rating_share) AS rating_share,
    AVG(genres.ratings_per_movie) AS ratings_per_movie
  FROM engagement_internal.genre_comparables AS comparables
  INNER JOIN genres
    ON genres.genre = comparables.comparable_genre
  GROUP BY
    comparables.genre
)
SELECT
  genres.genre::STRING AS genre,
  comparables.comparable_genres::STRING AS comparable_genres,
  genres.movie_count::INT64 AS movie_count,
  genres.catalogue_movie_count::INT64 AS catalogue_movie_count,
  genres.movie_share::FLOAT64 AS movie_share,
  comparables.movie_share::FLOAT64 AS comparable_movie_share,
  unrated.part::INT64 AS unrated_movie_count,
  unrated.share::FLOAT64 AS unrated_movie_share,
  unrated_contrast.comparable_share::FLOAT64 AS comparable_unrated_movie_share,
  unrated_contrast.difference::FLOAT64 AS unrated_movie_difference,
  unrated_contrast.difference_low::FLOAT64 AS unrated_movie_difference_low,
  unrated_contrast.difference_high::FLOAT64 AS unrated_movie_difference_high,
  genres.rating_count::INT64 AS rating_count,
  genres.all_rating_count::INT64 AS all_rating_count,
  genres.rating_share::FLOAT64 AS rating_share,
  comparables.rating_share::FLOAT64 AS comparable_rating_share,
  genres.ratings_per_movie::FLOAT64 AS ratings_per_movie_median,
  genres.ratings_per_movie_low::FLOAT64 AS ratings_per_movie_low,
  genres.ratings_per_movie_high::FLOAT64 AS ratings_per_movie_high,
  comparables.ratings_per_movie::FLOAT64 AS comparable_ratings_per_movie,
  high.share::FLOAT64 AS high_rating_share,
  high_contrast.comparable_share::FLOAT64 AS comparable_high_rating_share,
  high_contrast.difference::FLOAT64 AS high_rating_difference,
  high_contrast.difference_low::FLOAT64 AS high_rating_difference_low,
  high_contrast.difference_high::FLOAT64 AS high_rating_difference_high,
  users.part::INT64 AS user_count,
  users.whole::INT64 AS of_user_count,
  users.share::FLOAT64 AS user_share,
  users_contrast.comparable_share::FLOAT64 AS comparable_user_share,
  users_contrast.difference::FLOAT64 AS user_difference,
  users_contrast.difference_low::FLOAT64 AS user_difference_low,
  users_contrast.difference_high::FLOAT64 AS user_difference_high,
  likes.part::INT64 AS likes_user_count,
  likes.whole::INT64 AS asked_user_count,
  likes.share::FLOAT64 AS likes_share,
  likes_contrast.comparable_share::FLOAT64 AS comparable_likes_share,
  likes_contrast.difference::FLOAT64 AS likes_difference,
  likes_contrast.difference_low::FLOAT64 AS likes_difference_low,
  likes_contrast.difference_high::FLOAT64 AS likes_difference_high,
  (
    EXTRACT(YEAR FROM newest_rating.rated_on) - thresholds.recent_release_years + 1
  )::INT64 AS recent_from_year,
  genres.recent_movie_count::INT64 AS recent_movie_count,
  recent.whole::INT64 AS recent_rating_count,
  recent.share::FLOAT64 AS recent_high_rating_share,
  recent_contrast.comparable_share::FLOAT64 AS comparable_recent_high_rating_share,
  recent_contrast.difference::FLOAT64 AS recent_high_rating_difference,
  recent_contrast.difference_low::FLOAT64 AS recent_high_rating_difference_low,
  recent_contrast.difference_high::FLOAT64 AS recent_high_rating_difference_high,
  newest_rating.rated_on::DATE AS as_of
FROM genres
INNER JOIN engagement_internal.genre_shares AS users
  ON users.genre = genres.genre AND users.measure = 'users'
LEFT JOIN engagement_internal.genre_shares AS likes
  ON likes.genre = genres.genre AND likes.measure = 'likes'
LEFT JOIN engagement_internal.genre_shares AS unrated
  ON unrated.genre = genres.genre AND unrated.measure = 'unrated_movies'
LEFT JOIN engagement_internal.genre_shares AS high
  ON high.genre = genres.genre AND high.measure = 'high_ratings'
LEFT JOIN engagement_internal.genre_shares AS recent
  ON recent.genre = genres.genre AND recent.measure = 'recent_high_ratings'
LEFT JOIN engagement_internal.genre_contrasts AS users_contrast
  ON users_contrast.genre = genres.genre AND users_contrast.measure = 'users'
LEFT JOIN engagement_internal.genre_contrasts AS likes_contrast
  ON likes_contrast.genre = genres.genre AND likes_contrast.measure = 'likes'
LEFT JOIN engagement_internal.genre_contrasts AS unrated_contrast
  ON unrated_contrast.genre = genres.genre
  AND unrated_contrast.measure = 'unrated_movies'
LEFT JOIN engagement_internal.genre_contrasts AS high_contrast
  ON high_contrast.genre = genres.genre AND high_contrast.measure = 'high_ratings'
LEFT JOIN engagement_internal.genre_contrasts AS recent_contrast
  ON recent_contrast.genre = genres.genre
  AND recent_contrast.measure = 'recent_high_ratings'
LEFT JOIN comparables
  ON comparables.genre = genres.genre
CROSS JOIN engagement_internal.newest_rating AS newest_rating
CROSS JOIN engagement_internal.thresholds AS thresholds
