"""What an environment should have and has not: tables and views that somebody removed.

SQLMesh trusts its state: a table whose months are noted as built is built, and a view of an
environment that is promoted is there. So what is gone is looked for before a plan, a refresh and a
status; the months of a lost table are taken out of the state, so that SQLMesh finds them missing,
and a lost view is made again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
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
    from sqlmesh.core.engine_adapter import EngineAdapter
    from sqlmesh.core.environment import Environment
    from sqlmesh.core.snapshot import SnapshotEvaluator, SnapshotId
    from sqlmesh.core.state_sync import StateReader


@dataclass(frozen=True)
class Lost:
    """The versions whose physical table or view is gone, and those without a view to be read by."""

    tables: tuple[Snapshot, ...]
    views: tuple[Snapshot, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The models of both, each once, ascending."""
        return tuple(sorted({short_name(s.name) for s in (*self.tables, *self.views)}))


def tables_of(snapshots: Mapping[SnapshotId, Snapshot]) -> dict[Snapshot, exp.Table]:
    """Where each built version has its rows."""
    index = DeployabilityIndex.create(snapshots)
    return {
        snapshot: exp.to_table(snapshot.table_name(is_deployable=index.is_deployable(snapshot)))
        for snapshot in snapshots.values()
        if snapshot.is_model and not snapshot.is_symbolic and snapshot.intervals
    }


def missing_from(adapter: EngineAdapter, tables: Iterable[exp.Table]) -> set[str]:
    """Those tables and views that are not there, as SQL; one look per schema."""
    by_schema: dict[tuple[str, str], list[exp.Table]] = defaultdict(list)
    for table in tables:
        by_schema[table.catalog, table.db].append(table)
    missing: set[str] = set()
    for (catalog, db), expected in by_schema.items():
        objects = adapter.get_data_objects(schema_(db, catalog or None))
        there = {found.name for found in objects}
        missing |= {table.sql() for table in expected if table.name not in there}
    return missing


def lost(state: StateReader, adapter: EngineAdapter, environment: Environment) -> Lost:
    """What an environment should have and has not."""
    return _lost(state, adapter, [environment], environment)


def _lost(
    state: StateReader,
    adapter: EngineAdapter,
    environments: list[Environment],
    own: Environment | None,
) -> Lost:
    """The lost tables of all these environments, and the lost views of one; each schema is
    listed once."""
    tables: dict[Snapshot, exp.Table] = {}
    for environment in environments:
        tables |= tables_of(state.get_snapshots(environment.snapshots))
    views: dict[Snapshot, exp.Table] = {}
    if own is not None:
        promoted = {info.snapshot_id for info in own.promoted_snapshots}
        views = {
            snapshot: snapshot.qualified_view_name.table_for_environment(
                own.naming_info, dialect=adapter.dialect
            )
            for snapshot in state.get_snapshots(own.snapshots).values()
            if snapshot.is_model and not snapshot.is_symbolic and snapshot.snapshot_id in promoted
        }
    gone = missing_from(adapter, (*tables.values(), *views.values()))
    return Lost(
        tables=tuple(s for s, table in tables.items() if table.sql() in gone),
        views=tuple(s for s, view in views.items() if view.sql() in gone),
    )


def repair(context: GenericContext, name: str) -> Lost | None:
    """Let SQLMesh build again what is lost, and make lost views whose tables are there.

    Tables are looked for in all environments: a plan may promote those of any. Returns what was
    lost in the environment of that name; None if nothing was.
    """
    state, adapter = context.state_sync, context.engine_adapter
    environments = {e.name: e for e in state.get_environments() if e.finalized_ts}
    own = environments.get(name)
    found = _lost(state, adapter, list(environments.values()), own)
    _forget(context, list(found.tables))
    if own is None:
        return None
    tables = {s.snapshot_id for s in found.tables}
    whole = [s for s in found.views if s.snapshot_id not in tables]
    make_views(context.snapshot_evaluator, state, own, whole)
    shown = {info.snapshot_id for info in own.snapshots}
    mine = tuple(s for s in found.tables if s.snapshot_id in shown)
    return Lost(mine, found.views) if mine or found.views else None


def _forget(context: GenericContext, snapshots: list[Snapshot]) -> None:
    state = context.state_sync
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
    snapshots: list[Snapshot],
) -> None:
    """The views of an environment on these versions, as a promotion makes them."""
    if not snapshots:
        return
    every = state.get_snapshots(environment.snapshots)
    evaluator.promote(
        snapshots,
        environment.naming_info,
        deployability_index=DeployabilityIndex.create(every),
        snapshots=every,
        table_mapping=to_view_mapping(
            every.values(), environment.naming_info, dialect=evaluator.adapter.dialect
        ),
    )
