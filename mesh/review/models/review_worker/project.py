"""One SQLMesh project as plain facts: its models, as they were rendered."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import sqlmesh.core.model as core
from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlmesh import Context
from sqlmesh.core.config import Config, DuckDBConnectionConfig, load_configs
from sqlmesh.core.config.connection import DuckDBAttachOptions
from sqlmesh.core.console import NoopConsole, set_console

from .bench import Bench
from .beside import beside
from .code import files
from .facts import Job, Model, Models, one_line, short
from .lints import lint_levels, lint_rules, refused
from .planning import settings
from .unit_tests import unit_tests
from .upkeep import upkeep

_HELD = ("IO Error", "lock", "IOException", "Permission")


@dataclass(frozen=True)
class Opened:
    """A loaded project, and whether its state can be read."""

    context: Context
    state: bool


def open_project(job: Job) -> tuple[Opened, str]:
    """The project with its state; without it, and why, when its database cannot be opened."""
    if not job.state or job.spare is None:
        return Opened(load_context(job.root, job.gateway, read_only=False), job.state), ""
    try:
        # A table diff writes temporary tables; without one the file is only read.
        context = load_context(job.root, job.gateway, read_only=job.environment is None)
        context.engine_adapter.fetchone("SELECT 1")
        if _was_planned(context):
            return Opened(context, True), ""
        # As without a database: SQLMesh's lint or an ingest made it, and no plan was in it since.
        note = ""
    except Exception as error:
        if not any(word in str(error) for word in _HELD):
            raise
        note = f"No plan against prod: the database cannot be opened. {one_line(error, 200)}"
    # Who asks the project for its database is told of the spare one too.
    os.environ[job.variable] = str(job.spare)
    context = load_context(job.root, job.gateway, read_only=False, spare=job.spare)
    return Opened(context, False), note


def _was_planned(context: Context) -> bool:
    """Whether SQLMesh keeps a state there; where there is none, to ask for it would make one."""
    state = context._new_state_sync()
    return bool(state.get_versions(validate=False).schema_version)


def load_context(
    root: Path, gateway: str | None, *, read_only: bool, spare: Path | None = None
) -> Context:
    """Load the project; read_only: open a DuckDB file without writing to it.

    spare: a file to be opened instead of the project's own, under the same name.
    """
    set_console(NoopConsole())
    os.chdir(root)
    dotenv = Path(os.environ.get("SQLMESH_DOTENV_PATH") or ".env")
    config = load_configs(None, Config, [root], dotenv_path=dotenv)[root]
    if not read_only and spare is None:
        return Context(paths=[str(root)], config=config, gateway=gateway)
    connections = [config.default_connection]
    if isinstance(config.gateways, dict):
        connections += [one.connection for one in config.gateways.values()]
    for connection in connections:
        if not isinstance(connection, DuckDBConnectionConfig):
            continue
        if connection.database:
            in_sql = connection.database.replace("'", "''")
            connection.catalogs = {Path(connection.database).stem: in_sql}
            connection.database = None
        catalogs = connection.catalogs or {}
        for name, place in catalogs.items():
            if isinstance(place, str):
                path = f"{spare}.{name}".replace("'", "''") if spare else place
                catalogs[name] = DuckDBAttachOptions(type="duckdb", path=path, read_only=read_only)
    return Context(paths=[str(root)], config=config, gateway=gateway)


def describe(context: Context) -> Models:
    """All models that the project makes, by short name, parents first, and what guards them."""
    models = [context.models[name] for name in context.dag.sorted if name in context.models]
    bench = Bench(context)
    lint, made_up = lint_rules(context)
    return Models(
        {short(m.fqn): _model(context, m, bench) for m in models if not m.kind.is_external},
        lint=lint,
        made_up=made_up,
        tests=unit_tests(context),
        target=context.config.default_target_environment,
        settings=settings(context.config),
        approvers=tuple(sorted(u.username for u in context.users if u.is_required_approver)),
    )


def _model(context: Context, model: core.Model, bench: Bench) -> Model:
    query, unread = None, ""
    try:
        query = _query(model)
    except Exception as error:
        unread = one_line(error)
    # What a model waits for, or what its audits read, says nothing about its rows.
    parents = model.depends_on if query is None else query.find_all(exp.Table)
    name = short(model.fqn)
    seed = model if isinstance(model, core.SeedModel) else None
    columns = (model.columns_to_types or {}).items()
    # Of a seed the rows are the data, which lie in its file.
    made = (seed.kind.data_hash_values, [(c, t.sql()) for c, t in columns]) if seed else ""
    return Model(
        name,
        public=not name.split(".")[0].endswith("_internal"),
        path=os.path.relpath(model._path, context.path) if model._path else "",
        columns={c: t.sql("bigquery") for c, t in columns},
        parents=tuple(sorted({short(p) for p in parents if isinstance(p, str) or p.db})),
        version=str(made) if seed else model.data_hash,
        seed=os.path.relpath(seed.seed_path, context.path) if seed else "",
        read_as=str(seed.kind.data_hash_values) if seed else "",
        dialect=model.dialect,
        query=query.sql(model.dialect, comments=False) if query else "",
        unread=unread,
        since=str(model.start) if model.kind.is_incremental_by_time_range else "",
        files=files(model, context.path),
        kind=model.kind.name.value,
        upkeep=upkeep(model, query),
        beside=beside(model),
        cron=model.cron,
        period=_period(model),
        audits=tuple(bench.audits(model)),
        lint=lint_levels(context, model),
        refused=refused(context, model),
    )


def _period(model: core.Model) -> float:
    """The longest time between two runs, over some runs of a year."""
    ticks = [model.cron_next("2027-12-31")]
    for _ in range(12):
        ticks.append(model.cron_next(ticks[-1]))
    return max((b - a).total_seconds() for a, b in pairwise(ticks))


def _query(model: core.Model) -> exp.Expr | None:
    # Without dates SQLMesh renders for one fixed span, and has done so when it loaded the project.
    query = model.render_query() if model.is_sql else None
    if query is None:
        return None
    schema, dialect = model.mapping_schema, model.dialect
    query = qualify(
        query.copy(),
        dialect=dialect,
        schema=schema,
        validate_qualify_columns=False,
        infer_schema=True,
    )
    query = annotate_types(query, schema=schema, dialect=dialect)
    return query.transform(lambda node: node.this if _same_type(node) else node)


def _same_type(node: exp.Expr) -> bool:
    return type(node) is exp.Cast and node.this.type is not None and node.this.type == node.to
