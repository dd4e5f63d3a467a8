"""What SQLMesh's own commands do differently in this project.

SQLMesh has no interface for "a delivery is a version of the data". It has a folder that every
command that builds imports, `materializations/`, and this is installed from there, so that
`sqlmesh plan` and `sqlmesh run` keep what the commands of `mesh` keep. Five methods are wrapped;
what each of them returns is of SQLMesh's own making.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any

import duckdb
from sqlmesh.core.config import DuckDBConnectionConfig
from sqlmesh.core.config.scheduler import BuiltInSchedulerConfig
from sqlmesh.core.context import GenericContext
from sqlmesh.core.snapshot import Snapshot, SnapshotChangeCategory
from sqlmesh.utils.dag import DAG
from sqlmesh.utils.errors import ConfigError, PlanError

from mesh.database import cannot_open
from mesh.environments.carry import carried_over
from mesh.environments.deliveries import DeliveryLog, as_of, read_deliveries
from mesh.environments.evaluation import plan_evaluator
from mesh.environments.names import short_name
from mesh.environments.project import check_attached
from mesh.environments.repair import forget_lost, repair
from mesh.environments.versions import lineage, stamped
from mesh.errors import MeshError
from mesh.settings import database_path

if TYPE_CHECKING:
    from sqlmesh.core.context_diff import ContextDiff
    from sqlmesh.core.plan import PlanBuilder

INSTALLED = "_deliveries_are_versions"
# Set on a context whose engine holds no operational tables.
WITHOUT_DELIVERIES = "_without_deliveries"
# The deliveries that a plan is made of, read once.
_planned: ContextVar[DeliveryLog | None] = ContextVar("planned", default=None)


def install() -> None:
    """Make versions of models of the deliveries that they hold, once per process."""
    if getattr(GenericContext, INSTALLED, False):
        return
    setattr(GenericContext, INSTALLED, True)
    _wrap("_new_state_sync", _of_a_database_that_opens)
    _wrap("_nodes_to_snapshots", _of_the_newest_delivery)
    _wrap("plan_builder", _as_of_the_newest_delivery)
    _wrap("_run", _up_to_date_before_a_run)
    BuiltInSchedulerConfig.create_plan_evaluator = lambda self, context: plan_evaluator(context)


def _wrap(name: str, wrapper: Callable[..., Any]) -> None:
    original = getattr(GenericContext, name)

    @wraps(original)
    def method(self: GenericContext, *args: Any, **kwargs: Any) -> Any:
        return wrapper(original, self, *args, **kwargs)

    setattr(GenericContext, name, method)


def _of_a_database_that_opens(original: Any, context: GenericContext) -> Any:
    """ConfigError with a sentence: SQLMesh takes what it cannot open for an empty project."""
    connection = context.connection_config
    if isinstance(connection, DuckDBConnectionConfig) and (
        connection.database or connection.catalogs
    ):
        _refuse_what_does_not_open(context)
    return original(context)


def _refuse_what_does_not_open(context: GenericContext) -> None:
    try:
        check_attached(context.engine_adapter.fetchall)
    except MeshError as error:
        raise ConfigError(str(error)) from None
    except duckdb.Error as error:
        raise ConfigError(str(cannot_open(database_path(), error))) from None


def _of_the_newest_delivery(original: Any, context: GenericContext, nodes: dict) -> Any:
    if getattr(context, WITHOUT_DELIVERIES, False):
        return original(context, nodes)
    log = _planned.get() or read_deliveries(context.engine_adapter)
    return original(context, stamped(nodes, log))


def _as_of_the_newest_delivery(
    original: Any, context: GenericContext, environment: str | None = None, **kwargs: Any
) -> PlanBuilder:
    name = environment or context.config.default_target_environment
    repair(context, name)
    log = read_deliveries(context.engine_adapter)
    if not kwargs.get("execution_time"):
        kwargs["execution_time"] = as_of(log)
    token = _planned.set(log)
    try:
        builder = original(context, environment, **kwargs)
    finally:
        _planned.reset(token)
    return choose_versions(context, builder, log)


def choose_versions(context: GenericContext, builder: PlanBuilder, log: DeliveryLog) -> PlanBuilder:
    """Give what a delivery reaches new versions, and show what these take from earlier ones.

    PlanError for a plan that would let a model of another delivery keep its table.
    """
    difference = builder.build().context_diff
    forget_lost(context.state_sync, context.engine_adapter, difference)
    reached = _of_other_deliveries(difference)
    for snapshot in _changed_above(difference, reached):
        # The same query on other rows: SQLMesh would see no change, and keep tables for it.
        builder.set_choice(snapshot, SnapshotChangeCategory.BREAKING)
    snapshots = {s.name: s for s in builder.build().context_diff.snapshots.values()}
    kept = [short_name(name) for name in reached if not snapshots[name].is_new_version]
    if kept:
        raise PlanError(
            f"{', '.join(kept)} would keep tables of another delivery, as in a plan that is "
            "forward-only: refresh the environment first, then plan it"
        )
    carried = carried_over(context.state_reader, snapshots, log, context.engine_adapter)
    for name, one in carried.items():
        if not one.new.is_view:
            snapshots[name].intervals = list(one.intervals)
    return builder


def _of_other_deliveries(difference: ContextDiff) -> set[str]:
    """The new versions that hold other deliveries than the ones of the environment before."""
    new = {s.name: s for s in difference.snapshots.values()}
    old = {name: before for name, (_, before) in difference.modified_snapshots.items()}
    versions = [s for s in difference.new_snapshots.values() if s.is_model and s.name in old]
    known = new | old
    return {s.name for s in versions if lineage(new, s.name) != lineage(known, s.name)}


def _changed_above(difference: ContextDiff, reached: set[str]) -> list[Snapshot]:
    """The new versions, of changed models, that these are or are built on.

    Whether what is built on a version needs a new table, SQLMesh asks only the new ones. One that
    came into being with another environment's delivery is none of them.
    """
    snapshots = {s.name: s for s in difference.snapshots.values()}
    dag = DAG({name: {p.name for p in s.parents} for name, s in snapshots.items()})
    above = reached.union(*(dag.upstream(name) for name in reached))
    return [
        snapshot
        for snapshot in difference.new_snapshots.values()
        if snapshot.name in above and difference.directly_modified(snapshot.name)
    ]


def _up_to_date_before_a_run(
    original: Any, context: GenericContext, environment: str, **kwargs: Any
) -> Any:
    from mesh.environments.apply import bring_up_to_date

    bring_up_to_date(context, environment)
    return original(context, environment, **kwargs)
