"""Which models of a plan get new versions, and what these take from earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmesh.core.snapshot import Snapshot, SnapshotChangeCategory
from sqlmesh.utils.dag import DAG
from sqlmesh.utils.errors import PlanError

from mesh.environments.carry import carried_over
from mesh.environments.names import short_name
from mesh.environments.repair import forget_lost
from mesh.environments.versions import lineage

if TYPE_CHECKING:
    from sqlmesh.core.context import GenericContext
    from sqlmesh.core.context_diff import ContextDiff
    from sqlmesh.core.plan import PlanBuilder

    from mesh.environments.deliveries import DeliveryLog
    from mesh.environments.sources import Delivered


def choose_versions(context: GenericContext, builder: PlanBuilder, log: DeliveryLog) -> PlanBuilder:
    """Give what a delivery reaches new versions, and show what these take from earlier ones.

    PlanError for a plan that would let a model of another delivery keep its table.
    """
    difference = builder.build().context_diff
    forget_lost(context.state_sync, context.engine_adapter, difference)
    reached = _of_other_deliveries(difference, log.delivered)
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


def _of_other_deliveries(difference: ContextDiff, delivered: Delivered) -> set[str]:
    """The new versions that hold other deliveries than the ones of the environment before."""
    new = {s.name: s for s in difference.snapshots.values()}
    old = {name: before for name, (_, before) in difference.modified_snapshots.items()}
    versions = [s for s in difference.new_snapshots.values() if s.is_model and s.name in old]
    known = new | old
    return {
        s.name
        for s in versions
        if lineage(new, s.name, delivered) != lineage(known, s.name, delivered)
    }


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
