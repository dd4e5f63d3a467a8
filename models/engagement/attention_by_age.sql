MODEL (
  name engagement.attention_by_age,
  kind FULL,
  @contract(attention_by_age)
);

/* How old the movies are that people rate in a month. A month has a row for each class of age, also for one that nobody rated. */
WITH filled AS (
  SELECT
    months.reporting_month,
    months.is_whole,
    class_rank AS age_rank,
    months.shows_users AND months.shows_ratings AS shows_ratings,
    months.rating_count AS month_rating_count,
    COALESCE(ages.user_count, 0) AS user_count,
    COALESCE(ages.rating_count, 0) AS rating_count,
    SAFE_DIVIDE(COALESCE(ages.rating_count, 0), months.rating_count) AS rating_share,
    ages.rating_share_variance,
    ages.month_even_user_count
  FROM engagement_internal.audience_months AS months
  CROSS JOIN UNNEST([1, 2, 3, 4, 5, 6, 7]) AS class_rank
  LEFT JOIN engagement_internal.age_months AS ages
    ON ages.reporting_month = months.reporting_month AND ages.age_rank = class_rank
), judged AS (
  SELECT
    filled.reporting_month,
    filled.is_whole,
    filled.age_rank,
    filled.user_count,
    filled.rating_count,
    filled.rating_share,
    @effective_count(
      filled.rating_share,
      filled.rating_share_variance,
      filled.month_rating_count,
      filled.month_even_user_count
    ) AS share_number,
    @t_limit(filled.month_even_user_count - 1) AS share_errors,
    filled.shows_ratings
    AND NOT @withheld_of_shared(filled.user_count, thresholds.smallest_group, filled.age_rank, filled.reporting_month) AS is_shown
  FROM filled
  CROSS JOIN engagement_internal.thresholds AS thresholds
)
SELECT
  judged.reporting_month::DATE AS reporting_month,
  CASE judged.age_rank
    WHEN 1
    THEN 'this_year'
    WHEN 2
    THEN '1_year'
    WHEN 3
    THEN '2_to_4_years'
    WHEN 4
    THEN '5_to_9_years'
    WHEN 5
    THEN '10_to_19_years'
    WHEN 6
    THEN '20_years_or_more'
    ELSE 'unknown'
  END::STRING AS movie_age,
  judged.age_rank::INT64 AS age_rank,
  CASE
    WHEN NOT judged.is_shown
    THEN 'withheld'
    WHEN judged.user_count = 0
    THEN 'nobody'
    ELSE 'shown'
  END::STRING AS state,
  IF(judged.is_shown, judged.user_count, NULL)::INT64 AS user_count,
  IF(judged.is_shown, judged.rating_count, NULL)::INT64 AS rating_count,
  IF(judged.is_shown, judged.rating_share, NULL)::FLOAT64 AS rating_share,
  IF(
    judged.is_shown AND judged.user_count > 0,
    @wilson(judged.rating_share, judged.share_number, judged.share_errors, 'low'),
    NULL
  )::FLOAT64 AS rating_share_low,
  IF(
    judged.is_shown AND judged.user_count > 0,
    @wilson(judged.rating_share, judged.share_number, judged.share_errors, 'high'),
    NULL
  )::FLOAT64 AS rating_share_high,
  judged.is_whole::BOOL AS is_whole,
  newest_rating.rated_on::DATE AS as_of
FROM judged
CROSS JOIN engagement_internal.newest_rating AS newest_rating
