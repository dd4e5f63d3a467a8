"""One SQLMesh project as plain data: models, what their columns mean, and where these come from."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

from .meaning import ColumnMeaning, Relation, meaning_of


def load_context(root: Path, gateway: str | None, read_only: bool) -> Any:
    """Load the project; read_only: open a DuckDB file without writing to it."""
    from sqlmesh import Context
    from sqlmesh.core.config import Config, DuckDBConnectionConfig, load_configs
    from sqlmesh.core.console import NoopConsole, set_console

    set_console(NoopConsole())
    os.chdir(root)
    if not read_only:
        return Context(paths=[str(root)], gateway=gateway)
    from sqlmesh.core.config.connection import DuckDBAttachOptions

    config = next(iter(load_configs(None, Config, [root]).values()))
    for one in config.gateways.values() if isinstance(config.gateways, dict) else []:
        connection = one.connection
        if not isinstance(connection, DuckDBConnectionConfig):
            continue
        if connection.database:
            connection.catalogs = {Path(connection.database).stem: connection.database}
            connection.database = None
        catalogs = connection.catalogs or {}
        for name, place in catalogs.items():
            if isinstance(place, str):
                catalogs[name] = DuckDBAttachOptions(type="duckdb", path=place, read_only=True)
    return Context(paths=[str(root)], config=config, gateway=gateway)


def short(name: str | exp.Table) -> str:
    """`schema.model` of any spelling of a model's name."""
    table = name if isinstance(name, exp.Table) else exp.to_table(name, dialect="bigquery")
    return f"{table.db}.{table.name}"


def is_public(name: str) -> bool:
    return not name.split(".")[0].endswith("_internal")


def describe(context: Any) -> dict[str, Any]:
    """All models by short name, parents first."""
    models = {short(name): model for name, model in context.models.items()}
    order = [short(name) for name in context.dag.sorted if short(name) in models]
    contents: dict[str, Relation] = {}
    described: dict[str, Any] = {}
    for name in order:
        model = models[name]
        if model.kind.is_external:
            continue
        described[name] = _model(context, name, model, contents)
    return described


def _model(context: Any, name: str, model: Any, contents: dict[str, Relation]) -> dict[str, Any]:
    columns = {c: t.sql("bigquery") for c, t in (model.columns_to_types or {}).items()}
    made: dict[str, Any] = {
        "public": is_public(name),
        "path": os.path.relpath(model._path, context.path) if model._path else "",
        "kind": model.kind.name.value,
        "owner": model.owner,
        "description": model.description or "",
        "columns": columns,
    }
    try:
        query = _query(context, model)
    except Exception as error:
        made["unread"] = " ".join(str(error).split())[:300]
        query = None
    # What a model waits for, or what its audits read, says nothing about its rows.
    made["parents"] = sorted(map(short, model.depends_on) if query is None else _tables(query))
    if query is None:
        text = f"opaque:{model.data_hash}"
        contents[name] = Relation(
            text, {c: ColumnMeaning(f"{text}.{c}", f"{text}.{c}") for c in columns}
        )
        made |= {"meaning": _texts(contents[name], contents[name]), "lineage": {}, "filters": []}
        made["compared"] = []
        return made

    def by_name(table: exp.Table) -> Relation:
        """Another product counts by its name, an internal model by what it holds."""
        other = short(table)
        if other in named and not is_public(other):
            return named[other]
        return Relation(f"table:{other}", open_ended=True)

    def by_content(table: exp.Table) -> Relation:
        other = short(table)
        return contents.get(other) or Relation(f"table:{other}", open_ended=True)

    def by_table(table: exp.Table) -> Relation:
        return Relation(short(table), open_ended=True)

    named: dict[str, Relation] = context.__dict__.setdefault("_review_named", {})
    content, own = meaning_of(query, by_content), meaning_of(query, by_name)
    direct = meaning_of(query, by_table)
    # Types are told of at products; inside, another type is another meaning.
    types = {} if is_public(name) else columns
    made["since"] = str(model.start) if model.kind.is_incremental_by_time_range else ""
    content, own = (_closed(side, types, made["since"]) for side in (content, own))
    contents[name], named[name] = content, own
    made["meaning"] = _texts(own, content)
    made["lineage"] = _lineage(context, model, columns, direct)
    made["filters"] = sorted(map(list, _real(direct.filters)))
    made["compared"] = sorted(map(list, direct.compared))
    made["expressions"] = {
        e.alias_or_name: e.unalias().sql("bigquery", comments=False)[:300] for e in query.selects
    }
    return made


def _closed(relation: Relation, types: dict[str, str], since: str) -> Relation:
    """A relation as others see it: its columns with their types, not what is inside.

    since: the first day that is ever built, for models that are built span by span.
    """
    columns = {
        name: ColumnMeaning(*(f"{text}:{types.get(name, '')}" for text in (c.pure, c.full)))
        for name, c in relation.columns.items()
    }
    return Relation(f"{relation.rows}:{since}" if since else relation.rows, columns)


def _query(context: Any, model: Any) -> exp.Expression | None:
    if not model.is_sql:
        return None
    # Without dates SQLMesh renders for one fixed span, and has done so when it loaded the project.
    query = model.render_query()
    if query is None:
        return None
    return qualify(
        query.copy(),
        dialect=model.dialect,
        schema=model.mapping_schema,
        validate_qualify_columns=False,
        infer_schema=True,
    )


def _tables(query: exp.Expression) -> set[str]:
    return {short(table) for table in query.find_all(exp.Table) if table.db}


def _texts(own: Relation, content: Relation) -> dict[str, Any]:
    return {
        "rows": [own.rows, content.rows],
        "columns": {
            name: [
                own.columns[name].pure,
                own.columns[name].full,
                content.columns[name].pure,
                content.columns[name].full,
            ]
            for name in own.columns
            if name in content.columns
        },
    }


def _real(origins: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    return {(table, column) for table, column in origins if table.count(".") == 1}


def _lineage(
    context: Any, model: Any, columns: Iterable[str], direct: Relation
) -> dict[str, list[list[str]]]:
    """For each column the columns of other models that its values come from: SQLMesh's lineage.

    Where SQLMesh finds no column (arrays that are taken apart), our own reading of the query helps.
    """
    from sqlmesh.core.lineage import column_dependencies

    found = {}
    for column in columns:
        try:
            parents = column_dependencies(context, model.name, column)
        except Exception:
            parents = {}
        pairs = {(short(table), c) for table, names in parents.items() for c in names if c != "*"}
        if column in direct.columns:
            pairs |= _real(direct.columns[column].origins)
        found[column] = sorted(map(list, pairs))
    return found
