"""Bytes of a monthly run on BigQuery, beside those of textbook SQL for two of the products.

Every rating is put beside each genre of its movie, and windows sort them for the medians: there is
nothing to add a month to, so that each month reads all ratings again.
"""

from __future__ import annotations

from pathlib import Path

from sqlglot import exp, parse_one

from mesh.cost.estimate import relations_of
from mesh.cost.run import cost
from mesh.cost.scan import Relations, scan
from mesh.project import find_project
from mesh.prove.project import open_for_bigquery

ROOT = Path(__file__).resolve().parents[2]

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


def main() -> None:
    """Of the rows that stand in prod: what both scan in a month, and the ratio."""
    project = find_project(ROOT)
    found = cost(project, lambda _: ())
    files, sizes = open_for_bigquery(project), found.sizes
    months = {model.model: model.monthly for model in found.models}
    ours, book = sum(months.values()), sum(textbook_bytes(relations_of(files, sizes)).values())
    print(f"ours {ours:,.0f} bytes a month, textbook {book:,.0f}: {ours / book:.2f}")


if __name__ == "__main__":
    main()
