MODEL (
  name engagement_internal.audience_months,
  kind FULL,
  description 'How many users did something in a month, whether the month is over, and what of it may be shown.',
  grain reporting_month
);

/* One row per month from the first action to the last, with zeros where there was none. What is shown of a month can be found by nobody from the totals over all time either: those of ratings, of tags, and of users, each of whom is new in one month; nor from how many came in its year, of which churn_curve tells. A month is whole when there are ratings of its last day or of later ones. */
WITH users AS (
  SELECT
    user_id,
    reporting_month,
    SUM(IF(action_type = 'rate', action_monthly_count, 0)) AS rating_count,
    SUM(IF(action_type = 'tag', action_monthly_count, 0)) AS tag_count,
    MIN(reporting_month) OVER (PARTITION BY user_id) AS first_month
  FROM interactions.user_actions
  GROUP BY
    user_id,
    reporting_month
), months AS (
  SELECT
    reporting_month
  FROM (
    SELECT
      MIN(reporting_month) AS first_month,
      MAX(reporting_month) AS last_month
    FROM users
  ) AS span
  CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(span.first_month, span.last_month, INTERVAL '1' MONTH)) AS reporting_month
), counted AS (
  SELECT
    months.reporting_month,
    COUNT(users.user_id) AS active_user_count,
    COUNT(IF(users.first_month = months.reporting_month, users.user_id, NULL)) AS new_user_count,
    COUNT(IF(users.rating_count > 0, users.user_id, NULL)) AS rating_user_count,
    COUNT(IF(users.tag_count > 0, users.user_id, NULL)) AS tag_user_count,
    COALESCE(SUM(users.rating_count), 0) AS rating_count,
    COALESCE(SUM(users.tag_count), 0) AS tag_count
  FROM months
  LEFT JOIN users
    ON users.reporting_month = months.reporting_month
  GROUP BY
    months.reporting_month
), compared AS (
  SELECT
    counted.*,
    thresholds.smallest_group,
    EXTRACT(YEAR FROM counted.reporting_month) AS reporting_year,
    COALESCE(LAST_DAY(counted.reporting_month, MONTH) <= newest_rating.rated_on, FALSE) AS is_whole,
    IF(
      counted.active_user_count - counted.new_user_count BETWEEN 1 AND thresholds.smallest_group - 1,
      LEAST(counted.new_user_count, counted.active_user_count - counted.new_user_count),
      counted.new_user_count
    ) AS smaller_part
  FROM counted
  CROSS JOIN engagement_internal.newest_rating AS newest_rating
  CROSS JOIN engagement_internal.thresholds AS thresholds
)
SELECT
  reporting_month::DATE AS reporting_month,
  active_user_count::INT64 AS active_user_count,
  new_user_count::INT64 AS new_user_count,
  rating_count::INT64 AS rating_count,
  tag_count::INT64 AS tag_count,
  is_whole::BOOL AS is_whole,
  (
    active_user_count = 0 OR active_user_count >= smallest_group
  )::BOOL AS shows_users,
  (
    NOT @withheld(smaller_part, smallest_group, reporting_month)
    AND NOT @withheld(smaller_part, smallest_group, reporting_month, reporting_year)
  )::BOOL AS shows_new_users,
  (
    NOT @withheld_of_shared(rating_user_count, smallest_group, reporting_month)
  )::BOOL AS shows_ratings,
  (
    NOT @withheld_of_shared(tag_user_count, smallest_group, reporting_month)
  )::BOOL AS shows_tags
FROM compared
