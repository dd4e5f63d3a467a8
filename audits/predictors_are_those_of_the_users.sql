AUDIT (
  name predictors_are_those_of_the_users,
  dialect bigquery
);

/* What no rule of a contract can ask, which knows no spans of time: what users did in their first seven days, and whether more than 180 days without an action followed, is worked out anew from what they did (genres, which are costly to count, of every sixteenth user). Quarters begin and count as these say; the area is that of the ranks of who left, its interval that of how far ranks differ within each side (Sun and Xu). What is expected by year is counted from the years of all users. */
WITH actions AS (
  SELECT
    user_id,
    UNIX_MICROS(rated_at) AS acted_at,
    movie_id,
    rating
  FROM interactions.user_movie_ratings
  UNION ALL
  SELECT
    user_id,
    UNIX_MICROS(tagged_at) AS acted_at,
    NULL AS movie_id,
    NULL AS rating
  FROM interactions.user_tags
), spells AS (
  /* Within thirty days nobody is gone for long. */
  SELECT
    user_id,
    MIN(acted_at) AS first_at,
    MAX(acted_at) AS last_at
  FROM actions
  GROUP BY
    user_id,
    DIV(acted_at, 2592000000000)
), gaps AS (
  SELECT
    user_id,
    first_at,
    last_at,
    MAX(last_at) OVER () AS newest_at,
    LEAD(first_at) OVER (PARTITION BY user_id ORDER BY first_at) AS next_at
  FROM spells
), came AS (
  SELECT
    user_id,
    MIN(first_at) AS came_at,
    DATE_FROM_UNIX_DATE(DIV(MIN(first_at), 86400000000)) AS came_on,
    MIN(first_at) + 604800000000 AS week_end,
    COALESCE(MIN(IF(next_at - last_at > 15552000000000, last_at, NULL)), MAX(last_at)) < MIN(first_at) + 604800000000 AS has_churned
  FROM gaps
  GROUP BY
    user_id
  HAVING
    MIN(first_at) + 16156800000000 <= MAX(newest_at)
), users AS (
  SELECT
    came.user_id,
    came.has_churned,
    EXTRACT(YEAR FROM came.came_on) AS came_in,
    MOD(DIV(came.came_at, 3600000000), 24) AS hour,
    MOD(DATE_DIFF(came.came_on, '1969-12-29'::DATE, DAY), 7) + 1 AS weekday,
    COUNT(actions.rating) AS ratings,
    COUNTIF(actions.rating >= 4.5) AS high_ratings,
    COUNTIF(actions.rating IS NULL) AS tags,
    COUNT(movies.release_year) AS dated_ratings,
    COUNTIF(movies.release_year < EXTRACT(YEAR FROM came.came_on) - 20) AS old_ratings,
    SUM(EXTRACT(YEAR FROM came.came_on) - movies.release_year) AS movie_ages
  FROM came
  INNER JOIN actions
    ON actions.user_id = came.user_id AND actions.acted_at < came.week_end
  LEFT JOIN interactions.movie_catalogue AS movies
    ON movies.movie_id = actions.movie_id
  GROUP BY
    came.user_id,
    came.has_churned,
    came.came_at,
    came.came_on
), sixteenth AS (
  SELECT
    came.user_id,
    COUNT(DISTINCT genre) AS genres
  FROM came
  INNER JOIN interactions.user_movie_ratings AS rated
    ON rated.user_id = came.user_id AND UNIX_MICROS(rated.rated_at) < came.week_end
  INNER JOIN interactions.movie_catalogue AS movies
    ON movies.movie_id = rated.movie_id
  CROSS JOIN UNNEST(SPLIT(movies.genres, '|')) AS genre
  WHERE
    MOD(came.user_id, 16) = 0
  GROUP BY
    came.user_id
), miscounted AS (
  SELECT
    COUNT(*) AS user_count
  FROM engagement_internal.first_impressions AS impressions
  INNER JOIN sixteenth
    ON sixteenth.user_id = impressions.user_id
  WHERE
    sixteenth.genres <> impressions.genre_count
), asked AS (
  SELECT
    feature,
    users.came_in,
    CASE feature
      WHEN 'ratings'
      THEN users.ratings
      WHEN 'high_rating_share'
      THEN SAFE_DIVIDE(users.high_ratings, users.ratings)
      WHEN 'tags'
      THEN users.tags
      WHEN 'genres'
      THEN impressions.genre_count
      WHEN 'old_movie_share'
      THEN users.old_ratings / users.dated_ratings
      WHEN 'movie_age'
      THEN users.movie_ages / users.dated_ratings
      WHEN 'first_hour'
      THEN users.hour
      WHEN 'first_weekday'
      THEN users.weekday
    END AS value,
    COUNT(*) AS user_count,
    COUNTIF(users.has_churned) AS churned_count
  FROM users
  LEFT JOIN engagement_internal.first_impressions AS impressions
    ON impressions.user_id = users.user_id
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
  WHERE
    users.dated_ratings > 0
  GROUP BY
    feature,
    users.came_in,
    value
), strata AS (
  SELECT
    feature,
    came_in,
    value,
    user_count,
    churned_count
  FROM asked
  UNION ALL
  SELECT
    feature,
    0 AS came_in,
    value,
    SUM(user_count) AS user_count,
    SUM(churned_count) AS churned_count
  FROM asked
  GROUP BY
    feature,
    value
), ranked AS (
  /* Of all users, in year 0, and of those of each year. */
  SELECT
    feature,
    came_in,
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
    SUM(user_count) OVER (PARTITION BY feature, came_in) AS all_users,
    SUM(churned_count) OVER (PARTITION BY feature, came_in) AS all_churned
  FROM strata
  WINDOW up_to AS (
    PARTITION BY feature, came_in
    ORDER BY value
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
), valued AS (
  SELECT
    feature,
    value,
    FLOOR(4 * (
      last_rank - user_count
    ) / all_users)::INT64 + 1 AS quartile,
    user_count,
    churned_count
  FROM ranked
  WHERE
    came_in = 0
), quarters AS (
  SELECT
    feature,
    quartile,
    value_from,
    user_count,
    churned_count,
    MIN(LEAST(churned_count, user_count - churned_count)) OVER (PARTITION BY feature) >= 5 AS is_told
  FROM (
    SELECT
      feature,
      quartile,
      MIN(value) AS value_from,
      SUM(user_count) AS user_count,
      SUM(churned_count) AS churned_count
    FROM valued
    GROUP BY
      feature,
      quartile
  ) AS counted
), areas AS (
  /* By pairs, and in pairs squared. Of a side of one user it is not known how far ranks differ: as far as those of all. */
  SELECT
    feature,
    came_in,
    all_churned AS churned_count,
    all_users - all_churned AS staying_count,
    SUM(churned_count * middle_rank) - all_churned * (
      all_churned + 1
    ) / 2 AS area,
    all_churned * COALESCE(
      SAFE_DIVIDE(
        SUM(churned_count * POW(middle_rank - rank_of_churned, 2)) - POW(SUM(churned_count * (
          middle_rank - rank_of_churned
        )), 2) / all_churned,
        all_churned - 1
      ),
      POW((
        all_users - all_churned
      ) / all_users, 2) * (
        SUM(user_count * POW(middle_rank, 2)) / all_users - POW((
          all_users + 1
        ) / 2, 2)
      )
    ) + (
      all_users - all_churned
    ) * COALESCE(
      SAFE_DIVIDE(
        SUM((
          user_count - churned_count
        ) * POW(middle_rank - rank_of_staying, 2)) - POW(SUM((
          user_count - churned_count
        ) * (
          middle_rank - rank_of_staying
        )), 2) / (
          all_users - all_churned
        ),
        all_users - all_churned - 1
      ),
      POW(all_churned / all_users, 2) * (
        SUM(user_count * POW(middle_rank, 2)) / all_users - POW((
          all_users + 1
        ) / 2, 2)
      )
    ) AS variance
  FROM ranked
  WHERE
    all_churned BETWEEN 1 AND all_users - 1
  GROUP BY
    feature,
    came_in,
    all_users,
    all_churned
), separations AS (
  /* Of all users, and of the pairs of each year together. */
  SELECT
    feature,
    came_in > 0 AS is_by_year,
    SUM(area) / SUM(churned_count * staying_count) AS auc,
    SUM(variance) / POW(SUM(churned_count * staying_count), 2) AS variance,
    LEAST(SUM(churned_count), SUM(staying_count)) >= 5 AS is_told
  FROM areas
  GROUP BY
    feature,
    is_by_year
), years AS (
  SELECT
    came_in,
    COUNT(*) AS user_count,
    AVG(IF(has_churned, 1, 0)) AS churned_share
  FROM users
  WHERE
    dated_ratings > 0
  GROUP BY
    came_in
), cells AS (
  SELECT
    asked.feature,
    valued.quartile,
    years.user_count AS year_count,
    years.churned_share AS year_share,
    SUM(asked.user_count) AS user_count,
    SUM(asked.churned_count) AS churned_count,
    SUM(asked.user_count) * years.churned_share AS expected_count
  FROM asked
  INNER JOIN valued
    ON valued.feature = asked.feature AND valued.value = asked.value
  INNER JOIN years
    ON years.came_in = asked.came_in
  GROUP BY
    asked.feature,
    valued.quartile,
    asked.came_in,
    years.user_count,
    years.churned_share
), shares AS (
  /* Of those in the quarter, and of the others of the year, which share left; more than one user is needed to know how far they differ. */
  SELECT
    feature,
    quartile,
    user_count,
    churned_count,
    expected_count,
    user_count / year_count AS part,
    year_count - user_count AS other_count,
    IF(user_count > 1, churned_count / user_count, year_share) AS share,
    IF(user_count > 1, user_count, year_count) AS share_of,
    IF(
      year_count - user_count > 1,
      (
        year_count * year_share - churned_count
      ) / (
        year_count - user_count
      ),
      year_share
    ) AS other_share,
    IF(year_count - user_count > 1, year_count - user_count, year_count) AS other_share_of
  FROM cells
), errors AS (
  SELECT
    feature,
    quartile,
    user_count,
    churned_count,
    expected_count,
    part,
    COALESCE(user_count * share * (
      1 - share
    ) * SAFE_DIVIDE(share_of, share_of - 1), 0) AS own,
    COALESCE(
      other_count * other_share * (
        1 - other_share
      ) * SAFE_DIVIDE(other_share_of, other_share_of - 1),
      0
    ) AS others
  FROM shares
), expectations AS (
  SELECT
    feature,
    quartile,
    SUM(expected_count) / SUM(user_count) AS expected_share,
    SUM(own) - 2 * SUM(part * own) * SAFE_DIVIDE(SUM(churned_count), SUM(expected_count)) + SUM(POW(part, 2) * (
      own + others
    )) * POW(SAFE_DIVIDE(SUM(churned_count), SUM(expected_count)), 2) AS variance
  FROM errors
  GROUP BY
    feature,
    quartile
), compared AS (
  SELECT
    quarters.feature,
    quarters.quartile,
    quarters.is_told = (
      NOT own.feature IS NULL
    ) AS is_here_if_told,
    NOT own.feature IS NULL AS is_here,
    own.user_count = quarters.user_count
    AND own.churned_user_count = quarters.churned_count
    AND COALESCE(own.value_from = quarters.value_from, own.quartile = 1) AS has_its_users,
    ABS(own.auc - areas.auc) < 0.000000001 AS has_its_area,
    COALESCE(ABS(own.year_auc - year_areas.auc) < 0.000000001, own.year_auc IS NULL)
    AND (
      NOT own.year_auc IS NULL
    ) = COALESCE(year_areas.is_told, FALSE) AS has_its_year_area,
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
    own.auc_high IS NULL AND areas.variance < 0.000000001 AS needs_no_interval,
    ABS(
      POW(
        LN(
          own.year_auc_high / (
            1 - own.year_auc_high
          ) * (
            1 - own.year_auc
          ) / own.year_auc
        ) * own.year_auc * (
          1 - own.year_auc
        ) / 1.959963984540054,
        2
      ) - year_areas.variance
    ) < 0.000000001 AS has_its_interval_of_years,
    own.year_auc_high IS NULL
    AND (
      own.year_auc IS NULL
      OR own.year_auc IN (0, 1)
      OR year_areas.variance < 0.000000001
    ) AS needs_no_interval_of_years,
    ABS(own.expected_churned_share - expectations.expected_share) < 0.000000001 AS has_its_years,
    ABS(
      POW(
        LN(NULLIF(own.year_lift_high, 0) / NULLIF(own.year_lift, 0)) * own.churned_user_count / 1.959963984540054,
        2
      ) - expectations.variance
    ) < 0.000001 * (
      1 + expectations.variance
    ) AS has_its_year_interval,
    own.year_lift_high IS NULL AND expectations.variance < 0.000001 AS needs_no_year_interval,
    miscounted.user_count = 0 AS has_its_genres
  FROM @this_model AS own
  FULL JOIN quarters
    ON quarters.feature = own.feature AND quarters.quartile = own.quartile
  LEFT JOIN separations AS areas
    ON areas.feature = own.feature AND NOT areas.is_by_year
  LEFT JOIN separations AS year_areas
    ON year_areas.feature = own.feature AND year_areas.is_by_year
  LEFT JOIN expectations
    ON expectations.feature = quarters.feature
    AND expectations.quartile = quarters.quartile
  CROSS JOIN miscounted
), offending AS (
  SELECT
    feature,
    quartile,
    CASE
      WHEN NOT has_its_genres
      THEN 'the genres of the first days'
      WHEN NOT COALESCE(is_here_if_told, FALSE)
      THEN 'whether it is told'
      WHEN NOT COALESCE(has_its_users, FALSE)
      THEN 'users, who left, or where it begins'
      WHEN NOT COALESCE(has_its_area, FALSE)
      THEN 'auc'
      WHEN NOT COALESCE(has_its_interval, needs_no_interval, FALSE)
      THEN 'the interval of auc'
      WHEN NOT COALESCE(has_its_year_area, FALSE)
      THEN 'year_auc'
      WHEN NOT COALESCE(has_its_interval_of_years, needs_no_interval_of_years, FALSE)
      THEN 'the interval of year_auc'
      WHEN NOT COALESCE(has_its_years, FALSE)
      THEN 'expected_churned_share'
      ELSE 'the interval of year_lift'
    END AS otherwise
  FROM compared
  WHERE
    NOT has_its_genres
    OR NOT COALESCE(is_here_if_told, FALSE)
    OR is_here
    AND NOT COALESCE(
      has_its_users
      AND has_its_area
      AND COALESCE(has_its_interval, needs_no_interval)
      AND has_its_year_area
      AND COALESCE(has_its_interval_of_years, needs_no_interval_of_years)
      AND has_its_years
      AND COALESCE(has_its_year_interval, needs_no_year_interval),
      FALSE
    )
), counted AS (
  SELECT
    COUNT(*) AS row_count,
    MIN(
      CONCAT('feature=', feature, ', quartile=', quartile::STRING, ' (', otherwise, ')')
    ) AS example
  FROM offending
)
SELECT
  row_count
FROM counted
WHERE
  IF(
    row_count > 0,
    ERROR(
      CONCAT(
        'engagement.churn_predictors is not what users did in their first days: ',
        row_count::STRING,
        ' rows differ, such as ',
        COALESCE(example, 'one without a feature'),
        '.'
      )
    ),
    FALSE
  )
