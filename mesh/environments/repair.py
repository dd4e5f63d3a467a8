"""What an environment should have and has not: tables and views that somebody removed.

SQLMesh trusts its state: a table whose months are noted as built is built, and a view of an
environment that is promoted is there. So what is gone is looked for before a plan, a refresh and a
status; the months of a lost table are taken out of the state, so that SQLMesh finds them missing,
and a lost view is made again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlmesh.core.dialect import schema_
from sqlmesh.core.snapshot import DeployabilityIndex, Snapshot
from sqlmesh.core.snapshot.definition import to_view_mapping

from mesh.environments.names import short_name
from mesh.errors import CheckFailed

if TYPE_CHECKING:
    from sqlmesh.core.context import GenericContext
    from sqlmesh.core.context_diff import ContextDiff
    from sqlmesh.core.engine_adapter import EngineAdapter
    from sqlmesh.core.environment import Environment
    from sqlmesh.core.snapshot import SnapshotEvaluator, SnapshotId
    from sqlmesh.core.state_sync import StateReader, StateSync


@dataclass(frozen=True)
class Lost:
    """The versions whose physical table or view is gone, and those without a view to be read by."""

    tables: tuple[Snapshot, ...]
    views: tuple[SnapshotId, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The models of both, each once, ascending."""
        names = (*(table.name for table in self.tables), *(view.name for view in self.views))
        return tuple(sorted(set(map(short_name, names))))


def tables_of(snapshots: Mapping[SnapshotId, Snapshot]) -> dict[Snapshot, exp.Table]:
    """Where each built version has its rows: those of the intervals that SQLMesh notes of it."""
    return {
        snapshot: exp.to_table(snapshot.table_name(is_deployable=True))
        for snapshot in snapshots.values()
        if snapshot.is_model and not snapshot.is_symbolic and snapshot.intervals
    }


def views_of(environment: Environment, adapter: EngineAdapter) -> dict[SnapshotId, exp.Table]:
    """By which views an environment shows its versions."""
    return {
        info.snapshot_id: info.qualified_view_name.table_for_environment(
            environment.naming_info, dialect=adapter.dialect
        )
        for info in environment.promoted_snapshots
        if info.is_model and not info.is_symbolic
    }


def missing_from(adapter: EngineAdapter, tables: Iterable[exp.Table]) -> set[str]:
    """Those tables and views that are not there, as SQL; one look per schema.

    What a list lacks the engine is asked for itself: some find a name in other letters, too.
    """
    by_schema: dict[tuple[str, str], list[exp.Table]] = defaultdict(list)
    for table in tables:
        by_schema[table.catalog, table.db].append(table)
    missing: set[str] = set()
    for (catalog, db), expected in by_schema.items():
        objects = adapter.get_data_objects(schema_(db, catalog or None))
        there = {found.name for found in objects}
        unlisted = (table for table in expected if table.name not in there)
        missing |= {table.sql() for table in unlisted if not adapter.table_exists(table)}
    return missing


def lost(state: StateReader, adapter: EngineAdapter, environment: Environment) -> Lost:
    """What an environment should have and has not."""
    snapshots = state.get_snapshots(environment.snapshots)
    tables, views = tables_of(snapshots), views_of(environment, adapter)
    gone = missing_from(adapter, (*tables.values(), *views.values()))
    return Lost(
        tables=tuple(s for s, table in tables.items() if table.sql() in gone),
        views=tuple(one for one, view in views.items() if view.sql() in gone),
    )


def repair(context: GenericContext, name: str) -> tuple[str, ...]:
    """Let SQLMesh build again what is lost, and make lost views if no table is.

    Those over a lost table are made when it is built again: a view may be over others. Returns the
    models of what was lost.
    """
    state = context.state_sync
    environment = state.get_environment(name)
    if environment is None or not environment.finalized_ts:
        return ()
    found = lost(state, context.engine_adapter, environment)
    _forget(state, found.tables)
    if not found.tables:
        make_views(context.snapshot_evaluator, state, environment, found.views)
    return found.names


def make_lost_views(
    evaluator: SnapshotEvaluator, state: StateReader, environment: Environment
) -> None:
    """The views of an environment that are gone, once the tables under them are there again."""
    views = views_of(environment, evaluator.adapter)
    gone = missing_from(evaluator.adapter, views.values())
    lost_ids = [one for one, view in views.items() if view.sql() in gone]
    make_views(evaluator, state, environment, lost_ids)


def forget_lost(state: StateSync, adapter: EngineAdapter, difference: ContextDiff) -> None:
    """Let SQLMesh build again what is lost of the versions that a plan takes from elsewhere.

    What it makes has nothing to lose yet, and what its environment shows is looked at by `repair`.
    """
    shown = set() if difference.is_new_environment else difference.previously_promoted_snapshot_ids
    others = difference.snapshots.keys() - difference.new_snapshots.keys() - shown
    known = {snapshot_id: difference.snapshots[snapshot_id] for snapshot_id in others}
    tables = tables_of(known)
    gone = missing_from(adapter, tables.values())
    _forget(state, [snapshot for snapshot, table in tables.items() if table.sql() in gone])


def _forget(state: StateSync, snapshots: Collection[Snapshot]) -> None:
    for snapshot in snapshots:
        span = (min(s for s, _ in snapshot.intervals), max(e for _, e in snapshot.intervals))
        state.remove_intervals([(snapshot, span)], remove_shared_versions=True)
    state.refresh_snapshot_intervals(snapshots)
    if still := [short_name(s.name) for s in snapshots if s.intervals]:
        raise CheckFailed(
            f"the table of {', '.join(still)} is gone, and the clock of this machine is behind the "
            "one that built it: SQLMesh would not take note of it.",
            fix="Set the clock, then run the same command again.",
        )


def make_views(
    evaluator: SnapshotEvaluator,
    state: StateReader,
    environment: Environment,
    versions: Sequence[SnapshotId],
) -> None:
    """The views of an environment on these versions, as a promotion makes them."""
    if not versions:
        return
    every = state.get_snapshots(environment.snapshots)
    evaluator.promote(
        [every[one] for one in versions],
        environment.naming_info,
        deployability_index=DeployabilityIndex.create(every),
        snapshots=every,
        table_mapping=to_view_mapping(
            every.values(), environment.naming_info, dialect=evaluator.adapter.dialect
        ),
    )
