"""The rows of a model that no environment has: its query on an environment's inputs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlglot import exp

from mesh.environments import Opened
from mesh.environments.names import short_name

if TYPE_CHECKING:
    from sqlmesh.core.environment import Environment
    from sqlmesh.core.model import Model

DRAFT = "mesh_draft"


def place_of(opened: Opened, name: str, environment: Environment) -> exp.Expr | None:
    """Where a model or a source is read in an environment, if it is there."""
    snapshot = opened.there(environment).get(name)
    if snapshot is not None and not snapshot.is_external:
        return opened.view(snapshot, environment)
    if snapshot is not None or name in opened.project.sources:
        catalog = opened.models[name].catalog if name in opened.models else None
        catalog = catalog or opened.context.default_catalog
        table = exp.to_table(f"{catalog}.{name}", dialect="bigquery")
        return table if opened.context.engine_adapter.table_exists(table) else None
    return None


def place_or_query(opened: Opened, name: str, environment: Environment) -> exp.Expr | None:
    """The same, or the query of what has no rows there: it is embedded, or was not planned yet."""
    place = place_of(opened, name, environment)
    if place is None and name in opened.models:
        query = query_on(opened, opened.models[name], environment)
        return query.subquery() if query is not None else None
    return place


def query_on(
    opened: Opened,
    model: Model,
    environment: Environment,
    instead: Mapping[str, exp.Expr] | None = None,
) -> exp.Query | None:
    """The query of a model on an environment's inputs; what is not there is worked out likewise.

    instead: what stands in the place of some inputs.
    """
    if not model.is_sql:
        return None
    start = model.start or opened.context.config.model_defaults.start or "1970-01-01"
    query = model.render_query(start=start, end=datetime.now(UTC), needs_optimization=False)
    if query is None:
        return None
    for table in list(query.find_all(exp.Table)):
        name = f"{table.db}.{table.name}"
        if not table.db:
            continue
        given = (instead or {}).get(name)
        if given:
            place: exp.Expr | None = given.copy()
        elif name == short_name(model.fqn):
            place = _nothing(model)
        else:
            place = place_or_query(opened, name, environment)
        if place is None:
            return None
        place.set("alias", exp.TableAlias(this=exp.to_identifier(table.alias or table.name)))
        table.replace(place)
    return query


def _nothing(model: Model) -> exp.Subquery:
    """What a model that reads itself finds there when it is built first."""
    kinds = (model.columns_to_types or {}).items()
    columns = [exp.alias_(exp.cast(exp.null(), kind), name, quoted=True) for name, kind in kinds]
    return exp.select(*columns).where("FALSE").subquery()


def drafted_rows(opened: Opened, model: Model, environment: Environment) -> exp.Expr | None:
    """The rows, as a table of this connection alone where the engine has such, else as a query."""
    query = query_on(opened, model, environment)
    if query is None or opened.context.engine_adapter.dialect != "duckdb":
        return query.subquery(DRAFT) if query is not None else None
    return here(opened, query, DRAFT)


def here(opened: Opened, query: exp.Query, name: str) -> exp.Table:
    """The rows of a query as a table of this connection alone; on DuckDB."""
    opened.context.engine_adapter.execute(
        exp.Create(
            this=exp.to_table(name),
            kind="TABLE",
            replace=True,
            expression=query,
            properties=exp.Properties(expressions=[exp.TemporaryProperty()]),
        )
    )
    return exp.to_table(name)
