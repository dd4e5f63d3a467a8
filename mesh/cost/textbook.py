"""The same two products as a textbook writes them, to have something to compare with.

Every rating is put beside each genre of its movie, and windows sort them for the medians: there is
nothing to add a month to, so that each month reads all ratings again.
"""

from __future__ import annotations

from sqlglot import exp, parse_one

from mesh.cost.scan import Relations, scan

USER_GENRE_RATINGS = """
WITH exploded AS (
  SELECT
    ratings.userid AS user_id,
    genre,
    DATE_TRUNC(DATE(ratings.timestamp), MONTH) AS reporting_month,
    ratings.rating AS rating
  FROM operational.ratings AS ratings
  INNER JOIN operational.movies AS movies ON movies.movieid = ratings.movieid
  CROSS JOIN UNNEST(SPLIT(movies.genres, '|')) AS genre
)
SELECT DISTINCT
  user_id,
  genre,
  reporting_month,
  COUNT(*) OVER (PARTITION BY user_id, genre, reporting_month) AS rating_monthly_count,
  PERCENTILE_CONT(rating, 0.5) OVER (PARTITION BY user_id, genre, reporting_month)
    AS rating_monthly_median,
  COUNT(*) OVER (PARTITION BY user_id, genre) AS rating_count,
  PERCENTILE_CONT(rating, 0.5) OVER (PARTITION BY user_id, genre) AS rating_median
FROM exploded
"""

MOVIES_ENGAGEMENT = """
WITH tags AS (
  SELECT movieid AS movie_id, STRING_AGG(DISTINCT tag, '|') AS tags
  FROM operational.tags
  GROUP BY movie_id
)
SELECT DISTINCT
  ratings.movieid AS movie_id,
  DATE_TRUNC(DATE(ratings.timestamp), MONTH) AS reporting_month,
  movies.title AS title,
  movies.genres AS genres,
  tags.tags AS tags,
  COUNT(*) OVER (PARTITION BY ratings.movieid, DATE_TRUNC(DATE(ratings.timestamp), MONTH))
    AS rating_count,
  PERCENTILE_CONT(ratings.rating, 0.5) OVER (
    PARTITION BY ratings.movieid, DATE_TRUNC(DATE(ratings.timestamp), MONTH)
  ) AS rating_median
FROM operational.ratings AS ratings
INNER JOIN operational.movies AS movies ON movies.movieid = ratings.movieid
LEFT JOIN tags ON tags.movie_id = ratings.movieid
"""

TEXTBOOK = {
    "interactions.user_genre_ratings": USER_GENRE_RATINGS,
    "interactions.movies_engagement": MOVIES_ENGAGEMENT,
}


def textbook_bytes(relations: Relations) -> dict[str, float]:
    """Bytes that the textbook's monthly run scans, by product."""
    found = {}
    for product, sql in TEXTBOOK.items():
        query = parse_one(sql, dialect="bigquery")
        assert isinstance(query, exp.Query)
        found[product] = scan(query, relations).scanned
    return found
