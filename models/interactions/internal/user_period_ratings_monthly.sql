MODEL (
  name interactions_internal.user_period_ratings_monthly,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column reporting_month
  ),
  description 'How a user rated the movies of a decade in a month, as a histogram of half-stars.',
  grain (user_id, release_decade, reporting_month),
  partitioned_by DATE_TRUNC(reporting_month, MONTH),
  clustered_by (user_id, release_decade)
);

/* A rating counts in the decade in which its movie came out; a movie without a year in none. */
WITH ratings AS (
  SELECT
    user_id,
    movie_id,
    DATE_TRUNC(rated_on, MONTH) AS reporting_month,
    @histogram_part(rating, 'low') AS histogram_low,
    @histogram_part(rating, 'mid') AS histogram_mid,
    @histogram_part(rating, 'high') AS histogram_high
  FROM interactions_internal.rating_events
  WHERE
    rated_on BETWEEN @start_date AND @end_date
)
SELECT
  ratings.user_id::INT64 AS user_id,
  movies.release_decade::STRING AS release_decade,
  ratings.reporting_month::DATE AS reporting_month,
  COUNT(*)::INT64 AS rating_count,
  SUM(ratings.histogram_low)::INT64 AS histogram_low,
  SUM(ratings.histogram_mid)::INT64 AS histogram_mid,
  SUM(ratings.histogram_high)::INT64 AS histogram_high
FROM ratings
INNER JOIN interactions_internal.movies AS movies
  ON movies.movie_id = ratings.movie_id
WHERE
  NOT movies.release_decade IS NULL
GROUP BY
  ratings.user_id,
  movies.release_decade,
  ratings.reporting_month
