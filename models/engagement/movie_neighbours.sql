MODEL (
  name engagement.movie_neighbours,
  kind FULL,
  @contract(movie_neighbours)
);

/* Who liked this movie also liked: of the most rated movies, those whose likes overlap most, by the cosine of the two. Each pair is counted once, the first movie before the second, and then told both ways round. The interval of a pair's lift has to lie above 1, which who likes many movies makes likely by itself. */
WITH rated AS (
  SELECT
    movie_id,
    ROW_NUMBER() OVER (ORDER BY SUM(rating_count) DESC, movie_id) AS movie_rank
  FROM interactions.movies_engagement
  GROUP BY
    movie_id
), likes AS (
  SELECT
    ratings.user_id,
    ratings.movie_id
  FROM interactions.user_movie_ratings AS ratings
  INNER JOIN rated
    ON rated.movie_id = ratings.movie_id
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    ratings.rating > thresholds.likes_above_median
    AND rated.movie_rank <= thresholds.neighbours_of_movies
), audience AS (
  SELECT
    COUNT(DISTINCT user_id) AS user_count
  FROM likes
), liked AS (
  SELECT
    movie_id,
    COUNT(*) AS user_count
  FROM likes
  GROUP BY
    movie_id
), pairs AS (
  SELECT
    own.movie_id AS first_id,
    other.movie_id AS second_id,
    COUNT(*) AS user_count
  FROM likes AS own
  INNER JOIN likes AS other
    ON other.user_id = own.user_id AND other.movie_id > own.movie_id
  GROUP BY
    own.movie_id,
    other.movie_id
), supported AS (
  SELECT
    pairs.first_id,
    pairs.second_id,
    pairs.user_count,
    one.user_count AS first_count,
    two.user_count AS second_count,
    audience.user_count AS of_user_count,
    pairs.user_count * audience.user_count / (
      one.user_count * two.user_count
    ) AS lift
  FROM pairs
  INNER JOIN liked AS one
    ON one.movie_id = pairs.first_id
  INNER JOIN liked AS two
    ON two.movie_id = pairs.second_id
  CROSS JOIN audience
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    pairs.user_count >= thresholds.neighbours_from_users
    AND LEAST(
      pairs.user_count,
      one.user_count - pairs.user_count,
      two.user_count - pairs.user_count,
      audience.user_count - one.user_count - two.user_count + pairs.user_count
    ) >= thresholds.smallest_group
), estimated AS (
  SELECT
    first_id,
    second_id,
    user_count,
    first_count,
    second_count,
    of_user_count,
    lift,
    1.959963984540054 * SQRT(
      1 / user_count - 1 / first_count - 1 / second_count + (
        2 * lift - 1
      ) / of_user_count
    ) AS log_margin
  FROM supported
), both_ways AS (
  SELECT
    first_id AS movie_id,
    second_id AS neighbour_id,
    user_count,
    first_count AS liked_user_count,
    second_count AS neighbour_user_count,
    of_user_count,
    lift,
    log_margin
  FROM estimated
  WHERE
    lift * EXP(-log_margin) > 1
  UNION ALL
  SELECT
    second_id AS movie_id,
    first_id AS neighbour_id,
    user_count,
    second_count AS liked_user_count,
    first_count AS neighbour_user_count,
    of_user_count,
    lift,
    log_margin
  FROM estimated
  WHERE
    lift * EXP(-log_margin) > 1
), ranked AS (
  SELECT
    movie_id,
    neighbour_id,
    user_count,
    liked_user_count,
    neighbour_user_count,
    of_user_count,
    lift,
    log_margin,
    ROW_NUMBER() OVER (
      PARTITION BY movie_id
      ORDER BY user_count * user_count / (
        liked_user_count * neighbour_user_count
      ) DESC, user_count DESC, neighbour_id
    ) AS neighbour_rank /* The square of the cosine, of whole numbers: as large on each engine, to the last bit. */
  FROM both_ways
)
SELECT
  ranked.movie_id::INT64 AS movie_id,
  ranked.neighbour_id::INT64 AS neighbour_id,
  ranked.neighbour_rank::INT64 AS neighbour_rank,
  movies.title::STRING AS title,
  movies.release_year::INT64 AS release_year,
  neighbours.title::STRING AS neighbour_title,
  neighbours.release_year::INT64 AS neighbour_release_year,
  neighbours.genres::STRING AS neighbour_genres,
  ranked.user_count::INT64 AS user_count,
  ranked.liked_user_count::INT64 AS liked_user_count,
  ranked.neighbour_user_count::INT64 AS neighbour_user_count,
  ranked.of_user_count::INT64 AS of_user_count,
  (
    ranked.user_count / ranked.liked_user_count
  )::FLOAT64 AS user_share,
  (
    ranked.neighbour_user_count / ranked.of_user_count
  )::FLOAT64 AS expected_share,
  SQRT(
    ranked.user_count * ranked.user_count / (
      ranked.liked_user_count * ranked.neighbour_user_count
    )
  )::FLOAT64 AS similarity,
  ranked.lift::FLOAT64 AS lift,
  (
    ranked.lift * EXP(-ranked.log_margin)
  )::FLOAT64 AS lift_low,
  (
    ranked.lift * EXP(ranked.log_margin)
  )::FLOAT64 AS lift_high,
  newest_rating.rated_on::DATE AS as_of
FROM ranked
CROSS JOIN engagement_internal.thresholds AS thresholds
INNER JOIN interactions.movie_catalogue AS movies
  ON movies.movie_id = ranked.movie_id
INNER JOIN interactions.movie_catalogue AS neighbours
  ON neighbours.movie_id = ranked.neighbour_id
CROSS JOIN engagement_internal.newest_rating AS newest_rating
WHERE
  ranked.neighbour_rank <= thresholds.top_neighbours
