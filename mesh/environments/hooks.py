"""What SQLMesh's own commands do differently in this project.

SQLMesh has no interface for "a delivery is a version of the data". It has a folder that every
command that builds imports, `materializations/`, and this is installed from there, so that
`sqlmesh plan` and `sqlmesh run` keep what the commands of `mesh` keep. Methods are wrapped, and
what each of them returns is of SQLMesh's own making; what is there for speed alone stands in
modules of its own: `audits`, `collector`, `stored_queries`, `unit_tests`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from sqlmesh.core.config import Config, DuckDBConnectionConfig
from sqlmesh.core.config.scheduler import BuiltInSchedulerConfig
from sqlmesh.core.constants import PROD
from sqlmesh.core.context import GenericContext
from sqlmesh.core.engine_adapter import EngineAdapter
from sqlmesh.core.environment import Environment
from sqlmesh.utils.errors import ConfigError, PlanError

from mesh.contracts.unaudited import install as audit_what_is_noted
from mesh.database import cannot_open, check_attached, is_full
from mesh.environments.apply import bring_up_to_date
from mesh.environments.audits import install as take_audits_as_made
from mesh.environments.categories import install as break_what_reads_other_rows
from mesh.environments.choices import choose_versions
from mesh.environments.collector import paused, spared
from mesh.environments.deliveries import DeliveryLog, as_of, read_deliveries
from mesh.environments.differences import install as show_what_was_written
from mesh.environments.evaluation import plan_evaluator
from mesh.environments.names import short_name
from mesh.environments.repair import repair
from mesh.environments.sources import database_of, delivered_to, project_of
from mesh.environments.stored_queries import install as read_queries_when_asked
from mesh.environments.unaccounted import unaccounted, what_to_do
from mesh.environments.unit_tests import forget_afterwards
from mesh.environments.unit_tests import install as share_renderings
from mesh.environments.versions import stamped
from mesh.errors import MeshError
from mesh.project import Project
from mesh.signals import undisguised
from mesh.wrapping import wrap

if TYPE_CHECKING:
    from sqlmesh.core.plan import PlanBuilder

INSTALLED = "_deliveries_are_versions"
# Set on a context whose engine holds no source tables.
WITHOUT_DELIVERIES = "_without_deliveries"
# The deliveries that a plan is made of, read once.
_planned: ContextVar[DeliveryLog | None] = ContextVar("planned", default=None)


def install() -> None:
    """Make versions of models of the deliveries that they hold, once per process."""
    if getattr(GenericContext, INSTALLED, False):
        return
    setattr(GenericContext, INSTALLED, True)
    adapter: Any = vars(GenericContext)["engine_adapter"]
    placed = property(lambda context: adapter.fget(_in_its_place(context)))
    setattr(GenericContext, "engine_adapter", placed)  # noqa: B010
    written: Any = vars(Config)["fingerprint"]
    anywhere = property(lambda config: written.fget(_without_its_place(config)))
    setattr(Config, "fingerprint", anywhere)  # noqa: B010
    wrap(GenericContext, "_new_state_sync", _of_a_database_that_opens)
    wrap(GenericContext, "_nodes_to_snapshots", _of_the_newest_delivery)
    wrap(GenericContext, "plan_builder", _as_of_the_newest_delivery)
    wrap(GenericContext, "_run", _up_to_date_before_a_run)
    wrap(GenericContext, "test", forget_afterwards)
    wrap(GenericContext, "load", paused)
    wrap(EngineAdapter, "_execute", _until_stopped)
    for command in ("plan", "run"):
        wrap(GenericContext, command, spared)
        wrap(GenericContext, command, _with_our_sentences)
    audit_what_is_noted()
    share_renderings()
    read_queries_when_asked()
    take_audits_as_made()
    show_what_was_written()
    break_what_reads_other_rows()
    setattr(  # noqa: B010
        BuiltInSchedulerConfig, "create_plan_evaluator", lambda _, context: plan_evaluator(context)
    )


def _in_its_place(context: GenericContext) -> GenericContext:
    """The context, its DuckDB files named from the root of the project, wherever it is run from."""
    for root, config in context.configs.items():
        gateways = config.gateways.values() if isinstance(config.gateways, dict) else ()
        for connection in (gateway.connection for gateway in gateways):
            if isinstance(connection, DuckDBConnectionConfig):
                _place(connection, Project(Path(root).resolve()))
    return context


def _place(connection: DuckDBConnectionConfig, project: Project) -> None:
    if (file := connection.database) and file != ":memory:":
        path = _with_its_folder(project.place(file))
        # A copy is attached: the catalog keeps the name of the file whose place it takes.
        copied = path.stem != Path(file).stem
        connection.database = None if copied else str(path)
        connection.catalogs = {Path(file).stem: _in_sql(path)} if copied else None
        return
    catalogs = connection.catalogs or {}
    for name, place in catalogs.items():
        if isinstance(place, str) and not re.match(r":memory:|md:|\w+://", place):
            catalogs[name] = _in_sql(_with_its_folder(project.place(place.replace("''", "'"))))


def _without_its_place(config: Config) -> Config:
    """The configuration as far as models depend on it, by which SQLMesh keeps what it has parsed.

    They are the same wherever a DuckDB file lies; the names of its catalogs SQLMesh adds itself.
    """
    if not isinstance(config.gateways, dict):
        return config
    nowhere = {"database": None, "catalogs": None}
    gateways = {
        name: gateway.copy(update={"connection": gateway.connection.copy(update=nowhere)})
        if isinstance(gateway.connection, DuckDBConnectionConfig)
        else gateway
        for name, gateway in config.gateways.items()
    }
    return config.copy(update={"gateways": gateways})


def _with_its_folder(path: Path) -> Path:
    """DuckDB makes a file and not its folder; where it may not be made, DuckDB says so itself."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _in_sql(path: Path) -> str:
    """SQLMesh puts the paths of catalogs into SQL as they are."""
    return str(path).replace("'", "''")


