"""The operational tables exist before any model is built, empty if nothing was ingested yet."""

from __future__ import annotations

from sqlmesh import macro


@macro()
def operational_tables(evaluator) -> list[str]:
    """Statements that create the operational tables where they are missing."""
    from mesh.ingest.schema import create_operational_tables_sql

    return create_operational_tables_sql(evaluator.engine_adapter.dialect)
