MODEL (
  name engagement.churn_predictors,
  kind FULL,
  @contract(churn_predictors, predictors_are_those_of_the_users)
);

/* What in the first days of users goes with their being gone afterwards: by quarters of each feature, and how well the feature tells those who go from those who stay. A feature may go with the year in which users came, as leaving does, so quarters and pairs are also compared within the years. Users with the same value are in the same quarter, that of the first of them. */
WITH asked AS (
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
    users.first_year,
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
    value,
    users.first_year
), strata AS (
  /* All users are stratum 0, those who came in a year are the stratum of that year. */
  SELECT
    feature,
    first_year AS stratum,
    value,
    user_count,
    churned_count,
    staying_count
  FROM asked
  UNION ALL
  SELECT
    feature,
    0 AS stratum,
    value,
    SUM(user_count) AS user_count,
    SUM(churned_count) AS churned_count,
    SUM(staying_count) AS staying_count
  FROM asked
  GROUP BY
    feature,
    value
), placed AS (
  SELECT
    feature,
    stratum,
    value,
    user_count,
    churned_count,
    staying_count,
    SUM(user_count) OVER up_to - user_count AS users_below,
    SUM(churned_count) OVER up_to - churned_count AS churned_below,
    SUM(staying_count) OVER up_to - staying_count AS staying_below,
    SUM(user_count) OVER (PARTITION BY feature, stratum) AS all_users,
    SUM(churned_count) OVER (PARTITION BY feature, stratum) AS all_churned,
    SUM(staying_count) OVER (PARTITION BY feature, stratum) AS all_staying
  FROM strata
  WINDOW up_to AS (
    PARTITION BY feature, stratum
    ORDER BY value
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
), scored AS (
  /* Above how many of those who stay a churned user's value is, and below how many of the churned one's who stays; equal ones count half. */
  SELECT
    feature,
    stratum,
    value,
    user_count,
    churned_count,
    staying_count,
    all_users,
    all_churned,
    1 + DIV(4 * users_below, all_users) AS quartile,
    SAFE_DIVIDE(staying_below + staying_count / 2, all_staying) AS churned_score,
    SAFE_DIVIDE(all_churned - churned_below - churned_count / 2, all_churned) AS staying_score
  FROM placed
), areas AS (
  /* How far ranks differ, ties being one rank, is what a single user who left or stayed is taken to differ by. */
  SELECT
    feature,
    stratum,
    SAFE_DIVIDE(SUM(churned_count * churned_score), SUM(churned_count)) AS auc,
    (
      1 - SUM(POW(user_count / all_users, 3))
    ) / 12 AS rank_variance
  FROM scored
  GROUP BY
    feature,
    stratum
), errors AS (
  /* The variance of DeLong, DeLong and Clarke-Pearson, which ties do not upset. */
  SELECT
    scored.feature,
    scored.stratum,
    areas.auc,
    SUM(scored.churned_count) AS churned_count,
    SUM(scored.staying_count) AS staying_count,
    COALESCE(
      SAFE_DIVIDE(
        SUM(scored.churned_count * POW(scored.churned_score - areas.auc, 2)),
        SUM(scored.churned_count) - 1
      ),
      areas.rank_variance
    ) / SUM(scored.churned_count) + COALESCE(
      SAFE_DIVIDE(
        SUM(scored.staying_count * POW(scored.staying_score - areas.auc, 2)),
        SUM(scored.staying_count) - 1
      ),
      areas.rank_variance
    ) / SUM(scored.staying_count) AS variance
  FROM scored
  INNER JOIN areas
    ON areas.feature = scored.feature AND areas.stratum = scored.stratum
  GROUP BY
    scored.feature,
    scored.stratum,
    areas.auc,
    areas.rank_variance
  HAVING
    SUM(scored.churned_count) > 0 AND SUM(scored.staying_count) > 0
), separations AS (
  /* An interval is one on the scale of the logit, so that it stays between 0 and 1. */
  SELECT
    feature,
    auc,
    SQRT(variance) / NULLIF(auc * (
      1 - auc
    ), 0) AS logit_error
  FROM errors
  WHERE
    stratum = 0
), year_areas AS (
  /* Of all pairs who came in the same year: a year counts by its pairs. */
  SELECT
    feature,
    SUM(churned_count * staying_count * auc) / SUM(churned_count * staying_count) AS auc,
    SQRT(SUM(POW(churned_count * staying_count, 2) * variance)) / SUM(churned_count * staying_count) AS error,
    LEAST(SUM(churned_count), SUM(staying_count)) AS smallest_part
  FROM errors
  WHERE
    stratum > 0
  GROUP BY
    feature
), year_separations AS (
  SELECT
    year_areas.feature,
    year_areas.auc,
    year_areas.error / NULLIF(year_areas.auc * (
      1 - year_areas.auc
    ), 0) AS logit_error
  FROM year_areas
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    year_areas.smallest_part >= thresholds.smallest_group
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
  WHERE
    stratum = 0
  GROUP BY
    feature,
    quartile
), cells AS (
  /* The users of a quarter by the year in which they came, beside all who came in it. */
  SELECT
    asked.feature,
    scored.quartile,
    SUM(asked.user_count) AS user_count,
    SUM(asked.churned_count) AS churned_count,
    SUM(SUM(asked.user_count)) OVER of_the_year AS year_users,
    SUM(SUM(asked.churned_count)) OVER of_the_year AS year_churned
  FROM asked
  INNER JOIN scored
    ON scored.feature = asked.feature
    AND scored.value = asked.value
    AND scored.stratum = 0
  GROUP BY
    asked.feature,
    scored.quartile,
    asked.first_year
  WINDOW of_the_year AS (PARTITION BY asked.feature, asked.first_year)
), weighed AS (
  SELECT
    feature,
    quartile,
    user_count,
    churned_count,
    year_users - user_count AS other_users,
    year_churned - churned_count AS other_churned,
    SAFE_DIVIDE(year_churned * (
      year_users - year_churned
    ), year_users * (
      year_users - 1
    )) AS year_spread,
    SUM(user_count * year_churned / year_users) OVER of_the_quarter AS expected_count,
    user_count / year_users * SAFE_DIVIDE(
      SUM(churned_count) OVER of_the_quarter,
      SUM(user_count * year_churned / year_users) OVER of_the_quarter
    ) AS weight
  FROM cells
  WINDOW of_the_quarter AS (PARTITION BY feature, quartile)
), expected AS (
  /* How many of a quarter would have left if they left as often as all who came in their year, and the variance of how many more did, by the delta method: who is in the quarter counts on both sides, the others of the year in what is expected. How much users differ is asked of each part of a year; where one is a single user, of the whole year. */
  SELECT
    feature,
    quartile,
    MAX(expected_count) AS churned_count,
    SUM(
      POW(1 - weight, 2) * IF(
        user_count > 1,
        SAFE_DIVIDE(churned_count * (
          user_count - churned_count
        ), user_count - 1),
        year_spread
      ) + POW(weight, 2) * IF(
        other_users > 1,
        SAFE_DIVIDE(other_churned * (
          other_users - other_churned
        ), other_users - 1),
        other_users * year_spread
      )
    ) AS variance
  FROM weighed
  GROUP BY
    feature,
    quartile
), compared AS (
  SELECT
    quarters.feature,
    quarters.quartile,
    quarters.value_from,
    quarters.user_count,
    quarters.churned_count,
    quarters.all_users,
    MIN(LEAST(quarters.churned_count, quarters.staying_count)) OVER (PARTITION BY quarters.feature) AS smallest_part,
    SAFE_DIVIDE(
      quarters.churned_count * quarters.all_users,
      quarters.user_count * quarters.all_churned
    ) AS lift,
    IF(
      quarters.user_count < quarters.all_users,
      1.959963984540054 * SQRT(
        SAFE_DIVIDE(1, quarters.churned_count) - 1 / quarters.user_count - SAFE_DIVIDE(1, quarters.all_churned) + (
          2 * SAFE_DIVIDE(
            quarters.churned_count * quarters.all_users,
            quarters.user_count * quarters.all_churned
          ) - 1
        ) / quarters.all_users
      ),
      NULL
    ) AS reach,
    expected.churned_count AS expected_count,
    SAFE_DIVIDE(quarters.churned_count, expected.churned_count) AS year_lift,
    IF(
      expected.variance > 0.000000001,
      SAFE_DIVIDE(1.959963984540054 * SQRT(expected.variance), quarters.churned_count),
      NULL
    ) AS year_reach
  FROM quarters
  INNER JOIN expected
    ON expected.feature = quarters.feature AND expected.quartile = quarters.quartile
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
  compared.all_users::INT64 AS of_user_count,
  compared.churned_count::INT64 AS churned_user_count,
  (
    compared.churned_count / compared.user_count
  )::FLOAT64 AS churned_user_share,
  (
    compared.expected_count / compared.user_count
  )::FLOAT64 AS expected_churned_share,
  compared.lift::FLOAT64 AS lift,
  (
    compared.lift * EXP(-compared.reach)
  )::FLOAT64 AS lift_low,
  (
    compared.lift * EXP(compared.reach)
  )::FLOAT64 AS lift_high,
  compared.year_lift::FLOAT64 AS year_lift,
  (
    compared.year_lift * EXP(-compared.year_reach)
  )::FLOAT64 AS year_lift_low,
  (
    compared.year_lift * EXP(compared.year_reach)
  )::FLOAT64 AS year_lift_high,
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
  DENSE_RANK() OVER (ORDER BY COALESCE(ABS(year_separations.auc - 0.5), -1) DESC, compared.feature)::INT64 AS year_rank,
  year_separations.auc::FLOAT64 AS year_auc,
  IF(
    year_separations.logit_error > 0,
    1 / (
      1 + (
        1 - year_separations.auc
      ) / year_separations.auc * EXP(1.959963984540054 * year_separations.logit_error)
    ),
    NULL
  )::FLOAT64 AS year_auc_low,
  IF(
    year_separations.logit_error > 0,
    1 / (
      1 + (
        1 - year_separations.auc
      ) / year_separations.auc * EXP(-1.959963984540054 * year_separations.logit_error)
    ),
    NULL
  )::FLOAT64 AS year_auc_high,
  newest.newest_on::DATE AS as_of
FROM compared
INNER JOIN separations
  ON separations.feature = compared.feature
LEFT JOIN year_separations
  ON year_separations.feature = compared.feature
CROSS JOIN newest
CROSS JOIN engagement_internal.thresholds AS thresholds
WHERE
  compared.smallest_part >= thresholds.smallest_group