def _of_a_database_that_opens(original: Any, context: GenericContext) -> Any:
    """ConfigError with a sentence: SQLMesh takes what it cannot open for an empty project."""
    at = context.connection_config
    if isinstance(at, DuckDBConnectionConfig) and (at.database or at.catalogs):
        database = project_of(context).database
        try:
            check_attached(context.engine_adapter.fetchall, database)
        except MeshError as error:
            raise ConfigError(str(error)) from None
        except duckdb.Error as error:
            raise ConfigError(str(cannot_open(database, error))) from None
    return original(context)


def _of_the_newest_delivery(original: Any, context: GenericContext, nodes: dict) -> Any:
    if getattr(context, WITHOUT_DELIVERIES, False):
        return original(context, nodes)
    log = _planned.get() or read_deliveries(context.engine_adapter, delivered_to(context))
    return original(context, stamped(nodes, log))


def _as_of_the_newest_delivery(
    original: Any, context: GenericContext, environment: str | None = None, **kwargs: Any
) -> PlanBuilder:
    name = Environment.sanitize_name(environment or context.config.default_target_environment)
    _refuse_what_is_not_built(name, kwargs)
    repair(context, name)
    log = read_deliveries(context.engine_adapter, delivered_to(context))
    context.console.log_status_update(f"Plans {name} in {database_of(context)}.")
    _refuse_what_nobody_delivered(context, log, name)
    if not kwargs.get("execution_time"):
        kwargs["execution_time"] = as_of(log)
    token = _planned.set(log)
    try:
        builder = original(context, environment, **kwargs)
    finally:
        _planned.reset(token)
    if kwargs.get("restate_models"):
        _refuse_to_restate_what_is_shown(context, builder, name)
    _refuse_lost_inputs(context, builder)
    return choose_versions(context, builder, log)


