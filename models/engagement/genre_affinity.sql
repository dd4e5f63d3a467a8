MODEL (
  name engagement.genre_affinity,
  kind FULL,
  @contract(genre_affinity)
);

/* How much more often than by chance a user belongs to two genres: as one of the audience, or as one who likes them. Liking is counted of those who rated both often: else it would tell who rates much. The interval of the lift is the delta method's, on the scale of logarithms. */
WITH audience AS (
  SELECT
    COUNT(DISTINCT user_id) AS user_count
  FROM engagement_internal.user_genre_likings
  WHERE
    period = 'all_time'
), genres AS (
  SELECT
    genre,
    asked_count,
    likes_count
  FROM engagement_internal.genre_user_pairs
  WHERE
    genre = other_genre
), pairs AS (
  SELECT
    pairs.genre,
    pairs.other_genre,
    pairs.asked_count,
    pairs.likes_count,
    pairs.other_likes_count,
    pairs.both_like_count,
    own.asked_count AS genre_asked_count,
    other.asked_count AS other_asked_count,
    own.likes_count AS genre_likes_count,
    other.likes_count AS other_genre_likes_count,
    audience.user_count AS audience_count
  FROM engagement_internal.genre_user_pairs AS pairs
  INNER JOIN genres AS own
    ON own.genre = pairs.genre
  INNER JOIN genres AS other
    ON other.genre = pairs.other_genre
  CROSS JOIN audience
  WHERE
    pairs.genre <> pairs.other_genre
), nobody_alone AS (
  SELECT
    pairs.genre,
    pairs.other_genre
  FROM pairs
  CROSS JOIN UNNEST([
    pairs.genre_asked_count - pairs.asked_count,
    pairs.genre_likes_count - pairs.likes_count,
    pairs.genre_asked_count - pairs.asked_count - pairs.genre_likes_count + pairs.likes_count,
    pairs.other_asked_count - pairs.asked_count,
    pairs.other_genre_likes_count - pairs.other_likes_count,
    pairs.other_asked_count - pairs.asked_count - pairs.other_genre_likes_count + pairs.other_likes_count,
    pairs.audience_count - pairs.genre_asked_count - pairs.other_asked_count + pairs.asked_count
  ]) AS left_over
  CROSS JOIN engagement_internal.thresholds AS thresholds
  GROUP BY
    pairs.genre,
    pairs.other_genre
  HAVING
    LOGICAL_AND(left_over = 0 OR left_over >= thresholds.smallest_group)
), memberships AS (
  SELECT
    'rated_often' AS preference,
    genre,
    other_genre,
    asked_count AS user_count,
    genre_asked_count AS genre_user_count,
    other_asked_count AS other_user_count,
    audience_count AS of_user_count
  FROM pairs
  UNION ALL
  SELECT
    'likes' AS preference,
    pairs.genre,
    pairs.other_genre,
    pairs.both_like_count AS user_count,
    pairs.likes_count AS genre_user_count,
    pairs.other_likes_count AS other_user_count,
    pairs.asked_count AS of_user_count
  FROM pairs
  INNER JOIN nobody_alone
    ON nobody_alone.genre = pairs.genre AND nobody_alone.other_genre = pairs.other_genre
), shown AS (
  SELECT
    memberships.preference,
    memberships.genre,
    memberships.other_genre,
    memberships.user_count,
    memberships.genre_user_count,
    memberships.other_user_count,
    memberships.of_user_count,
    memberships.user_count * memberships.of_user_count / (
      memberships.genre_user_count * memberships.other_user_count
    ) AS lift
  FROM memberships
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    LEAST(
      memberships.user_count,
      memberships.genre_user_count - memberships.user_count,
      memberships.other_user_count - memberships.user_count,
      memberships.of_user_count - memberships.genre_user_count - memberships.other_user_count + memberships.user_count
    ) >= thresholds.smallest_group
), estimated AS (
  SELECT
    preference,
    genre,
    other_genre,
    user_count,
    genre_user_count,
    other_user_count,
    of_user_count,
    lift,
    1.959963984540054 * SQRT(
      1 / user_count - 1 / genre_user_count - 1 / other_user_count + (
        2 * lift - 1
      ) / of_user_count
    ) AS log_margin
  FROM shown
)
SELECT
  estimated.preference::STRING AS preference,
  estimated.genre::STRING AS genre,
  estimated.other_genre::STRING AS other_genre,
  ROW_NUMBER() OVER (
    PARTITION BY estimated.preference, estimated.genre
    ORDER BY estimated.lift DESC, estimated.user_count DESC, estimated.other_genre
  )::INT64 AS affinity_rank,
  estimated.user_count::INT64 AS user_count,
  estimated.genre_user_count::INT64 AS genre_user_count,
  estimated.other_user_count::INT64 AS other_user_count,
  estimated.of_user_count::INT64 AS of_user_count,
  (
    estimated.user_count / estimated.genre_user_count
  )::FLOAT64 AS user_share,
  (
    estimated.other_user_count / estimated.of_user_count
  )::FLOAT64 AS expected_share,
  estimated.lift::FLOAT64 AS lift,
  (
    estimated.lift * EXP(-estimated.log_margin)
  )::FLOAT64 AS lift_low,
  (
    estimated.lift * EXP(estimated.log_margin)
  )::FLOAT64 AS lift_high,
  newest_rating.rated_on::DATE AS as_of
FROM estimated
CROSS JOIN engagement_internal.newest_rating AS newest_rating
