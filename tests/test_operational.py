"""SQLMesh makes the operational tables before it builds, but only where they are missing."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import duckdb
from sqlmesh.core.engine_adapter.duckdb import DuckDBEngineAdapter

from mesh.settings import PROJECT_ROOT


def test_tables_that_are_there_are_not_made_again() -> None:
    # In production a plan may read these tables; even CREATE ... IF NOT EXISTS would be denied.
    spec = importlib.util.spec_from_file_location(
        "operational", PROJECT_ROOT / "macros" / "operational.py"
    )
    operational = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(operational)
    with duckdb.connect() as connection:
        engine = DuckDBEngineAdapter(lambda: connection)
        evaluator = SimpleNamespace(engine_adapter=engine)
        statements = operational.operational_tables(evaluator)
        assert len(statements) == 7
        for statement in statements:
            connection.execute(statement)
        assert operational.operational_tables(evaluator) == []
