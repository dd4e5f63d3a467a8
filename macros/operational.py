"""The operational tables exist before any model is built, empty if nothing was ingested yet."""

from __future__ import annotations

from sqlmesh import macro


@macro()
def operational_tables(evaluator) -> list[str]:
    """Statements that create the operational tables; none if all are there.

    Asked for first: who plans in production may read these tables, and not create any.
    """
    from mesh.ingest.schema import ALL_TABLES, SCHEMA, create_operational_tables_sql

    engine = evaluator.engine_adapter
    if all(engine.table_exists(f"{SCHEMA}.{table.name}") for table in ALL_TABLES):
        return []
    return create_operational_tables_sql(engine.dialect)
