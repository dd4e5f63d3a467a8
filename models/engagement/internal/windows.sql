MODEL (
  name engagement_internal.windows,
  kind VIEW,
  description 'The spans of days that the dashboards look at: they end at the newest rating, and so slide with the data.',
  grain period
);

/* Both ends belong to a span. Spans that are compared have as many days as the one before; whole months, of which the newest may be under way, have none to be compared with. */
SELECT
  'last_30_days'::STRING AS period,
  DATE_SUB(rated_on, INTERVAL '29' DAY)::DATE AS window_start,
  rated_on::DATE AS window_end,
  DATE_SUB(rated_on, INTERVAL '59' DAY)::DATE AS previous_start,
  DATE_SUB(rated_on, INTERVAL '30' DAY)::DATE AS previous_end
FROM engagement_internal.newest_rating
UNION ALL
SELECT
  'last_182_days'::STRING AS period,
  DATE_SUB(rated_on, INTERVAL '181' DAY)::DATE AS window_start,
  rated_on::DATE AS window_end,
  DATE_SUB(rated_on, INTERVAL '363' DAY)::DATE AS previous_start,
  DATE_SUB(rated_on, INTERVAL '182' DAY)::DATE AS previous_end
FROM engagement_internal.newest_rating
UNION ALL
SELECT
  'last_6_months'::STRING AS period,
  DATE_SUB(DATE_TRUNC(rated_on, MONTH), INTERVAL '5' MONTH)::DATE AS window_start,
  rated_on::DATE AS window_end,
  NULL::DATE AS previous_start,
  NULL::DATE AS previous_end
FROM engagement_internal.newest_rating
