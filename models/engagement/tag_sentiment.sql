MODEL (
  name engagement.tag_sentiment,
  kind FULL,
  @contract(tag_sentiment)
);

/* How much better or worse viewers rate a movie that they give a tag: against the mean of its other ratings, and against how far the same viewer is from other means elsewhere. A viewer counts once per tag, however often they use it, since their uses are not independent. Numbers are rounded, so that they are the same however an engine adds up; a variance of nearly 0 lets a t be as large as need be without a division by 0. */
WITH movies AS (
  SELECT
    movie_id,
    COUNT(*) AS rating_count,
    SUM(rating) AS stars
  FROM interactions.user_movie_ratings
  GROUP BY
    movie_id
), tagged AS (
  SELECT DISTINCT
    tag,
    user_id,
    movie_id
  FROM engagement_internal.tag_uses
  WHERE
    NOT rating IS NULL
), taggers AS (
  SELECT DISTINCT
    user_id
  FROM tagged
), deviations AS (
  SELECT
    ratings.user_id,
    ratings.movie_id,
    ratings.rating - SAFE_DIVIDE(movies.stars - ratings.rating, movies.rating_count - 1) AS deviation
  FROM interactions.user_movie_ratings AS ratings
  INNER JOIN taggers
    ON taggers.user_id = ratings.user_id
  INNER JOIN movies
    ON movies.movie_id = ratings.movie_id
  WHERE
    movies.rating_count > 1
), habits AS (
  SELECT
    user_id,
    COUNT(*) AS rating_count,
    SUM(deviation) AS deviation
  FROM deviations
  GROUP BY
    user_id
), users AS (
  SELECT
    tagged.tag,
    tagged.user_id,
    COUNT(*) AS rating_count,
    ROUND(
      AVG(deviations.deviation) - SAFE_DIVIDE(
        MAX(habits.deviation) - SUM(deviations.deviation),
        MAX(habits.rating_count) - COUNT(*)
      ),
      6
    ) AS difference
  FROM tagged
  INNER JOIN deviations
    ON deviations.user_id = tagged.user_id AND deviations.movie_id = tagged.movie_id
  INNER JOIN habits
    ON habits.user_id = tagged.user_id
  GROUP BY
    tagged.tag,
    tagged.user_id
), tags AS (
  SELECT
    tag,
    COUNT(*) AS user_count,
    SUM(rating_count) AS rating_count,
    AVG(difference) AS difference,
    VAR_SAMP(difference) / COUNT(*) AS squared_error
  FROM users
  WHERE
    NOT difference IS NULL
  GROUP BY
    tag
), measured AS (
  SELECT
    tags.tag,
    tags.user_count - 1 AS degrees,
    tags.difference,
    SQRT(tags.squared_error) AS standard_error,
    tags.difference / SQRT(GREATEST(tags.squared_error, 0.000000000001)) AS t
  FROM tags
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    tags.user_count >= thresholds.interval_from_users
), tested AS (
  SELECT
    tag,
    difference,
    @t_limit(degrees) * standard_error AS margin,
    @t_tails(t, degrees) AS p_value
  FROM measured
), ranked AS (
  SELECT
    tag,
    difference,
    margin,
    ROW_NUMBER() OVER (ORDER BY p_value, tag) AS place,
    p_value * COUNT(*) OVER () / ROW_NUMBER() OVER (ORDER BY p_value, tag) AS false_share
  FROM tested
), corrected AS (
  SELECT
    tag,
    ROUND(difference, 6) AS difference,
    ROUND(margin, 6) AS margin,
    ROUND(LEAST(1.0, MIN(false_share) OVER (ORDER BY place DESC)), 9) AS adjusted_p_value
  FROM ranked
)
SELECT
  interests.tag::STRING AS tag,
  interests.spelling::STRING AS spelling,
  (
    DIV(COALESCE(tags.user_count, 0), thresholds.smallest_group) * thresholds.smallest_group
  )::INT64 AS user_count,
  (
    DIV(COALESCE(tags.rating_count, 0), thresholds.smallest_group) * thresholds.smallest_group
  )::INT64 AS rating_count,
  corrected.difference::FLOAT64 AS difference,
  (
    corrected.difference - corrected.margin
  )::FLOAT64 AS difference_low,
  (
    corrected.difference + corrected.margin
  )::FLOAT64 AS difference_high,
  corrected.adjusted_p_value::FLOAT64 AS adjusted_p_value,
  CASE
    WHEN corrected.tag IS NULL
    THEN 'not_enough_data'
    WHEN corrected.adjusted_p_value >= thresholds.sentiment_below_p_value
    THEN 'neither'
    WHEN corrected.difference > 0
    THEN 'praise'
    ELSE 'complaint'
  END::STRING AS sentiment,
  interests.as_of::DATE AS as_of
FROM engagement.tag_interests AS interests
LEFT JOIN tags
  ON tags.tag = interests.tag
LEFT JOIN corrected
  ON corrected.tag = interests.tag
CROSS JOIN engagement_internal.thresholds AS thresholds
