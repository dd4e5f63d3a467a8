"""Queries of models on a DuckDB in memory, for tests that need many small data sets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb
import pandas as pd
from scipy.stats import t as student
from sqlmesh.core.dialect import parse
from sqlmesh.core.macros import macro
from sqlmesh.core.model import load_sql_based_model

import macros.daily_counts
import macros.half_stars
import macros.students_t
import macros.withheld  # noqa: F401  (they register themselves)

# As they are now: a project that another test loads has macros of its own.
MACROS = dict(macro.get_registry())
MODELS = Path(__file__).resolve().parent.parent / "models"


def on_duckdb(query: str) -> str:
    """A query of a model, in GoogleSQL with macros, as SQLMesh runs it on DuckDB."""
    return _rendered(f"MODEL (name scratch.rendered, kind FULL); {query}")


@cache
def query_of(name: str) -> str:
    """The same of a model's file for all days, by a name such as `interactions.user_tags`."""
    schema, model = name.split(".")
    domain, _, internal = schema.partition("_")
    text = (MODELS / domain / internal / f"{model}.sql").read_text()
    return _rendered(re.sub(r",?\s*@contract\(\w+\)", "", text))


def _rendered(text: str) -> str:
    model = load_sql_based_model(
        parse(text, default_dialect="bigquery"), macros=MACROS, dialect="bigquery"
    )
    query = model.render_query_or_raise(start="1990-01-01", end="2035-12-31")
    return query.sql(dialect="duckdb")


def in_memory() -> duckdb.DuckDBPyConnection:
    """A database that has the schemas of both domains."""
    connection = duckdb.connect(config={"threads": 1})
    for schema in ("interactions", "engagement", "engagement_internal"):
        connection.execute(f"CREATE SCHEMA {schema}")
    return connection


class Products:
    """The products of a domain, made by their own queries from given tables."""

    def __init__(self, *models: str) -> None:
        """models: their names, such as `engagement_internal.thresholds`, in the order of use."""
        self.connection = in_memory()
        self.queries = {name: query_of(name) for name in models}

    def load(self, table: str, rows: pd.DataFrame) -> None:
        """Replace an input."""
        self.connection.register("given", rows)
        self.connection.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM given")
        self.connection.unregister("given")

    def make(self) -> pd.DataFrame:
        """All models anew; the rows of the last one."""
        for name, query in self.queries.items():
            self.connection.execute(f"CREATE OR REPLACE TABLE {name} AS {query}")
        return self.connection.execute(f"SELECT * FROM {name} ORDER BY 1").df()


@contextmanager
def products(*models: str) -> Iterator[Products]:
    made = Products(*models)
    try:
        yield made
    finally:
        made.connection.close()


def tails_of_t(t: float, degrees: float) -> float:
    """How likely Student's t is at least that far from 0."""
    return float(2 * student.sf(abs(t), degrees))


def reach_of_t(degrees: float) -> float:
    """How many standard errors a two-sided 95 % interval reaches."""
    return float(student.ppf(0.975, degrees))


def movielens() -> dict[str, pd.DataFrame]:
    """The files of MOVIELENS_DIR; days in UTC, and a tag with the same user's rating."""
    folder = Path(os.environ["MOVIELENS_DIR"])
    names = {"userId": "user_id", "movieId": "movie_id"}
    movies, ratings, tags = (
        pd.read_csv(folder / f"{name}.csv", keep_default_na=False).rename(columns=names)
        for name in ("movies", "ratings", "tags")
    )
    movies["genres"] = movies.genres.where(movies.genres != "(no genres listed)", None)
    movies["release_year"] = 0
    ratings["rated_at"] = pd.to_datetime(ratings.timestamp, unit="s")
    tags["tagged_at"] = pd.to_datetime(tags.timestamp, unit="s")
    tags = tags.merge(ratings[["user_id", "movie_id", "rating"]], how="left")
    return {"movies": movies, "ratings": ratings, "tags": tags}


def daily(ratings: pd.DataFrame) -> pd.DataFrame:
    """Ratings with `rated_at` as `movies_engagement_daily`."""
    days = ratings.assign(rated_on=ratings.rated_at.dt.date)
    counted = days.groupby(["movie_id", "rated_on", "rating"]).size().unstack(fill_value=0)
    counted = counted.reindex(columns=[h / 2 for h in range(1, 11)], fill_value=0)
    counted.columns = [f"ratings_{str(stars).replace('.', '_')}" for stars in counted.columns]
    counted.insert(0, "rating_count", counted.sum(axis=1))
    return counted.reset_index()
