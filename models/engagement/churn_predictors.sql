MODEL (
  name engagement.churn_predictors,
  kind FULL,
  @contract(churn_predictors, predictors_are_those_of_the_users)
);

/* What in the first days of users goes with their being gone afterwards: by quarters of each feature, and how well the feature tells those who go from those who stay. Users with the same value are in the same quarter, that of the first of them. */
WITH answers AS (
  SELECT
    feature,
    CASE feature
      WHEN 'ratings'
      THEN users.rating_count
      WHEN 'high_rating_share'
      THEN users.high_rating_share
      WHEN 'tags'
      THEN users.tag_count
      WHEN 'genres'
      THEN users.genre_count
      WHEN 'old_movie_share'
      THEN users.old_movie_share
      WHEN 'movie_age'
      THEN users.movie_age
      WHEN 'first_hour'
      THEN users.first_hour
      WHEN 'first_weekday'
      THEN users.first_weekday
    END AS value,
    COUNT(*) AS user_count,
    COUNTIF(users.has_churned) AS churned_count,
    COUNTIF(NOT users.has_churned) AS staying_count
  FROM engagement_internal.first_impressions AS users
  CROSS JOIN UNNEST([
    'ratings',
    'high_rating_share',
    'tags',
    'genres',
    'old_movie_share',
    'movie_age',
    'first_hour',
    'first_weekday'
  ]) AS feature
  GROUP BY
    feature,
    value
), placed AS (
  SELECT
    feature,
    value,
    user_count,
    churned_count,
    staying_count,
    SUM(user_count) OVER up_to - user_count AS users_below,
    SUM(churned_count) OVER up_to - churned_count AS churned_below,
    SUM(staying_count) OVER up_to - staying_count AS staying_below,
    SUM(user_count) OVER (PARTITION BY feature) AS all_users,
    SUM(churned_count) OVER (PARTITION BY feature) AS all_churned,
    SUM(staying_count) OVER (PARTITION BY feature) AS all_staying
  FROM answers
  WINDOW up_to AS (
    PARTITION BY feature
    ORDER BY value
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
), scored AS (
  /* Above how many of those who stay a churned user's value is, and below how many of the churned one's who stays; equal ones count half. */
  SELECT
    feature,
    value,
    user_count,
    churned_count,
    staying_count,
    all_users,
    all_churned,
    all_staying,
    1 + DIV(4 * users_below, all_users) AS quartile,
    SAFE_DIVIDE(staying_below + staying_count / 2, all_staying) AS churned_score,
    SAFE_DIVIDE(all_churned - churned_below - churned_count / 2, all_churned) AS staying_score
  FROM placed
), areas AS (
  SELECT
    feature,
    SAFE_DIVIDE(SUM(churned_count * churned_score), SUM(churned_count)) AS auc
  FROM scored
  GROUP BY
    feature
), separations AS (
  /* The standard error of DeLong, DeLong and Clarke-Pearson, which ties do not upset; on the scale of the logit, so that the interval stays between 0 and 1. */
  SELECT
    scored.feature,
    areas.auc,
    SQRT(
      SAFE_DIVIDE(
        SUM(scored.churned_count * POW(scored.churned_score - areas.auc, 2)),
        SUM(scored.churned_count) * (
          SUM(scored.churned_count) - 1
        )
      ) + SAFE_DIVIDE(
        SUM(scored.staying_count * POW(scored.staying_score - areas.auc, 2)),
        SUM(scored.staying_count) * (
          SUM(scored.staying_count) - 1
        )
      )
    ) / NULLIF(areas.auc * (
      1 - areas.auc
    ), 0) AS logit_error
  FROM scored
  INNER JOIN areas
    ON areas.feature = scored.feature
  GROUP BY
    scored.feature,
    areas.auc
), quarters AS (
  SELECT
    feature,
    quartile,
    MIN(value) AS value_from,
    SUM(user_count) AS user_count,
    SUM(churned_count) AS churned_count,
    SUM(staying_count) AS staying_count,
    MAX(all_users) AS all_users,
    MAX(all_churned) AS all_churned
  FROM scored
  GROUP BY
    feature,
    quartile
), compared AS (
  SELECT
    feature,
    quartile,
    value_from,
    user_count,
    churned_count,
    all_users,
    MIN(LEAST(churned_count, staying_count)) OVER (PARTITION BY feature) AS smallest_part,
    SAFE_DIVIDE(churned_count * all_users, user_count * all_churned) AS lift,
    IF(
      user_count < all_users,
      1.959963984540054 * SQRT(
        SAFE_DIVIDE(1, churned_count) - 1 / user_count - SAFE_DIVIDE(1, all_churned) + (
          2 * SAFE_DIVIDE(churned_count * all_users, user_count * all_churned) - 1
        ) / all_users
      ),
      NULL
    ) AS reach
  FROM quarters
), newest AS (
  SELECT
    MAX(newest_on) AS newest_on
  FROM engagement_internal.user_lifetimes
)
SELECT
  compared.feature::STRING AS feature,
  compared.quartile::INT64 AS quartile,
  IF(compared.quartile = 1, NULL, compared.value_from)::FLOAT64 AS value_from,
  compared.user_count::INT64 AS user_count,
  compared.churned_count::INT64 AS churned_user_count,
  (
    compared.churned_count / compared.user_count
  )::FLOAT64 AS churned_user_share,
  compared.lift::FLOAT64 AS lift,
  (
    compared.lift * EXP(-compared.reach)
  )::FLOAT64 AS lift_low,
  (
    compared.lift * EXP(compared.reach)
  )::FLOAT64 AS lift_high,
  DENSE_RANK() OVER (ORDER BY ABS(separations.auc - 0.5) DESC, compared.feature)::INT64 AS feature_rank,
  separations.auc::FLOAT64 AS auc,
  IF(
    separations.logit_error > 0,
    1 / (
      1 + (
        1 - separations.auc
      ) / separations.auc * EXP(1.959963984540054 * separations.logit_error)
    ),
    NULL
  )::FLOAT64 AS auc_low,
  IF(
    separations.logit_error > 0,
    1 / (
      1 + (
        1 - separations.auc
      ) / separations.auc * EXP(-1.959963984540054 * separations.logit_error)
    ),
    NULL
  )::FLOAT64 AS auc_high,
  newest.newest_on::DATE AS as_of
FROM compared
INNER JOIN separations
  ON separations.feature = compared.feature
CROSS JOIN newest
CROSS JOIN engagement_internal.thresholds AS thresholds
WHERE
  compared.smallest_part >= thresholds.smallest_group