def _refuse_what_is_not_built(name: str, flags: Mapping[str, Any]) -> None:
    """PlanError for a plan that would show tables without their rows, which no audit has seen.

    One notes them as built as well, so nothing would build them later, nor tell that they are
    empty. The other notes nothing: what is missing is told of, and promoted nowhere; but prod
    would show it at once.
    """
    if flags.get("empty_backfill"):
        raise PlanError(
            f"--empty-backfill would note empty tables as built, and {name} would call them up to "
            f"date, so nothing was done. `sqlmesh plan {name}` without it builds them; to look at "
            "a change before its rows are there, plan an environment other than prod with "
            "--skip-backfill, which notes what is missing."
        )
    if flags.get("skip_backfill") and name == PROD:
        raise PlanError(
            "--skip-backfill would let prod show tables without their rows, which no audit has "
            "seen, so nothing was done. `sqlmesh plan prod` without it builds and audits them "
            "first; to look at a change before its rows are there, plan another environment with "
            "it, as `sqlmesh plan dev --skip-backfill`."
        )


def _refuse_to_restate_what_is_shown(
    context: GenericContext, builder: PlanBuilder, name: str
) -> None:
    """PlanError for a restatement of tables that prod shows.

    SQLMesh writes into them before any audit runs, and prod would show what the audits refuse.
    """
    plan = builder.build()
    prod = context.state_reader.get_environment(PROD)
    shown = {one.name_version for one in prod.snapshots} if prod else set()
    restated = [plan.snapshots[one] for one in plan.restatements if one in plan.snapshots]
    if hit := sorted(short_name(one.name) for one in restated if one.name_version in shown):
        raise PlanError(
            f"Prod shows the tables of {', '.join(hit[:3])}{', …' if len(hit) > 3 else ''}, and a "
            "restatement writes into them before an audit has seen it, so nothing was done. What "
            f"the source's tables hold by now is built beside them by `mesh refresh {name}`; "
            "what a model's code gets wrong, by a plan of the mended model."
        )


def _refuse_lost_inputs(context: GenericContext, builder: PlanBuilder) -> None:
    """PlanError for a plan of some models that read others which are in no version of it."""
    there = {snapshot.name for snapshot in builder.build().context_diff.snapshots.values()}
    for name in sorted(there):
        read = context.models[name].depends_on if name in context.models else ()
        lost = {n for n in read if n in context.models and not context.models[n].kind.is_external}
        if lost := lost - there:
            raise PlanError(
                f"{short_name(name)} reads {', '.join(sorted(map(short_name, lost)))}, which the "
                "environment does not have and which is not selected: select it with all that it "
                f"reads, `--select-model +{short_name(name)}`"
            )


def _up_to_date_before_a_run(
    original: Any, context: GenericContext, environment: str, **kwargs: Any
) -> Any:
    bring_up_to_date(
        context,
        environment,
        check=lambda log: _refuse_what_nobody_delivered(context, log, environment),
    )
    return original(context, environment, **kwargs)


def _until_stopped(original: Any, adapter: EngineAdapter, *args: Any, **kwargs: Any) -> Any:
    with undisguised(adapter.cursor):
        return original(adapter, *args, **kwargs)


def _with_our_sentences(original: Any, context: GenericContext, *args: Any, **kwargs: Any) -> Any:
    with _said_by_sqlmesh(context):
        return original(context, *args, **kwargs)


@contextmanager
def _said_by_sqlmesh(context: GenericContext) -> Iterator[None]:
    """PlanError with our sentence, which SQLMesh shows: of other errors it shows the traceback."""
    try:
        yield
    except MeshError as error:
        raise PlanError(str(error)) from error
    except duckdb.Error as error:
        if not (isinstance(error, duckdb.IOException) or is_full(str(error))):
            raise
        raise PlanError(str(cannot_open(project_of(context).database, error))) from error


def _refuse_what_nobody_delivered(context: GenericContext, log: DeliveryLog, name: str) -> None:
    """PlanError: no rule of a contract knows how many rows there should be."""
    if said := unaccounted(context, log):
        raise PlanError(f"{said}, so nothing was done. {what_to_do(name)}")
