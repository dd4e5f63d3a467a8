MODEL (
  name engagement.movie_life_curve,
  kind FULL,
  @contract(movie_life_curve)
);

/* What is left of the attention for the movie in the middle, so many months after the peak of each. Attention is the ratings of three months, called by the first of them, as in movie_lifecycles; a movie counts for as long as it could be observed. Where many peaks lie in one year, their curves tell of that year as well. */
WITH lives AS (
  SELECT
    lives.movie_id,
    lives.peak_month,
    EXTRACT(YEAR FROM lives.peak_month) AS peak_year,
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
), years AS (
  SELECT
    peak_year
  FROM lives
  GROUP BY
    peak_year
  ORDER BY
    COUNT(*) DESC,
    peak_year
  LIMIT 1
), steps AS (
  SELECT
    lives.movie_id,
    lives.peak_year,
    lives.peak_rating_count,
    lives.age_at_peak,
    months_since
  FROM lives
  CROSS JOIN engagement_internal.thresholds AS thresholds
  CROSS JOIN UNNEST(GENERATE_ARRAY(0, LEAST(lives.months_observed, thresholds.life_curve_months))) AS months_since
), counted AS (
  /* A month counts in three steps: its own and the two before it. So movies and steps are joined by what is equal; by a range, each step of a movie would meet each of its months. */
  SELECT
    lives.movie_id,
    DATE_DIFF(months.reporting_month, lives.peak_month, MONTH) - months_before AS months_since,
    SUM(months.rating_count) AS rating_count
  FROM lives
  INNER JOIN interactions.movies_engagement AS months
    ON months.movie_id = lives.movie_id
  CROSS JOIN UNNEST([0, 1, 2]) AS months_before
  GROUP BY
    lives.movie_id,
    months_since
), attention AS (
  SELECT
    steps.movie_id,
    steps.peak_year,
    steps.age_at_peak,
    steps.months_since,
    COALESCE(counted.rating_count, 0) / steps.peak_rating_count AS attention_share
  FROM steps
  LEFT JOIN counted
    ON counted.movie_id = steps.movie_id AND counted.months_since = steps.months_since
), grouped AS (
  SELECT
    'all' AS movies,
    peak_year,
    months_since,
    attention_share
  FROM attention
  UNION ALL
  SELECT
    age_at_peak AS movies,
    peak_year,
    months_since,
    attention_share
  FROM attention
  WHERE
    NOT age_at_peak IS NULL
), placed AS (
  SELECT
    movies,
    peak_year,
    months_since,
    attention_share,
    ROW_NUMBER() OVER (PARTITION BY movies, months_since ORDER BY attention_share) AS place,
    COUNT(*) OVER (PARTITION BY movies, months_since) AS movie_count
  FROM grouped
), limits AS (
  /* The places between which the median of all such movies lies in 95 of 100 cases, by the binomial distribution; rounded outwards. */
  SELECT
    movies,
    peak_year,
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
  years.peak_year::INT64 AS peak_year,
  (
    COUNTIF(limits.peak_year = years.peak_year) / limits.movie_count
  )::FLOAT64 AS peak_year_share,
  newest_rating.rated_on::DATE AS as_of
FROM limits
CROSS JOIN years
CROSS JOIN engagement_internal.newest_rating AS newest_rating
CROSS JOIN engagement_internal.thresholds AS thresholds
WHERE
  limits.movie_count >= thresholds.life_curve_from_movies
GROUP BY
  limits.movies,
  limits.months_since,
  limits.movie_count,
  years.peak_year,
  newest_rating.rated_on
