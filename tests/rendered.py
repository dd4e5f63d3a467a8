"""Queries of models on a DuckDB in memory, for tests that need many small data sets."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest.mock import patch

import duckdb
import pandas as pd
from scipy.stats import t as student
from sqlglot import exp, parse_one
from sqlmesh.core.constants import SQLMESH_BUILTIN
from sqlmesh.core.dialect import parse
from sqlmesh.core.macros import MacroRegistry, macro
from sqlmesh.core.model import load_sql_based_model
from sqlmesh.utils import UniqueKeyDict
from sqlmesh.utils.metaprogramming import import_python_file

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ("interactions", "interactions_internal", "engagement", "engagement_internal")
OPERATIONAL = {
    "movies": "movieId BIGINT, title VARCHAR, genres VARCHAR",
    "ratings": "userId BIGINT, movieId BIGINT, rating DOUBLE, timestamp TIMESTAMPTZ",
    "tags": "userId BIGINT, movieId BIGINT, tag VARCHAR, timestamp TIMESTAMPTZ",
}
Tables = dict[str, pd.DataFrame]


def on_duckdb(query: str) -> str:
    """A query of a model, in GoogleSQL with macros, as SQLMesh runs it on DuckDB."""
    return _rendered(f"MODEL (name scratch.rendered, kind FULL); {query}")


@cache
def query_of(name: str) -> str:
    """The same of a model's file for all days, by a name such as `interactions.user_tags`."""
    return edited(name)


def edited(name: str, old: str = "", new: str = "") -> str:
    """The same, with a text in the file replaced, which must be there."""
    text = _file_of(name).read_text()
    assert old in text, f"{name} has no {old!r}"
    return _rendered(re.sub(r",?\s*@(source_)?contract\(.*?\)", "", text.replace(old, new)))


def audit_of(audit: str, model: str) -> str:
    """The query of an audit in its file, on a model."""
    _, query = (ROOT / "audits" / f"{audit}.sql").read_text().split(");\n", 1)
    return on_duckdb(query.replace("@this_model", model))


def _file_of(name: str) -> Path:
    schema, model = name.split(".")
    domain, _, internal = schema.partition("_")
    return ROOT / "models" / domain / internal / f"{model}.sql"


def _rendered(text: str) -> str:
    with own_macros() as macros:
        model = load_sql_based_model(
            parse(text, default_dialect="bigquery"),
            macros=macros,
            dialect="bigquery",
            module_path=ROOT,
        )
    query = model.render_query_or_raise(start="1990-01-01", end="2035-12-31")
    return query.sql(dialect="duckdb")


@contextmanager
def own_macros() -> Iterator[MacroRegistry]:
    """The macros of this project, whatever other tests have loaded; nothing stays of them.

    SQLMesh keeps with a model the text of its macros and of what they name. It looks for the names
    in the module that is called `macros.<file>` at the time: the one of the project that was loaded
    last, which may be a copy elsewhere. Of a macro of another folder it keeps the text alone.
    """
    registry, others = macro.get_registry(), _without_macros()
    builtin = {name: one for name, one in registry.items() if hasattr(one, SQLMESH_BUILTIN)}
    macro.set_registry(UniqueKeyDict(macro.registry_name, **builtin))
    try:
        with patch.object(sys, "path", [str(ROOT), *sys.path]):
            for file in sorted((ROOT / "macros").glob("*.py")):
                import_python_file(file, ROOT)
        yield macro.get_registry()
    finally:
        macro.set_registry(registry)
        _without_macros()
        sys.modules.update(others)


def _without_macros() -> dict:
    """Forget the modules of macros; those that were there."""
    names = [name for name in sys.modules if name.partition(".")[0] == "macros"]
    return {name: sys.modules.pop(name) for name in names}


@cache
def _chain(name: str) -> tuple[str, ...]:
    """The models that this one is made of, inputs first, and itself."""
    if not _file_of(name).exists():
        return ()
    read = sorted(
        f"{table.db}.{table.name}"
        for table in parse_one(query_of(name), dialect="duckdb").find_all(exp.Table)
        if table.db in SCHEMAS
    )
    return (*dict.fromkeys(one for each in read for one in _chain(each)), name)


def build(source: Mapping[str, pd.DataFrame], *wanted: str) -> Tables:
    """These models, of movies, ratings and tags as MovieLens writes them, and all between."""
    connection = built(source, *wanted)
    return {name: connection.sql(f"SELECT * FROM {name}").df() for name in wanted}


def built(source: Mapping[str, pd.DataFrame], *wanted: str) -> duckdb.DuckDBPyConnection:
    """The same, with all between, in a database."""
    connection = in_memory()
    connection.execute("SET TimeZone = 'UTC'; CREATE SCHEMA operational")
    for name, columns in OPERATIONAL.items():
        rows = source[name]
        if "timestamp" in rows:
            rows = rows.assign(timestamp=pd.to_datetime(rows["timestamp"], unit="s", utc=True))
        connection.register("rows", rows)
        connection.execute(f"CREATE TABLE operational.{name} ({columns})")
        connection.execute(f"INSERT INTO operational.{name} BY NAME SELECT * FROM rows")
    for name in dict.fromkeys(one for each in wanted for one in _chain(each)):
        connection.execute(f"CREATE TABLE {name} AS {query_of(name)}")
    return connection


def in_memory() -> duckdb.DuckDBPyConnection:
    """A database that has the schemas of both domains."""
    connection = duckdb.connect(config={"threads": 1})
    for schema in SCHEMAS:
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


def monthly(days: pd.DataFrame) -> pd.DataFrame:
    """Days of `movies_engagement_daily` as `movies_engagement`."""
    month = pd.to_datetime(days.rated_on).dt.to_period("M").dt.start_time.dt.date
    months = days.drop(columns="rated_on").assign(reporting_month=month)
    return months.groupby(["movie_id", "reporting_month"]).sum().reset_index()
