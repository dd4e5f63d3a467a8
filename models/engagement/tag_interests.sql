MODEL (
  name engagement.tag_interests,
  kind FULL,
  @contract(tag_interests)
);

/* What viewers call movies: how many use a tag, on how many movies, and which genres those movies have more often than all tagged movies. A genre is told when its movies are many standard deviations above what chance would give: so many genres are looked at that two would be too few. */
WITH uses AS (
  SELECT
    tag,
    user_id,
    movie_id,
    MIN(tagged_on) AS first_used_on,
    MAX(tagged_on) AS last_used_on
  FROM engagement_internal.tag_uses
  GROUP BY
    tag,
    user_id,
    movie_id
), tags AS (
  SELECT
    tag,
    COUNT(DISTINCT user_id) AS user_count,
    COUNT(DISTINCT movie_id) AS movie_count,
    COUNT(*) AS use_count,
    MIN(first_used_on) AS first_used_on,
    MAX(last_used_on) AS last_used_on
  FROM uses
  GROUP BY
    tag
), spellings AS (
  SELECT
    tag,
    spelling,
    ROW_NUMBER() OVER (PARTITION BY tag ORDER BY COUNT(DISTINCT user_id) DESC, COUNT(*) DESC, spelling) AS place
  FROM engagement_internal.tag_uses
  GROUP BY
    tag,
    spelling
), tagged AS (
  SELECT DISTINCT
    movie_id
  FROM interactions.user_tags
), movie_genres AS (
  SELECT DISTINCT
    tagged.movie_id,
    genre
  FROM tagged
  INNER JOIN interactions.movie_catalogue AS catalogue
    ON catalogue.movie_id = tagged.movie_id
  CROSS JOIN UNNEST(SPLIT(catalogue.genres, '|')) AS genre
), genres AS (
  SELECT
    genre,
    COUNT(*) / (
      SELECT
        COUNT(*)
      FROM tagged
    ) AS movie_share
  FROM movie_genres
  GROUP BY
    genre
), tag_genres AS (
  SELECT
    own.tag,
    movie_genres.genre,
    COUNT(*) AS movie_count
  FROM (
    SELECT DISTINCT
      tag,
      movie_id
    FROM uses
  ) AS own
  INNER JOIN movie_genres
    ON movie_genres.movie_id = own.movie_id
  GROUP BY
    own.tag,
    movie_genres.genre
), compared AS (
  SELECT
    tag_genres.tag,
    tag_genres.genre,
    tag_genres.movie_count,
    SAFE_DIVIDE(
      tag_genres.movie_count - tags.movie_count * genres.movie_share,
      SQRT(tags.movie_count * genres.movie_share * (
        1 - genres.movie_share
      ))
    ) AS standard_deviations
  FROM tag_genres
  INNER JOIN tags
    ON tags.tag = tag_genres.tag
  INNER JOIN genres
    ON genres.genre = tag_genres.genre
), placed AS (
  SELECT
    compared.tag,
    compared.genre,
    ROW_NUMBER() OVER (
      PARTITION BY compared.tag
      ORDER BY compared.standard_deviations DESC, compared.genre
    ) AS place
  FROM compared
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    compared.movie_count >= thresholds.genre_from_movies
    AND compared.standard_deviations > thresholds.genre_above_deviations
), listed AS (
  SELECT
    placed.tag,
    STRING_AGG(placed.genre, '|'
    ORDER BY
      placed.place) AS genres
  FROM placed
  CROSS JOIN engagement_internal.thresholds AS thresholds
  WHERE
    placed.place <= thresholds.top_tag_genres
  GROUP BY
    placed.tag
)
SELECT
  tags.tag::STRING AS tag,
  spellings.spelling::STRING AS spelling,
  tags.user_count::INT64 AS user_count,
  tags.movie_count::INT64 AS movie_count,
  tags.use_count::INT64 AS use_count,
  listed.genres::STRING AS genres,
  tags.first_used_on::DATE AS first_used_on,
  tags.last_used_on::DATE AS last_used_on,
  newest_rating.rated_on::DATE AS as_of
FROM tags
INNER JOIN spellings
  ON spellings.tag = tags.tag
LEFT JOIN listed
  ON listed.tag = tags.tag
CROSS JOIN engagement_internal.newest_rating AS newest_rating
WHERE
  spellings.place = 1
