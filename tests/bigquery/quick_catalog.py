"""Make the emulator find tables quickly; its answers stay the same.

Several times for each statement the emulator asks DuckDB whether a table is there and which
columns it has, through functions that list everything in every project: with the views of a few
environments, that is half of the time that a statement takes. DuckLake holds the same facts in
small tables, and counts what was changed: as long as nothing was, an answer stays as it is. A
question that is not worded exactly as here goes the emulator's own way.

And INFORMATION_SCHEMA.TABLES, which SQLMesh asks before each statement that changes something, says
of a table nothing that needs its columns: the emulator works them out all the same, which for a
view means to bind all that it stands on.
"""

from __future__ import annotations

from typing import Any

# The emulator's own database, where the rows of each query lie in a table.
RESULTS = ("emulator", "_results")

_LIVING = (
    "FROM {lake}.ducklake_{kind} AS o JOIN {lake}.ducklake_schema AS s USING (schema_id) "
    "WHERE o.end_snapshot IS NULL AND s.end_snapshot IS NULL AND schema_name = $1 "
    "AND {kind}_name = coalesce($2, {kind}_name)"
)
_OBJECTS = (
    "SELECT table_name, 'TABLE', coalesce((SELECT record_count FROM {lake}.ducklake_table_stats "
    "AS n WHERE n.table_id = o.table_id), 0) "
    + _LIVING.replace("{kind}", "table")
    + " UNION ALL SELECT view_name, 'VIEW', 0 "
    + _LIVING.replace("{kind}", "view")
    + " ORDER BY 1"
)
_COLUMN = (
    "SELECT column_name FROM {lake}.ducklake_column AS c "
    "WHERE c.end_snapshot IS NULL AND parent_column IS NULL AND table_id IN (SELECT table_id "
    + _LIVING.replace("{kind}", "table")
    + ") AND "
)
_NOT_NULL = _COLUMN + "NOT nulls_allowed"
_NOT_NULL_OF_RESULTS = 'SELECT name FROM pragma_table_info($1) WHERE "notnull"'
_CHANGES = "SELECT max(snapshot_id) FROM {lake}.ducklake_snapshot"
# What each job asks first. Only a session of BigQuery's has a connection that was used before.
TEMPORARY = "SELECT table_name FROM duckdb_tables() WHERE temporary"
# By this SQLMesh's question for tables and their clusters is known; what it asks for instead.
SQLMESHS_CTE = "clustering_info"
QUICK_VIEWS = {
    "INFORMATION_SCHEMA.TABLES": "INFORMATION_SCHEMA.NAMED_TABLES",
    "INFORMATION_SCHEMA.COLUMNS": "INFORMATION_SCHEMA.CLUSTERED_COLUMNS",
}
# The emulator's question, and the same of DuckLake's tables; its first parameter is the project.
QUICK = {
    "SELECT table_name, 'TABLE', estimated_size FROM duckdb_tables() "
    "WHERE database_name = $1 AND schema_name = $2 "
    "AND table_name = coalesce($3, table_name) "
    "UNION ALL SELECT view_name, 'VIEW', 0 FROM duckdb_views() "
    "WHERE database_name = $1 AND schema_name = $2 "
    "AND view_name = coalesce($3, view_name) AND NOT internal ORDER BY 1": _OBJECTS,
    "SELECT column_name FROM duckdb_columns() WHERE database_name = ? "
    "AND schema_name = ? AND table_name = ? AND NOT is_nullable": _NOT_NULL,
    "SELECT 1 FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? "
    "AND table_name = ? AND column_name = ?": _COLUMN + "column_name = $3",
    "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?": (
        "SELECT 1 FROM {lake}.ducklake_schema WHERE end_snapshot IS NULL AND schema_name = $1"
    ),
}


def install() -> None:
    """Put the quick look-ups in; called in the emulator's process before it serves."""
    _look_up_in_ducklakes_own_tables()
    _list_tables_without_their_columns()
    _begin_without_temporary_tables()


