MODEL (
  name engagement.cohort_activity,
  kind FULL,
  @contract(cohort_activity)
);

/* What the users who came in a month did in that month and in those after it. Only whole months are told of: one that is under way would look like a loss. A cohort is told of where audience_over_time tells how many were new, or that could be had from here; and what is held back of a month is of enough users together, since how many acted in it in all is known too. */
WITH cohorts AS (
  SELECT
    cohort_month,
    COUNT(*) AS user_count
  FROM engagement_internal.user_lifetimes
  GROUP BY
    cohort_month
), activity AS (
  SELECT
    lifetimes.cohort_month,
    lifetimes.newest_on,
    months.reporting_month,
    DATE_DIFF(months.reporting_month, lifetimes.cohort_month, MONTH) AS months_since,
    COUNT(*) AS active_user_count,
    COUNTIF(months.rating_count > 0) AS rater_count,
    COUNTIF(months.tag_count > 0) AS tagger_count,
    SUM(months.rating_count) AS rating_count,
    SUM(months.tag_count) AS tag_count,
    @median_of_many_histograms(months) AS rating_median
  FROM engagement_internal.user_months AS months
  INNER JOIN engagement_internal.user_lifetimes AS lifetimes
    ON lifetimes.user_id = months.user_id
  WHERE
    LAST_DAY(months.reporting_month, MONTH) <= lifetimes.newest_on
  GROUP BY
    lifetimes.cohort_month,
    lifetimes.newest_on,
    months.reporting_month
), judged AS (
  /* Where new users are told of, those who come back are a whole of their own. */
  SELECT
    activity.cohort_month,
    activity.months_since,
    cohorts.user_count,
    audience.shows_new_users
    AND NOT @withheld(
      activity.active_user_count,
      thresholds.smallest_group,
      activity.cohort_month,
      activity.reporting_month,
      activity.months_since = 0 AND audience.shows_new_users
    )
    AND (
      activity.months_since = 0
      OR cohorts.user_count - activity.active_user_count >= thresholds.smallest_group
    ) AS is_shown,
    activity.rater_count > 0
    AND NOT @withheld(
      activity.rater_count,
      thresholds.smallest_group,
      activity.cohort_month,
      activity.reporting_month
    ) AS shows_ratings,
    activity.tagger_count > 0
    AND NOT @withheld(
      activity.tagger_count,
      thresholds.smallest_group,
      activity.cohort_month,
      activity.reporting_month
    ) AS shows_tags
  FROM activity
  INNER JOIN cohorts
    ON cohorts.cohort_month = activity.cohort_month
  INNER JOIN engagement_internal.audience_months AS audience
    ON audience.reporting_month = activity.cohort_month
  CROSS JOIN engagement_internal.thresholds AS thresholds
)
SELECT
  activity.cohort_month::DATE AS cohort_month,
  activity.months_since::INT64 AS months_since,
  judged.user_count::INT64 AS user_count,
  activity.active_user_count::INT64 AS active_user_count,
  (
    activity.active_user_count / judged.user_count
  )::FLOAT64 AS active_user_share,
  IF(judged.shows_ratings, activity.rating_count, NULL)::INT64 AS rating_count,
  IF(judged.shows_ratings, activity.rating_median, NULL)::FLOAT64 AS rating_median,
  IF(judged.shows_tags, activity.tag_count, NULL)::INT64 AS tag_count,
  activity.newest_on::DATE AS as_of
FROM activity
INNER JOIN judged
  ON judged.cohort_month = activity.cohort_month
  AND judged.months_since = activity.months_since
WHERE
  judged.is_shown
