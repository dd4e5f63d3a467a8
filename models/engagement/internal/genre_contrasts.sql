MODEL (
  name engagement_internal.genre_contrasts,
  kind FULL,
  description 'How a share of a genre differs from the mean of its comparable genres, with a 95 % interval.',
  grain (measure, genre)
);

/* One row per measure and genre that at least one comparable genre has as well. Genres share movies and users, so their shares vary together: the variance of the difference sums, over all pairs of the genres in it, what each movie or user moves both. Of ratings that is what the share would be without the movie (the jackknife: a few movies have most of the ratings). Where a movie or user only agrees or disagrees, it is as if one more did, so that a share of none, or of all, is not taken for certain. Two genres that no user rated both vary together too: who is one's is not the other's. */
WITH movies AS (
  SELECT
    shares.measure,
    shares.genre,
    movies.movie_id,
    CASE
      WHEN shares.measure <> 'unrated_movies'
      THEN SAFE_DIVIDE(
        movies.high_rating_count - shares.share * movies.rating_count,
        shares.whole - movies.rating_count
      )
      WHEN movies.rating_count = 0
      THEN (
        1 - shares.share
      ) / shares.whole
      ELSE -shares.share / shares.whole
    END AS deviation
  FROM engagement_internal.genre_shares AS shares
  INNER JOIN engagement_internal.genre_movies AS movies
    ON movies.genre = shares.genre
  WHERE
    shares.measure IN ('unrated_movies', 'high_ratings')
    OR (
      shares.measure = 'recent_high_ratings' AND movies.is_recent
    )
), covariances AS (
  SELECT
    own.measure,
    own.genre,
    other.genre AS other_genre,
    SUM(own.deviation * other.deviation) AS covariance
  FROM movies AS own
  INNER JOIN movies AS other
    ON other.measure = own.measure AND other.movie_id = own.movie_id
  GROUP BY
    own.measure,
    own.genre,
    other.genre
  UNION ALL
  SELECT
    measure,
    genre,
    genre AS other_genre,
    1 / whole / whole AS covariance
  FROM engagement_internal.genre_shares
  WHERE
    measure IN ('unrated_movies', 'likes', 'users')
  UNION ALL
  SELECT
    own.measure,
    own.genre,
    other.genre AS other_genre,
    COALESCE(
      IF(
        own.measure = 'likes',
        pairs.both_like_count - other.share * pairs.likes_count - own.share * pairs.other_likes_count + own.share * other.share * pairs.asked_count,
        COALESCE(pairs.rated_count, 0) - own.share * other.share * own.whole
      ),
      0
    ) / own.whole / other.whole AS covariance
  FROM engagement_internal.genre_shares AS own
  INNER JOIN engagement_internal.genre_shares AS other
    ON other.measure = own.measure
  LEFT JOIN engagement_internal.genre_user_pairs AS pairs
    ON pairs.genre = own.genre AND pairs.other_genre = other.genre
  WHERE
    own.measure IN ('likes', 'users')
), members AS (
  SELECT
    measure,
    genre,
    genre AS member,
    1.0 AS weight,
    share,
    unit_count
  FROM engagement_internal.genre_shares
  UNION ALL
  SELECT
    own.measure,
    own.genre,
    other.genre AS member,
    -1.0 / COUNT(*) OVER (PARTITION BY own.measure, own.genre) AS weight,
    other.share,
    other.unit_count
  FROM engagement_internal.genre_shares AS own
  INNER JOIN engagement_internal.genre_comparables AS comparables
    ON comparables.genre = own.genre
  INNER JOIN engagement_internal.genre_shares AS other
    ON other.measure = own.measure AND other.genre = comparables.comparable_genre
), variances AS (
  SELECT
    one.measure,
    one.genre,
    SUM(one.weight * two.weight * covariances.covariance) AS variance
  FROM members AS one
  INNER JOIN members AS two
    ON two.measure = one.measure AND two.genre = one.genre
  INNER JOIN covariances
    ON covariances.measure = one.measure
    AND covariances.genre = one.member
    AND covariances.other_genre = two.member
  GROUP BY
    one.measure,
    one.genre
), differences AS (
  SELECT
    measure,
    genre,
    SUM(IF(member = genre, 0, -weight * share)) AS comparable_share,
    SUM(weight * share) AS difference,
    COUNT(*) - 1 AS comparable_count,
    MIN(unit_count) AS unit_count
  FROM members
  GROUP BY
    measure,
    genre
), judged AS (
  SELECT
    differences.measure,
    differences.genre,
    differences.comparable_share,
    differences.difference,
    differences.comparable_count,
    IF(
      variances.variance > 0
      AND differences.unit_count >= thresholds.interval_from_units,
      1.959963984540054 * SQRT(variances.variance),
      NULL
    ) AS margin
  FROM differences
  INNER JOIN variances
    ON variances.measure = differences.measure AND variances.genre = differences.genre
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    differences.comparable_count > 0
)
SELECT
  measure::STRING AS measure,
  genre::STRING AS genre,
  comparable_share::FLOAT64 AS comparable_share,
  difference::FLOAT64 AS difference,
  GREATEST(-1.0, difference - margin)::FLOAT64 AS difference_low,
  LEAST(1.0, difference + margin)::FLOAT64 AS difference_high
FROM judged