def _list_tables_without_their_columns() -> None:
    from local_bigquery.catalog import metadata, tables
    from local_bigquery.sql import rules
    from local_bigquery.sql.rules import information_schema
    from sqlglot import exp

    def listed(project: str, dataset: str | None) -> list:
        return [
            each
            for found in metadata.existing(tables.list_, [(project, dataset)])
            for each in found
        ]

    def named_tables(project: str, dataset: str | None) -> tuple[list[str], list[list[Any]]]:
        columns = [*information_schema.IDENTITY, "table_type", "creation_time TIMESTAMP"]
        return columns, [
            [
                *information_schema._identity(table),
                information_schema.TABLE_TYPES.get(table.type, table.type),
                information_schema._timestamp(table.creationTime),
            ]
            for table in listed(project, dataset)
        ]

    def clustered_columns(project: str, dataset: str | None) -> tuple[list[str], list[list[Any]]]:
        columns = [*information_schema.IDENTITY, "column_name", "clustering_ordinal_position INT64"]
        return columns, [
            [*information_schema._identity(table), name, position]
            for table in listed(project, dataset)
            if table.clustering
            for position, name in enumerate(table.clustering.fields or [], start=1)
        ]

    def rule(tree: exp.Expression, context: Any) -> exp.Expression:
        if any(cte.alias == SQLMESHS_CTE for cte in tree.find_all(exp.CTE)):
            for table in tree.find_all(exp.Table):
                if table.name in QUICK_VIEWS:
                    table.this.set("this", QUICK_VIEWS[table.name])
        return tree

    information_schema.VIEWS.update(
        {"NAMED_TABLES": named_tables, "CLUSTERED_COLUMNS": clustered_columns}
    )
    rules.STATEMENT_RULES.insert(0, rule)


def _look_up_in_ducklakes_own_tables() -> None:
    import duckdb
    from local_bigquery.engine import database

    slow = database.fetch
    known: dict[tuple[Any, ...], tuple[Any, list[tuple[Any, ...]]]] = {}

    def fetch(sql: str, params: list | None = None) -> list[tuple[Any, ...]]:
        quick = QUICK.get(sql)
        if quick is None or not params:
            return slow(sql, params)
        project, *others = params
        if (project, others[0]) == RESULTS and others[1:] != [None]:
            return of_results(sql, quick, params)
        if project not in database._attached:
            return slow(sql, params)
        lake = database.quote(f"__ducklake_metadata_{project}")
        key, changes = (quick, project, *others), slow(_CHANGES.format(lake=lake))
        if known.get(key, (None,))[0] != changes:
            known[key] = changes, slow(quick.format(lake=lake), others)
        return known[key][1]

    def of_results(sql: str, quick: str, params: list) -> list[tuple[Any, ...]]:
        table = database.quote(*params[:3])
        if quick is _OBJECTS:
            try:
                (count,) = slow(f"SELECT count(*) FROM {table}")[0]
            except duckdb.CatalogException:
                return []
            return [(params[2], "TABLE", count)]
        return slow(_NOT_NULL_OF_RESULTS, [table]) if quick is _NOT_NULL else slow(sql, params)

    database.fetch = fetch


def _begin_without_temporary_tables() -> None:
    from local_bigquery.jobs import query

    execute = query.execute

    class New:
        """A connection that was not used before."""

        def __init__(self, cursor: Any) -> None:
            self._cursor = cursor

        def __getattr__(self, name: str) -> Any:
            return getattr(self._cursor, name)

        def sql(self, text: str, **options: Any) -> Any:
            if text == TEMPORARY:
                text = "SELECT NULL::VARCHAR AS table_name WHERE FALSE"
            return self._cursor.sql(text, **options)

    def executed(cursor: Any, *arguments: Any, session: Any = None, **options: Any) -> Any:
        own = cursor if session else New(cursor)
        return execute(own, *arguments, session=session, **options)

    query.execute = executed
