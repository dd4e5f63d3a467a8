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
    daily.movie_id,
    DATE_TRUNC(daily.rated_on, MONTH) AS reporting_month,
    SUM(daily.rating_count) AS rating_count,
    SUM(daily.ratings_0_5) AS ratings_0_5,
    SUM(daily.ratings_1_0) AS ratings_1_0,
    SUM(daily.ratings_1_5) AS ratings_1_5,
    SUM(daily.ratings_2_0) AS ratings_2_0,
    SUM(daily.ratings_2_5) AS ratings_2_5,
    SUM(daily.ratings_3_0) AS ratings_3_0,
    SUM(daily.ratings_3_5) AS ratings_3_5,
    SUM(daily.ratings_4_0) AS ratings_4_0,
    SUM(daily.ratings_4_5) AS ratings_4_5,
    SUM(daily.ratings_5_0) AS ratings_5_0
  FROM interactions.movies_engagement_daily AS daily
  CROSS JOIN calendar
  WHERE
    DATE_TRUNC(daily.rated_on, MONTH) <= calendar.last_month
  GROUP BY
    daily.movie_id,
    reporting_month
), ranked AS (
  SELECT
    *,
    RANK() OVER (PARTITION BY reporting_month ORDER BY rating_count DESC) AS month_rank,
    SUM(rating_count) OVER (PARTITION BY movie_id) AS movie_ratings,
    SUM(rating_count) OVER (PARTITION BY movie_id ORDER BY reporting_month) AS ratings_so_far
  FROM months
), rated AS (
  SELECT
    ranked.*,
    ranked.month_rank <= thresholds.top_movies
    AND ranked.rating_count >= thresholds.smallest_group AS is_top,
    2 * (
      ranked.ratings_so_far - ranked.rating_count
    ) < ranked.movie_ratings AS is_early
  FROM ranked
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    ranked.movie_ratings >= thresholds.life_from_ratings
), movies AS (
  SELECT
    movie_id,
    MIN(reporting_month) AS first_month,
    COUNTIF(is_top) AS months_in_top
  FROM rated
  GROUP BY
    movie_id
), halves AS (
  SELECT
    movie_id,
    is_early,
    MIN(reporting_month) AS from_month,
    SUM(rating_count) AS rating_count,
    SUM(ratings_0_5) AS ratings_0_5,
    SUM(ratings_1_0) AS ratings_1_0,
    SUM(ratings_1_5) AS ratings_1_5,
    SUM(ratings_2_0) AS ratings_2_0,
    SUM(ratings_2_5) AS ratings_2_5,
    SUM(ratings_3_0) AS ratings_3_0,
    SUM(ratings_3_5) AS ratings_3_5,
    SUM(ratings_4_0) AS ratings_4_0,
    SUM(ratings_4_5) AS ratings_4_5,
    SUM(ratings_5_0) AS ratings_5_0
  FROM rated
  GROUP BY
    movie_id,
    is_early
), summed AS (
  SELECT
    movie_id,
    is_early,
    from_month,
    rating_count,
    @median_of_counts(halves) AS rating_median,
    ratings_0_5 + 2 * ratings_1_0 + 3 * ratings_1_5 + 4 * ratings_2_0 + 5 * ratings_2_5 + 6 * ratings_3_0 + 7 * ratings_3_5 + 8 * ratings_4_0 + 9 * ratings_4_5 + 10 * ratings_5_0 AS half_stars,
    ratings_0_5 + 4 * ratings_1_0 + 9 * ratings_1_5 + 16 * ratings_2_0 + 25 * ratings_2_5 + 36 * ratings_3_0 + 49 * ratings_3_5 + 64 * ratings_4_0 + 81 * ratings_4_5 + 100 * ratings_5_0 AS squares
  FROM halves
), opinions AS (
  SELECT
    movie_id,
    SUM(rating_count) AS rating_count,
    SAFE_DIVIDE(
      SUM(squares) - SUM(half_stars) * SUM(half_stars) / SUM(rating_count),
      4 * (
        SUM(rating_count) - 1
      )
    ) AS rating_variance,
    MAX(IF(is_early, NULL, from_month)) AS late_from,
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
    month AS reporting_month,
    SUM(COALESCE(rated.rating_count, 0)) OVER (
      PARTITION BY movies.movie_id
      ORDER BY month
      ROWS BETWEEN CURRENT ROW AND 2 FOLLOWING
    ) AS rating_count
  FROM movies
  CROSS JOIN calendar
  CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(movies.first_month, calendar.last_month, INTERVAL '1' MONTH)) AS month
  LEFT JOIN rated
    ON rated.movie_id = movies.movie_id AND rated.reporting_month = month
), whole AS (
  SELECT
    attention.movie_id,
    attention.reporting_month,
    attention.rating_count,
    MAX(attention.rating_count) OVER (PARTITION BY attention.movie_id) AS peak_count
  FROM attention
  CROSS JOIN calendar
  WHERE
    attention.reporting_month <= DATE_SUB(calendar.last_month, INTERVAL '2' MONTH)
), peaks AS (
  SELECT
    whole.movie_id,
    whole.reporting_month,
    whole.rating_count,
    whole.peak_count,
    MIN(IF(whole.rating_count = whole.peak_count, whole.reporting_month, NULL)) OVER (PARTITION BY whole.movie_id) AS peak_month
  FROM whole
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    whole.peak_count >= thresholds.peak_from_ratings
), since AS (
  SELECT
    movie_id,
    rating_count,
    peak_month,
    peak_count,
    DATE_DIFF(reporting_month, peak_month, MONTH) AS months_since,
    LN((
      rating_count + 0.5
    ) / peak_count) AS log_share,
    1.959963984540054 * SQRT(1 / (
      rating_count + 0.5
    ) + 1 / peak_count) AS log_margin
  FROM peaks
  WHERE
    reporting_month >= peak_month
), fallen AS (
  SELECT
    movie_id,
    rating_count,
    peak_month,
    peak_count,
    months_since,
    MIN(IF(2 * rating_count <= peak_count, months_since, NULL)) OVER (PARTITION BY movie_id) AS half_life,
    MIN(IF(log_share - log_margin <= LN(0.5) AND months_since > 0, months_since, NULL)) OVER (PARTITION BY movie_id) AS half_life_low,
    MIN(IF(log_share + log_margin <= LN(0.5) AND months_since > 0, months_since, NULL)) OVER (PARTITION BY movie_id) AS half_life_high
  FROM since
), lives AS (
  SELECT
    fallen.movie_id,
    fallen.peak_month,
    fallen.peak_count,
    fallen.half_life,
    fallen.half_life_low,
    fallen.half_life_high,
    MAX(fallen.months_since) AS months_observed,
    COUNTIF(
      fallen.months_since > COALESCE(fallen.half_life_high, fallen.months_since)
      AND 2 * fallen.rating_count > fallen.peak_count
      AND fallen.rating_count >= thresholds.peak_from_ratings
    ) AS comeback_months
  FROM fallen
  CROSS JOIN engagement_internal.thresholds AS thresholds
  GROUP BY
    fallen.movie_id,
    fallen.peak_month,
    fallen.peak_count,
    fallen.half_life,
    fallen.half_life_low,
    fallen.half_life_high
)
SELECT
  movies.movie_id::INT64 AS movie_id,
  catalogue.title::STRING AS title,
  catalogue.release_year::INT64 AS release_year,
  catalogue.genres::STRING AS genres,
  opinions.rating_count::INT64 AS rating_count,
  movies.first_month::DATE AS first_month,
  movies.months_in_top::INT64 AS months_in_top,
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
  lives.comeback_months::INT64 AS comeback_months,
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
LEFT JOIN interactions.movie_catalogue AS catalogue
  ON catalogue.movie_id = movies.movie_id
CROSS JOIN calendar
