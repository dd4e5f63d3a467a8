"""The models' queries on a DuckDB in memory, with no plan: what they make of a source, at once."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

import duckdb
import pandas as pd
from sqlglot import exp
from sqlmesh import Context

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = {
    "movies": "movieId BIGINT, title VARCHAR, genres VARCHAR",
    "ratings": "userId BIGINT, movieId BIGINT, rating DOUBLE, timestamp TIMESTAMPTZ",
    "tags": "userId BIGINT, movieId BIGINT, tag VARCHAR, timestamp TIMESTAMPTZ",
}
Tables = dict[str, pd.DataFrame]


@functools.cache
def _context() -> Context:
    with tempfile.TemporaryDirectory() as folder:
        with patch.dict(os.environ, MESH_DUCKDB=f"{folder}/mesh.duckdb"):
            context = Context(paths=[str(ROOT)])
        context.close()
    return context


@functools.cache
def _queries(wanted: tuple[str, ...]) -> dict[str, str]:
    """The queries of these models and of all that they read, inputs first, by full name."""
    context, read = _context(), set()
    todo = [context.get_model(name, raise_if_missing=True).fqn for name in wanted]
    found = {}
    while todo:
        name = todo.pop()
        model = context.models.get(name)
        if name in read or model is None or not model.is_sql:
            continue
        query = model.render_query(start="1995-01-01", end="2035-12-31")
        assert query is not None, name
        # Rules of a contract read more than the query does.
        todo += [exp.table_name(table, identify=True) for table in query.find_all(exp.Table)]
        read.add(name)
        found[name] = query.sql("duckdb")
    return {name: found[name] for name in context.dag.sorted if name in found}


def build(source: Mapping[str, pd.DataFrame], *wanted: str) -> Tables:
    """These models, of movies, ratings and tags as MovieLens writes them."""
    queries = _queries(wanted)
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'; ATTACH ':memory:' AS mesh; CREATE SCHEMA mesh.operational")
    for name, columns in COLUMNS.items():
        rows = source[name]
        if "timestamp" in rows:
            rows = rows.assign(timestamp=pd.to_datetime(rows["timestamp"], unit="s", utc=True))
        con.register("rows", rows)
        con.execute(f"CREATE TABLE mesh.operational.{name} ({columns})")
        con.execute(f"INSERT INTO mesh.operational.{name} BY NAME SELECT * FROM rows")
    for schema in {exp.to_table(name).db for name in queries}:
        con.execute(f"CREATE SCHEMA mesh.{schema}")
    for name, query in queries.items():
        con.execute(f"CREATE TABLE {name} AS {query}")
    return {name: con.sql(f"SELECT * FROM mesh.{name}").df() for name in wanted}
