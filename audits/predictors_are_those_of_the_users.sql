AUDIT (
  name predictors_are_those_of_the_users,
  dialect bigquery
);

/* What no contract can ask, since no product tells what single users did in their first days: quarters begin, and count, as the users' own values say; and the area is that of the ranks of who left, its interval that of how far ranks differ within each side (Sun and Xu). */
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
    COUNTIF(users.has_churned) AS churned_count
  FROM engagement_internal.first_impressions AS users
  CROSS JOIN (
    SELECT DISTINCT
      feature
    FROM @this_model
  ) AS features
  GROUP BY
    feature,
    value
), ranked AS (
  SELECT
    feature,
    value,
    user_count,
    churned_count,
    SUM(user_count) OVER up_to AS last_rank,
    SUM(user_count) OVER up_to - (
      user_count - 1
    ) / 2 AS middle_rank,
    SUM(churned_count) OVER up_to - (
      churned_count - 1
    ) / 2 AS rank_of_churned,
    SUM(user_count - churned_count) OVER up_to - (
      user_count - churned_count - 1
    ) / 2 AS rank_of_staying,
    SUM(user_count) OVER (PARTITION BY feature) AS all_users,
    SUM(churned_count) OVER (PARTITION BY feature) AS all_churned
  FROM answers
  WINDOW up_to AS (
    PARTITION BY feature
    ORDER BY value
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
), quarters AS (
  SELECT
    feature,
    FLOOR(4 * (
      last_rank - user_count
    ) / all_users)::INT64 + 1 AS quartile,
    MIN(value) AS value_from,
    SUM(user_count) AS user_count,
    SUM(churned_count) AS churned_count
  FROM ranked
  GROUP BY
    feature,
    quartile
), areas AS (
  SELECT
    feature,
    (
      SUM(churned_count * middle_rank) - all_churned * (
        all_churned + 1
      ) / 2
    ) / (
      all_churned * (
        all_users - all_churned
      )
    ) AS auc,
    (
      SUM(churned_count * POW(middle_rank - rank_of_churned, 2)) - POW(SUM(churned_count * (
        middle_rank - rank_of_churned
      )), 2) / all_churned
    ) / (
      POW(all_users - all_churned, 2) * all_churned * (
        all_churned - 1
      )
    ) + (
      SUM((
        user_count - churned_count
      ) * POW(middle_rank - rank_of_staying, 2)) - POW(SUM((
        user_count - churned_count
      ) * (
        middle_rank - rank_of_staying
      )), 2) / (
        all_users - all_churned
      )
    ) / (
      POW(all_churned, 2) * (
        all_users - all_churned
      ) * (
        all_users - all_churned - 1
      )
    ) AS variance
  FROM ranked
  GROUP BY
    feature,
    all_users,
    all_churned
), compared AS (
  SELECT
    own.feature,
    own.quartile,
    own.user_count = quarters.user_count
    AND own.churned_user_count = quarters.churned_count
    AND COALESCE(own.value_from = quarters.value_from, own.quartile = 1) AS has_its_users,
    ABS(own.auc - areas.auc) < 0.000000001 AS has_its_area,
    ABS(
      POW(
        LN(own.auc_high / (
          1 - own.auc_high
        ) * (
          1 - own.auc
        ) / own.auc) * own.auc * (
          1 - own.auc
        ) / 1.959963984540054,
        2
      ) - areas.variance
    ) < 0.000000001 AS has_its_interval,
    own.auc_high IS NULL AS has_no_interval
  FROM @this_model AS own
  LEFT JOIN quarters
    ON quarters.feature = own.feature AND quarters.quartile = own.quartile
  LEFT JOIN areas
    ON areas.feature = own.feature
)
SELECT
  *
FROM compared
WHERE
  NOT COALESCE(
    has_its_users AND has_its_area AND COALESCE(has_its_interval, has_no_interval),
    FALSE
  )
