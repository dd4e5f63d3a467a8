MODEL (
  name engagement.trending_movies,
  kind FULL,
  @contract(trending_movies)
);

/* The most rated movies of a span of days, against the span of as many days before it. The earliest day stands in the WHERE as well, since an engine drops the days before it sooner than by the join. Of a span that began before the first rating of all only a part could be counted, so nothing is compared with it. */
WITH spans AS (
  SELECT
    windows.period,
    daily.movie_id,
    daily.rated_on >= windows.window_start AS is_current,
    SUM(daily.rating_count) AS rating_count,
    SUM(daily.ratings_0_5) AS ratings_0_5,
    SUM(daily.ratings_1_0) AS ratings_1_0,
    SUM(daily.ratings_1_5) AS ratings_1_5,
    SUM(daily.ratings_2_0) AS ratings_2_0,
    SUM(daily.ratings_2_5) AS ratings_2_5,
    SUM(daily.ratings_3_0) AS ratings_3_0,
    SUM(daily.ratings_3_5) AS ratings_3_5,
    SUM(daily.ratings_4_0) AS ratings_4_0,
    SUM(daily.ratings_4_5) AS ratings_4_5
  FROM interactions.movies_engagement_daily AS daily
  INNER JOIN engagement_internal.windows AS windows
    ON daily.rated_on BETWEEN windows.previous_start AND windows.window_end
  WHERE
    daily.rated_on >= (
      SELECT
        MIN(previous_start)
      FROM engagement_internal.windows
    )
  GROUP BY
    windows.period,
    daily.movie_id,
    is_current
), movies AS (
  SELECT
    period,
    movie_id,
    MAX(IF(is_current, rating_count, 0)) AS rating_count,
    MAX(IF(is_current, @median_of_counts(spans), NULL)) AS rating_median,
    MAX(IF(is_current, 0, rating_count)) AS previous_rating_count,
    MAX(IF(is_current, NULL, @median_of_counts(spans))) AS previous_rating_median
  FROM spans
  GROUP BY
    period,
    movie_id
), first_rating AS (
  SELECT
    MIN(rated_on) AS rated_on
  FROM interactions.movies_engagement_daily
), compared AS (
  SELECT
    movies.period,
    movies.movie_id,
    movies.rating_count,
    movies.rating_median,
    movies.previous_rating_count,
    movies.previous_rating_median,
    CASE
      WHEN windows.previous_start < first_rating.rated_on
      THEN 'few_before'
      WHEN movies.previous_rating_count = 0
      THEN 'new'
      WHEN movies.previous_rating_count < thresholds.smallest_group
      THEN 'few_before'
      ELSE 'compared'
    END AS comparison
  FROM movies
  INNER JOIN engagement_internal.windows AS windows
    ON windows.period = movies.period
  CROSS JOIN first_rating
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    movies.rating_count >= thresholds.smallest_group
), shown AS (
  SELECT
    period,
    movie_id,
    rating_count,
    rating_median,
    comparison,
    IF(comparison = 'compared', previous_rating_count, NULL) AS previous_rating_count,
    IF(comparison = 'compared', previous_rating_median, NULL) AS previous_rating_median,
    ROW_NUMBER() OVER (PARTITION BY period ORDER BY rating_count DESC, rating_median DESC, movie_id) AS movie_rank
  FROM compared
), catalogue AS (
  SELECT
    engagement.movie_id,
    MAX(engagement.title) AS title,
    MAX(engagement.release_year) AS release_year,
    MAX(engagement.genres) AS genres
  FROM interactions.movies_engagement AS engagement
  INNER JOIN engagement_internal.windows AS windows
    ON engagement.reporting_month BETWEEN DATE_TRUNC(windows.window_start, MONTH) AND windows.window_end
  WHERE
    windows.period = 'last_182_days'
  GROUP BY
    engagement.movie_id
)
SELECT
  shown.period::STRING AS period,
  shown.movie_id::INT64 AS movie_id,
  shown.movie_rank::INT64 AS movie_rank,
  catalogue.title::STRING AS title,
  catalogue.release_year::INT64 AS release_year,
  catalogue.genres::STRING AS genres,
  shown.rating_count::INT64 AS rating_count,
  shown.previous_rating_count::INT64 AS previous_rating_count,
  (
    (
      shown.rating_count - shown.previous_rating_count
    ) / shown.previous_rating_count
  )::FLOAT64 AS rating_count_change,
  shown.rating_median::FLOAT64 AS rating_median,
  (
    shown.rating_median - shown.previous_rating_median
  )::FLOAT64 AS rating_median_change,
  shown.comparison::STRING AS comparison,
  windows.window_start::DATE AS window_start,
  windows.window_end::DATE AS as_of,
  windows.previous_start::DATE AS previous_start,
  windows.previous_end::DATE AS previous_end
FROM shown
INNER JOIN engagement_internal.windows AS windows
  ON windows.period = shown.period
INNER JOIN catalogue
  ON catalogue.movie_id = shown.movie_id
CROSS JOIN engagement_internal.thresholds AS thresholds
WHERE
  shown.movie_rank <= thresholds.top_trending_movies
