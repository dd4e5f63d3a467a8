MODEL (
  name engagement_internal.newest_rating,
  kind FULL,
  description 'The day of the newest rating in UTC: what "now" means to every dashboard.'
);

/* One row; the day is NULL as long as there are no ratings. */
SELECT
  MAX(rated_on)::DATE AS rated_on
FROM interactions.movies_engagement_daily
