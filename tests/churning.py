"""The models of cohorts and churn, run on tables in memory: many small worlds need no plan."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import duckdb
import pandas as pd
from sqlmesh.core.dialect import parse
from sqlmesh.core.macros import macro
from sqlmesh.core.model import load_sql_based_model

import macros.daily_counts
import macros.half_stars  # noqa: F401  (both register their macros)

# As they are now: a project that another test loads has macros of its own.
MACROS = dict(macro.get_registry())
MODELS = Path(__file__).resolve().parent.parent / "models" / "engagement"
CHAIN = (
    *("user_months", "user_lifetimes", "churn_steps", "first_impressions"),
    *("cohort_activity", "churn_curve", "churn_predictors"),
)
SOURCES = {
    "interactions.user_movie_ratings": "user_id BIGINT, movie_id BIGINT, rating DOUBLE, "
    "rated_at TIMESTAMPTZ",
    "interactions.user_tags": "user_id BIGINT, movie_id BIGINT, tag TEXT, tagged_at TIMESTAMPTZ, "
    "rating DOUBLE",
    "interactions.movie_catalogue": "movie_id BIGINT, release_year BIGINT, genres TEXT",
}


@lru_cache
def query_of(name: str) -> tuple[str, str]:
    """A model's full name, and its query as SQLMesh runs it on DuckDB, for all days."""
    (path,) = MODELS.rglob(f"{name}.sql")
    text = re.sub(r",?\s*@contract\(\w+\)", "", path.read_text())
    model = load_sql_based_model(
        parse(text, default_dialect="bigquery"),
        macros=MACROS,
        dialect="bigquery",
    )
    query = model.render_query_or_raise(start="1990-01-01", end="2035-12-31")
    return model.name, query.sql(dialect="duckdb")


class World:
    """A database in memory that holds what the models of churn read, and what they make of it."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("SET TimeZone = 'America/Los_Angeles'")
        for schema in ("interactions", "engagement", "engagement_internal"):
            self.connection.execute(f"CREATE SCHEMA {schema}")
        for table, columns in SOURCES.items():
            self.connection.execute(f"CREATE TABLE {table} ({columns})")
        self.run("thresholds")

    def put(self, table: str, rows: pd.DataFrame) -> None:
        """Let a table hold these rows and no others; a source keeps its types."""
        self.connection.register("rows_given", rows)
        if table in SOURCES:
            names = ", ".join(rows.columns)
            self.connection.execute(f"DELETE FROM {table}")
            self.connection.execute(f"INSERT INTO {table} ({names}) SELECT * FROM rows_given")
        else:
            self.connection.execute(f"CREATE OR REPLACE TABLE {table} AS FROM rows_given")
        self.connection.unregister("rows_given")

    def run(self, *names: str) -> pd.DataFrame:
        """Build the models in this order; the rows of the last."""
        for name in names:
            full_name, query = query_of(name)
            self.connection.execute(f"CREATE OR REPLACE TABLE {full_name} AS {query}")
        return self.rows(names[-1])

    def rows(self, name: str) -> pd.DataFrame:
        return self.connection.sql(f"FROM {query_of(name)[0]} ORDER BY ALL").df()
