"""Carries the months that a delivery did not change into the tables of the new version.

A delivery gives each model that it reaches a new version, whose table is empty. The version before
it, of the same code, holds the same rows for every month that no delivery since has changed: they
are copied inside the engine, and SQLMesh finds just the changed months missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlmesh.core.snapshot import Snapshot
from sqlmesh.core.snapshot.definition import (
    SnapshotIntervals,
    merge_intervals,
    remove_interval,
    snapshots_to_dag,
)
from sqlmesh.utils.date import to_date, to_timestamp

from mesh.deliveries import WITHOUT_MONTH, months_after
from mesh.environments.deliveries import DeliveryLog
from mesh.environments.repair import missing_from, tables_of
from mesh.environments.versions import CodeVersions, lineage

if TYPE_CHECKING:
    from sqlmesh.core.engine_adapter import EngineAdapter
    from sqlmesh.core.snapshot import SnapshotId
    from sqlmesh.core.state_sync import StateReader, StateSync

Interval = tuple[int, int]


@dataclass(frozen=True)
class Carried:
    """A new version, the one before it, and the intervals in which both hold the same rows.

    whole_inputs: whether a table that is always built whole stands between the new version and
    the last incremental tables under it, and is another than under the old one; or further below,
    if it is of events.
    """

    new: Snapshot
    old: Snapshot
    intervals: tuple[Interval, ...]
    whole_inputs: bool


def carried_over(
    state: StateReader, snapshots: Mapping[str, Snapshot], log: DeliveryLog, adapter: EngineAdapter
) -> dict[str, Carried]:
    """For each version without data what an earlier version of the same code can give it.

    snapshots: by name all models of a plan, versioned. Of several earlier versions the one is taken
    that gives the most months. One whose table is gone has nothing to give.
    """
    empty = [s for s in snapshots.values() if _can_carry(s) and not s.intervals]
    if not empty:
        return {}
    names = [snapshot.name for snapshot in snapshots.values() if not snapshot.is_external]
    stored = state.get_snapshots(state.get_snapshots_by_names(names))
    stored.update({s.snapshot_id: s for s in snapshots.values()})
    code = CodeVersions(stored.values())
    names_of_empty = {s.name for s in empty}
    built = tables_of({i: s for i, s in stored.items() if s.name in names_of_empty})
    gone = missing_from(adapter, built.values())
    dag = snapshots_to_dag(stored.values())
    earlier = {
        snapshot.snapshot_id: {
            stored[one].name: stored[one]
            for one in (snapshot.snapshot_id, *dag.upstream(snapshot.snapshot_id))
            if one in stored
        }
        for snapshot, table in built.items()
        if _can_carry(snapshot) and table.sql() not in gone
    }
    found: dict[str, Carried] = {}
    events = log.delivered.events
    for new in empty:
        of_code = code.of(new)
        for snapshot_id, under in earlier.items():
            old = stored[snapshot_id]
            if old.name != new.name or old.version == new.version or code.of(old) != of_code:
                continue
            old_ids = {s.snapshot_id for s in under.values()}
            whole = _other_whole_inputs(new, snapshots, old_ids)
            every = _other_whole_inputs(new, snapshots, old_ids, through_tables=True)
            any_month = any(
                events & lineage(snapshots, name, log.delivered).keys() for name in every
            )
            if any_month and not new.is_view:
                continue
            stamps = lineage(snapshots, new.name, log.delivered)
            kept = _kept(log, new, old, stamps, lineage(under, old.name, log.delivered))
            best = found.get(new.name)
            if kept and (best is None or _length(kept) > _length(best.intervals)):
                found[new.name] = Carried(new, old, tuple(kept), any_month or bool(whole))
    return found


def _other_whole_inputs(
    new: Snapshot,
    snapshots: Mapping[str, Snapshot],
    old_ids: set[SnapshotId],
    *,
    through_tables: bool = False,
) -> set[str]:
    """The tables that are built whole under a version, and not under the old one.

    They are looked for through views. through_tables: and through incremental tables, which may
    have been built again whole because of them.
    """
    found: set[str] = set()
    open_names = [parent.name for parent in new.parents]
    while open_names:
        parent = snapshots.get(open_names.pop())
        if parent is None or parent.is_external:
            continue
        if parent.is_view or parent.is_embedded or (through_tables and _can_carry(parent)):
            open_names.extend(above.name for above in parent.parents)
        elif not _can_carry(parent) and parent.snapshot_id not in old_ids:
            found.add(parent.name)
    return found


def _can_carry(snapshot: Snapshot) -> bool:
    return snapshot.is_model and (snapshot.is_incremental_by_time_range or snapshot.is_view)


def _kept(
    log: DeliveryLog,
    new: Snapshot,
    old: Snapshot,
    stamps: Mapping[str, str | None],
    old_stamps: Mapping[str, str | None],
) -> list[Interval]:
    """The intervals of the old version in which no delivery changed anything for the new one."""
    changed: set[date] = set()
    for table, stamp in stamps.items():
        months = log.changed(table, old_stamps.get(table), stamp)
        if months is None:
            return []
        changed |= months
    limit = _end(new)
    kept = [(s, e if limit is None else min(e, limit)) for s, e in merge_intervals(old.intervals)]
    return _without([i for i in kept if i[0] < i[1]], [_interval(m) for m in sorted(changed)])


def _end(snapshot: Snapshot) -> int | None:
    """Where the last month of a version ends, in milliseconds since 1970."""
    end = snapshot.node.end
    return _interval(date.fromisoformat(str(end)[:10]).replace(day=1))[1] if end else None


def _without(intervals: list[Interval], removed: list[Interval]) -> list[Interval]:
    for start, end in removed:
        intervals = remove_interval(intervals, start, end)
    return intervals


def _interval(month: date) -> Interval:
    return to_timestamp(month), to_timestamp(months_after(month))


def _length(intervals: Iterable[Interval]) -> int:
    return sum(end - start for start, end in intervals)


def carry(carried: Mapping[str, Carried], state: StateSync, adapter: EngineAdapter) -> None:
    """Fill the tables of new versions with what they share with earlier ones, and note it.

    Views have no rows of their own: see `months_to_audit`. A table that is there, although no
    month of it is noted, is somebody else's, who is making it now or was killed: SQLMesh builds all
    of it.
    """
    for one in carried.values():
        if one.new.is_view or adapter.table_exists(one.new.table_name()):
            continue
        _copy(adapter, one)
        noted = SnapshotIntervals(
            name=one.new.name,
            identifier=one.new.identifier,
            version=one.new.version,
            dev_version=one.new.dev_version,
            intervals=list(one.intervals),
        )
        state.add_snapshots_intervals([noted])


def _copy(adapter: EngineAdapter, one: Carried) -> None:
    source, target = one.old.table_name(), one.new.table_name()
    if adapter.SUPPORTS_CLONING:
        # Changed months are in it too, and are replaced when they are built.
        adapter.clone_table(target, source)
        return
    columns = list(one.new.model.columns_to_types_or_raise)
    assert one.new.model.time_column
    time = one.new.model.time_column.column
    bound = one.new.model.convert_to_time_column
    within = [
        exp.and_(time.copy() >= bound(start), time.copy() < bound(end))
        for start, end in one.intervals
    ]
    rows = exp.select(*(exp.column(name, quoted=True) for name in columns)).from_(
        exp.to_table(source)
    )
    adapter.ctas(
        target,
        rows.where(exp.or_(*within)),
        one.new.model.columns_to_types,
        table_description=one.new.model.description,
    )


def months_to_audit(one: Carried) -> exp.Array | None:
    """The months of a view whose rows are other than the audited ones of its version before.

    None for all of them: where a table under the view is built whole, any row may be other.
    """
    if one.whole_inputs:
        return None
    # Without a start, whatever lies before the rows that are carried over.
    start = to_timestamp(one.new.node.start or date.min)
    limit = _end(one.new) or max(end for _, end in one.old.intervals)
    rest = _without([(start, limit)], list(one.intervals)) or [_interval(WITHOUT_MONTH)]
    return exp.Array(expressions=[_days(span) for span in rest])


def _days(span: Interval) -> exp.Tuple:
    """First and last day of a span [start, end) in milliseconds since 1970."""
    ends = to_date(span[0]), to_date(span[1]) - timedelta(days=1)
    return exp.Tuple(expressions=[exp.Literal.string(day.isoformat()) for day in ends])
