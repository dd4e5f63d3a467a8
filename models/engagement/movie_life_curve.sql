MODEL (
  name engagement.movie_life_curve,
  kind FULL,
  @contract(movie_life_curve)
);

/* What is left of the attention for the movie in the middle, so many months after the peak of each. Attention is the ratings of three months, called by the first of them, as in movie_lifecycles; a movie counts for as long as it could be observed. */
WITH lives AS (
  SELECT
    lives.movie_id,
    lives.peak_month,
    lives.peak_rating_count,
    lives.months_observed,
    CASE
      WHEN lives.release_year >= EXTRACT(YEAR FROM lives.peak_month) - thresholds.new_at_peak_years
      THEN 'new_at_peak'
      WHEN NOT lives.release_year IS NULL
      THEN 'older_at_peak'
    END AS age_at_peak
  FROM engagement.movie_lifecycles AS lives
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    NOT lives.peak_month IS NULL
), steps AS (
  SELECT
    lives.movie_id,
    lives.peak_month,
    lives.peak_rating_count,
    lives.age_at_peak,
    months_since
  FROM lives
  CROSS JOIN engagement_internal.thresholds AS thresholds
  CROSS JOIN UNNEST(GENERATE_ARRAY(0, LEAST(lives.months_observed, thresholds.life_curve_months))) AS months_since
), attention AS (
  SELECT
    steps.movie_id,
    steps.age_at_peak,
    steps.months_since,
    COALESCE(SUM(months.rating_count), 0) / steps.peak_rating_count AS attention_share
  FROM steps
  LEFT JOIN interactions.movies_engagement AS months
    ON months.movie_id = steps.movie_id
    AND DATE_DIFF(months.reporting_month, steps.peak_month, MONTH) BETWEEN steps.months_since AND steps.months_since + 2
  GROUP BY
    steps.movie_id,
    steps.age_at_peak,
    steps.months_since,
    steps.peak_rating_count
), grouped AS (
  SELECT
    'all' AS movies,
    months_since,
    attention_share
  FROM attention
  UNION ALL
  SELECT
    age_at_peak AS movies,
    months_since,
    attention_share
  FROM attention
  WHERE
    NOT age_at_peak IS NULL
), placed AS (
  SELECT
    movies,
    months_since,
    attention_share,
    ROW_NUMBER() OVER (PARTITION BY movies, months_since ORDER BY attention_share) AS place,
    COUNT(*) OVER (PARTITION BY movies, months_since) AS movie_count
  FROM grouped
), limits AS (
  /* The places between which the median of all such movies lies in 95 of 100 cases, by the binomial distribution; rounded outwards. */
  SELECT
    movies,
    months_since,
    attention_share,
    place,
    movie_count,
    FLOOR((
      movie_count - 1.959963984540054 * SQRT(movie_count)
    ) / 2) AS low_place
  FROM placed
)
SELECT
  limits.movies::STRING AS movies,
  limits.months_since::INT64 AS months_since,
  limits.movie_count::INT64 AS movie_count,
  AVG(
    IF(
      2 * limits.place BETWEEN limits.movie_count AND limits.movie_count + 2,
      limits.attention_share,
      NULL
    )
  )::FLOAT64 AS attention_share,
  MAX(IF(limits.place = limits.low_place, limits.attention_share, NULL))::FLOAT64 AS attention_share_low,
  MAX(
    IF(
      limits.place = limits.movie_count + 1 - limits.low_place,
      limits.attention_share,
      NULL
    )
  )::FLOAT64 AS attention_share_high,
  newest_rating.rated_on::DATE AS as_of
FROM limits
CROSS JOIN engagement_internal.newest_rating AS newest_rating
CROSS JOIN engagement_internal.thresholds AS thresholds
WHERE
  limits.movie_count >= thresholds.life_curve_from_movies
GROUP BY
  limits.movies,
  limits.months_since,
  limits.movie_count,
  newest_rating.rated_on
