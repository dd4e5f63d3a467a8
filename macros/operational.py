"""The operational tables exist before any model is built, empty if nothing was ingested yet."""

from __future__ import annotations

from sqlmesh import macro
from sqlmesh.core.macros import MacroEvaluator


@macro()
def operational_tables(evaluator: MacroEvaluator) -> list[str]:
    """Statements that create the operational tables; none if all that models read are there.

    Asked for first: who plans in production may read these tables, and not create any. What only
    `mesh ingest` uses is not asked for: ingest makes it, also in a database that was there before.
    """
    from mesh.movielens.ingest.schema import READ_BY_MODELS, SCHEMA, create_operational_tables_sql

    engine = evaluator.engine_adapter
    if all(engine.table_exists(f"{SCHEMA}.{table.name}") for table in READ_BY_MODELS):
        return []
    return create_operational_tables_sql(engine.dialect)
