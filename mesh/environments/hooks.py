"""What SQLMesh's own commands do differently in this project.

SQLMesh has no interface for "a delivery is a version of the data". It has a folder that every
command that builds imports, `materializations/`, and this is installed from there, so that
`sqlmesh plan` and `sqlmesh run` keep what the commands of `mesh` keep. Four methods are wrapped;
what each of them returns is of SQLMesh's own making.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any

from sqlmesh.core.config.scheduler import BuiltInSchedulerConfig
from sqlmesh.core.context import GenericContext
from sqlmesh.core.snapshot import SnapshotChangeCategory

from mesh.environments.carry import carried_over
from mesh.environments.deliveries import DeliveryLog, as_of, read_deliveries
from mesh.environments.evaluation import plan_evaluator
from mesh.environments.repair import repair
from mesh.environments.versions import delivery_stamp, stamped

if TYPE_CHECKING:
    from sqlmesh.core.plan import PlanBuilder

INSTALLED = "_deliveries_are_versions"
# The deliveries that a plan is made of, read once.
_planned: ContextVar[DeliveryLog | None] = ContextVar("planned", default=None)


def install() -> None:
    """Make versions of models of the deliveries that they hold, once per process."""
    if getattr(GenericContext, INSTALLED, False):
        return
    setattr(GenericContext, INSTALLED, True)
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


def _of_the_newest_delivery(original: Any, context: GenericContext, nodes: dict) -> Any:
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
    """Give what a delivery reaches new versions, and show what these take from earlier ones."""
    difference = builder.build().context_diff
    for snapshot in difference.new_snapshots.values():
        pair = difference.modified_snapshots.get(snapshot.name)
        if pair and snapshot.is_model and len({delivery_stamp(one.model) for one in pair}) > 1:
            # The same query on other rows: SQLMesh would see no change.
            builder.set_choice(snapshot, SnapshotChangeCategory.BREAKING)
    snapshots = {s.name: s for s in builder.build().context_diff.snapshots.values()}
    earlier = carried_over(context.state_reader, context.engine_adapter, snapshots, log)
    for name, carried in earlier.items():
        if not carried.new.is_view:
            snapshots[name].intervals = list(carried.intervals)
    return builder


def _up_to_date_before_a_run(
    original: Any, context: GenericContext, environment: str, **kwargs: Any
) -> Any:
    from mesh.environments.apply import bring_up_to_date

    bring_up_to_date(context, environment)
    return original(context, environment, **kwargs)
