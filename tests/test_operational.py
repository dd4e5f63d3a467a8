"""SQLMesh makes the operational tables before it builds, but only where they are missing."""

from __future__ import annotations

from types import SimpleNamespace

import duckdb
from sqlmesh.core.engine_adapter.duckdb import DuckDBEngineAdapter

from macros.operational import operational_tables
from mesh.movielens.ingest.schema import ALL_TABLES


def test_tables_that_are_there_are_not_made_again() -> None:
    # In production a plan may read these tables; even CREATE ... IF NOT EXISTS would be denied.
    with duckdb.connect() as connection:
        engine = DuckDBEngineAdapter(lambda: connection)
        evaluator = SimpleNamespace(engine_adapter=engine)
        statements = operational_tables(evaluator)
        assert len(statements) == 1 + len(ALL_TABLES)
        for statement in statements:
            connection.execute(statement)
        assert operational_tables(evaluator) == []
