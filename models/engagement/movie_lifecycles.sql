MODEL (
  name engagement.movie_lifecycles,
  kind FULL,
  @contract(movie_lifecycles)
);

/* How the attention for a movie came and went, and whether it is liked as it was at first. The month under way counts for nothing, since it would look like a fall. Attention is the ratings of three months, called by the first of them: of a fall by half in some months it shows just that, which a mean around the month would not where a life begins. */
WITH calendar AS (
  SELECT
    rated_on,
    DATE_SUB(DATE_TRUNC(DATE_ADD(rated_on, INTERVAL '1' DAY), MONTH), INTERVAL '1' MONTH) AS last_month
  FROM engagement_internal.newest_rating
), months AS (
  SELECT
    engagement.movie_id,
    engagement.reporting_month,
    engagement.rating_count
  FROM interactions.movies_engagement AS engagement
  CROSS JOIN calendar
  WHERE
    engagement.reporting_month <= calendar.last_month
), movies AS (
  SELECT
    months.movie_id,
    MIN(months.reporting_month) AS first_month,
    SUM(months.rating_count)::INT64 AS rating_count
  FROM months
  CROSS JOIN engagement_internal.thresholds AS thresholds
  GROUP BY
    months.movie_id,
    thresholds.life_from_ratings
  HAVING
    SUM(months.rating_count) >= thresholds.life_from_ratings
), ranked AS (
  SELECT
    months.movie_id,
    RANK() OVER (PARTITION BY months.reporting_month ORDER BY months.rating_count DESC) AS month_rank
  FROM months
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    months.rating_count >= thresholds.smallest_group
), tops AS (
  SELECT
    ranked.movie_id,
    COUNTIF(ranked.month_rank <= thresholds.top_movies) AS months_in_top
  FROM ranked
  CROSS JOIN engagement_internal.thresholds AS thresholds
  GROUP BY
    ranked.movie_id
), begun AS (
  SELECT
    months.movie_id,
    months.reporting_month,
    movies.rating_count AS movie_ratings,
    SUM(months.rating_count) OVER (PARTITION BY months.movie_id ORDER BY months.reporting_month) - months.rating_count AS ratings_before
  FROM months
  INNER JOIN movies
    ON movies.movie_id = months.movie_id
), splits AS (
  SELECT
    movie_id,
    MIN(IF(2 * ratings_before >= movie_ratings, reporting_month, NULL)) AS late_from
  FROM begun
  GROUP BY
    movie_id
), halves AS (
  SELECT
    splits.movie_id,
    splits.late_from,
    COALESCE(engagement.reporting_month < splits.late_from, TRUE) AS is_early,
    SUM(engagement.rating_count) AS rating_count,
    SUM(engagement.ratings_0_5) AS ratings_0_5,
    SUM(engagement.ratings_1_0) AS ratings_1_0,
    SUM(engagement.ratings_1_5) AS ratings_1_5,
    SUM(engagement.ratings_2_0) AS ratings_2_0,
    SUM(engagement.ratings_2_5) AS ratings_2_5,
    SUM(engagement.ratings_3_0) AS ratings_3_0,
    SUM(engagement.ratings_3_5) AS ratings_3_5,
    SUM(engagement.ratings_4_0) AS ratings_4_0,
    SUM(engagement.ratings_4_5) AS ratings_4_5,
    SUM(engagement.ratings_5_0) AS ratings_5_0
  FROM interactions.movies_engagement AS engagement
  INNER JOIN splits
    ON splits.movie_id = engagement.movie_id
  CROSS JOIN calendar
  WHERE
    engagement.reporting_month <= calendar.last_month
  GROUP BY
    splits.movie_id,
    splits.late_from,
    is_early
), summed AS (
  SELECT
    movie_id,
    late_from,
    is_early,
    rating_count,
    @median_of_counts(halves) AS rating_median,
    ratings_0_5 + 2 * ratings_1_0 + 3 * ratings_1_5 + 4 * ratings_2_0 + 5 * ratings_2_5 + 6 * ratings_3_0 + 7 * ratings_3_5 + 8 * ratings_4_0 + 9 * ratings_4_5 + 10 * ratings_5_0 AS half_stars,
    ratings_0_5 + 4 * ratings_1_0 + 9 * ratings_1_5 + 16 * ratings_2_0 + 25 * ratings_2_5 + 36 * ratings_3_0 + 49 * ratings_3_5 + 64 * ratings_4_0 + 81 * ratings_4_5 + 100 * ratings_5_0 AS squares
  FROM halves
), opinions AS (
  SELECT
    movie_id,
    SAFE_DIVIDE(
      SUM(squares) - SUM(half_stars) * SUM(half_stars) / SUM(rating_count),
      4 * (
        SUM(rating_count) - 1
      )
    ) AS rating_variance,
    MAX(late_from) AS late_from,
    MAX(IF(is_early, rating_count, 0)) AS early_count,
    MAX(IF(is_early, 0, rating_count)) AS late_count,
    MAX(IF(is_early, rating_median, NULL)) AS early_median,
    MAX(IF(is_early, NULL, rating_median)) AS late_median,
    SUM(IF(is_early, -1, 1) * half_stars / rating_count) / 2 AS difference,
    SQRT(
      SUM(
        SAFE_DIVIDE(
          squares - half_stars * half_stars / rating_count,
          4 * rating_count * (
            rating_count - 1
          )
        )
      )
    ) AS standard_error
  FROM summed
  GROUP BY
    movie_id
), compared AS (
  SELECT
    opinions.movie_id,
    opinions.late_from,
    opinions.early_count,
    opinions.early_median,
    opinions.late_median,
    opinions.difference,
    @t_limit(LEAST(opinions.early_count, opinions.late_count) - 1) * opinions.standard_error AS margin
  FROM opinions
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    LEAST(opinions.early_count, opinions.late_count) >= thresholds.interval_from_users
), attention AS (
  SELECT
    movies.movie_id,
    month,
    DATE_DIFF(calendar.last_month, month, MONTH) AS months_left,
    SUM(COALESCE(months.rating_count, 0)) OVER (
      PARTITION BY movies.movie_id
      ORDER BY month
      ROWS BETWEEN CURRENT ROW AND 2 FOLLOWING
    )::INT64 AS rating_count
  FROM movies
  CROSS JOIN calendar
  CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(movies.first_month, calendar.last_month, INTERVAL '1' MONTH)) AS month
  LEFT JOIN months
    ON months.movie_id = movies.movie_id AND months.reporting_month = month
), highest AS (
  SELECT
    attention.movie_id,
    MAX(attention.rating_count) AS peak_count
  FROM attention
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    attention.months_left >= 2
  GROUP BY
    attention.movie_id,
    thresholds.peak_from_ratings
  HAVING
    MAX(attention.rating_count) >= thresholds.peak_from_ratings
), peaks AS (
  SELECT
    attention.movie_id,
    highest.peak_count,
    MIN(attention.month) AS peak_month
  FROM attention
  INNER JOIN highest
    ON highest.movie_id = attention.movie_id
    AND highest.peak_count = attention.rating_count
  WHERE
    attention.months_left >= 2
  GROUP BY
    attention.movie_id,
    highest.peak_count
), since AS (
  SELECT
    peaks.movie_id,
    peaks.peak_month,
    peaks.peak_count,
    attention.rating_count,
    DATE_DIFF(attention.month, peaks.peak_month, MONTH) AS months_since,
    2 * attention.rating_count <= peaks.peak_count AS is_half,
    LN((
      attention.rating_count + 0.5
    ) / peaks.peak_count) - LN(0.5) AS log_share,
    1.959963984540054 * SQRT(1 / (
      attention.rating_count + 0.5
    ) + 1 / peaks.peak_count) AS log_margin
  FROM attention
  INNER JOIN peaks
    ON peaks.movie_id = attention.movie_id AND attention.month >= peaks.peak_month
  WHERE
    attention.months_left >= 2
), lives AS (
  SELECT
    movie_id,
    peak_month,
    peak_count,
    MAX(months_since) AS months_observed,
    MIN(IF(is_half, months_since, NULL)) AS half_life,
    MIN(IF(months_since > 0 AND log_share <= log_margin, months_since, NULL)) AS half_life_low,
    MIN(IF(months_since > 0 AND log_share <= -log_margin, months_since, NULL)) AS half_life_high
  FROM since
  GROUP BY
    movie_id,
    peak_month,
    peak_count
), comebacks AS (
  SELECT
    lives.movie_id,
    COUNT(*) AS month_count
  FROM lives
  INNER JOIN since
    ON since.movie_id = lives.movie_id AND since.months_since > lives.half_life_high
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    NOT since.is_half AND since.rating_count >= thresholds.peak_from_ratings
  GROUP BY
    lives.movie_id
)
SELECT
  movies.movie_id::INT64 AS movie_id,
  catalogue.title::STRING AS title,
  catalogue.release_year::INT64 AS release_year,
  catalogue.genres::STRING AS genres,
  movies.rating_count::INT64 AS rating_count,
  movies.first_month::DATE AS first_month,
  COALESCE(tops.months_in_top, 0)::INT64 AS months_in_top,
  CASE
    WHEN lives.movie_id IS NULL
    THEN 'not_enough_data'
    WHEN lives.half_life IS NULL
    THEN 'not_halved'
    ELSE 'halved'
  END::STRING AS attention,
  lives.peak_month::DATE AS peak_month,
  lives.peak_count::INT64 AS peak_rating_count,
  lives.half_life::INT64 AS half_life,
  lives.half_life_low::INT64 AS half_life_low,
  lives.half_life_high::INT64 AS half_life_high,
  lives.months_observed::INT64 AS months_observed,
  IF(lives.movie_id IS NULL, NULL, COALESCE(comebacks.month_count, 0))::INT64 AS comeback_months,
  opinions.rating_variance::FLOAT64 AS rating_variance,
  compared.late_from::DATE AS late_from,
  compared.early_count::INT64 AS early_rating_count,
  compared.early_median::FLOAT64 AS early_median,
  compared.late_median::FLOAT64 AS late_median,
  compared.difference::FLOAT64 AS difference,
  (
    compared.difference - compared.margin
  )::FLOAT64 AS difference_low,
  (
    compared.difference + compared.margin
  )::FLOAT64 AS difference_high,
  calendar.last_month::DATE AS last_month,
  calendar.rated_on::DATE AS as_of
FROM movies
INNER JOIN opinions
  ON opinions.movie_id = movies.movie_id
LEFT JOIN compared
  ON compared.movie_id = movies.movie_id
LEFT JOIN lives
  ON lives.movie_id = movies.movie_id
LEFT JOIN comebacks
  ON comebacks.movie_id = movies.movie_id
LEFT JOIN tops
  ON tops.movie_id = movies.movie_id
LEFT JOIN interactions.movie_catalogue AS catalogue
  ON catalogue.movie_id = movies.movie_id
CROSS JOIN calendar
