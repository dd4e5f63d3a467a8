"""Versions of models: their code, and the deliveries that their tables hold.

SQLMesh gives a model a new version, with a table of its own, when anything that decides on its data
changes. The stamp of a model is among that, so the delivery becomes part of the version: an
environment points at tables that are never written again once it shows them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from sqlmesh.core.snapshot import (
    DeployabilityIndex,
    Snapshot,
    earliest_start_date,
    missing_intervals,
)
from sqlmesh.utils.dag import DAG
from sqlmesh.utils.date import to_date, to_datetime
from sqlmesh.utils.hashing import hash_data

from mesh.contracts.previews import built_of
from mesh.deliveries import months_after
from mesh.environments.deliveries import PREFIX, DeliveryLog
from mesh.environments.names import query_inputs, short_name
from mesh.environments.sources import Delivered

if TYPE_CHECKING:
    from sqlmesh.core.environment import Environment
    from sqlmesh.core.model import Model
    from sqlmesh.core.node import Node
    from sqlmesh.core.snapshot import SnapshotId

_OWN = re.compile(rf"(?:; )?{PREFIX} \d+ of .*$")


def delivery_stamp(model: Model) -> str | None:
    """The delivery that stands in a model's stamp."""
    found = _OWN.search(model.stamp or "")
    return found.group(0).removeprefix("; ") if found else None


def source_of(model: Model, delivered: Delivered) -> str | None:
    """The delivered table that a model's query reads; None for models that read none.

    A model reads one at most: its version is of one table's deliveries.
    """
    there = {table.product: table.name for table in delivered.tables}
    if not any(short_name(name) in there for name in model.depends_on):
        return None
    return min((there[name] for name in query_inputs(model) if name in there), default=None)


def stamped(nodes: Mapping[str, Node], log: DeliveryLog) -> dict[str, Node]:
    """The nodes of a project, its models as of the newest delivery.

    Models that read a delivered table get its newest delivery as their stamp. They and all that
    is built on them end with the newest delivered month: nothing of a version is ever built from a
    later delivery.
    """
    result = dict(nodes)
    models = {name: cast("Model", node) for name, node in nodes.items() if node.is_model}
    stamps: dict[str, str] = {}
    sources: dict[str, frozenset[str]] = {}
    for name in DAG({n: set(m.depends_on) & models.keys() for n, m in models.items()}).sorted:
        model = models[name]
        if model.kind.is_external:
            continue
        table = source_of(model, log.delivered)
        above = [sources.get(parent, frozenset()) for parent in model.depends_on]
        sources[name] = frozenset().union(*above, {table} if table else ())
        changes: dict[str, object] = {}
        newest = log.newest(table) if table else None
        if table and newest:
            stamps[table] = newest.stamp
            changes["stamp"] = _with_delivery(model.stamp, newest.stamp)
        elif table and delivery_stamp(model):
            changes["stamp"] = _with_delivery(model.stamp, None)
        if sources[name]:
            month = log.newest_month(sources[name], stamps)
            # A model may begin later than anything that was delivered.
            if month and to_date(model.start or month) < months_after(month):
                changes["end"] = (months_after(month) - timedelta(days=1)).isoformat()
        changed = {key: value for key, value in changes.items() if getattr(model, key) != value}
        if changed:
            result[name] = model.copy(update=changed)
    return result


def _with_delivery(stamp: str | None, delivery: str | None) -> str | None:
    own = _OWN.sub("", stamp or "")
    return "; ".join(part for part in (own, delivery) if part) or None


def stamps_of(snapshots: Iterable[Snapshot], delivered: Delivered) -> dict[str, str | None]:
    """By source table the delivery that the models reading it hold; the oldest, of several."""
    found: dict[str, str | None] = {}
    for snapshot in snapshots:
        if not snapshot.is_model or snapshot.is_external:
            continue
        if table := source_of(snapshot.model, delivered):
            stamp = delivery_stamp(snapshot.model)
            known = found.get(table, stamp)
            found[table] = min(known, stamp, key=_number) if known and stamp else None
    return found


def _number(stamp: str) -> int:
    return int(stamp.split()[1])


def partly_built(snapshots: Collection[Snapshot], environment: Environment) -> list[Snapshot]:
    """The tables of an environment without all months: not built, or not in what it shows.

    After a plan with a start, it shows tables of its own, also when others have built the versions
    as a whole by then. What fell due since any of them was built is the next run's, and is missing
    nowhere. A view holds no months: it is among them if no audit has seen any of it.
    """
    by_id = {snapshot.snapshot_id: snapshot for snapshot in snapshots}
    index = DeployabilityIndex.create(by_id)
    newest = built_until(snapshots, index)
    missing = missing_intervals(by_id, execution_time=newest, deployability_index=index)
    starts_late = to_datetime(environment.start_at) > earliest_start_date(by_id)
    return [
        snapshot
        for snapshot in snapshots
        if (snapshot in missing and not (snapshot.is_view and built_of(snapshot, index)))
        or (starts_late and snapshot.dev_intervals and not snapshot.is_view)
    ]


def built_until(
    snapshots: Iterable[Snapshot], index: DeployabilityIndex | None = None
) -> datetime | None:
    """The end of what is built of the model that is furthest; None where nothing is."""
    shown = index or DeployabilityIndex.all_deployable()
    built = (built_of(one, shown) for one in snapshots)
    newest = max((spans[-1][1] for spans in built if spans), default=None)
    return None if newest is None else to_datetime(newest)


def names_of_partly_built(
    snapshots: Collection[Snapshot], environment: Environment
) -> tuple[str, ...]:
    """The same, by short name."""
    return tuple(sorted(short_name(one.name) for one in partly_built(snapshots, environment)))


def months_are_missing(environment: str, models: int) -> str:
    """What is said of such an environment, as the beginning of a sentence."""
    return (
        f"{environment} has not all months of {models} models, as after a plan with a start, one "
        "that is forward-only, or a run that failed"
    )


def lineage(
    snapshots: Mapping[str, Snapshot], name: str, delivered: Delivered
) -> dict[str, str | None]:
    """By source table the delivery in the stamps of a model and of all that it is built on."""
    dag = DAG({n: {p.name for p in s.parents} for n, s in snapshots.items()})
    above = [snapshots[n] for n in (*dag.upstream(name), name) if n in snapshots]
    return stamps_of(above, delivered)


class CodeVersions:
    """What a version's data depends on but for the deliveries: its code and that of its inputs."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self._snapshots: dict[SnapshotId, Snapshot] = {s.snapshot_id: s for s in snapshots}
        self._known: dict[SnapshotId, str | None] = {}

    def of(self, snapshot: Snapshot) -> str | None:
        """A hash that two versions of a model share if they differ in deliveries alone; None if
        the versions that it is built on are not all known."""
        known = self._known.get(snapshot.snapshot_id)
        if known is None:
            known = self._known[snapshot.snapshot_id] = self._hash(snapshot)
        return known

    def _hash(self, snapshot: Snapshot) -> str | None:
        if not snapshot.is_model:
            return snapshot.fingerprint.data_hash
        model = snapshot.model
        own = model.copy(update={"stamp": _with_delivery(model.stamp, None)}).data_hash
        parents = [self._snapshots.get(parent) for parent in sorted(snapshot.parents)]
        above = [self.of(parent) if parent else None for parent in parents]
        return None if None in above else hash_data([own, *above])
