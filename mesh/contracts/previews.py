"""Parts of models: what a plan with a start builds, or the preview of one that is forward-only.

Each of their rows is held to its rules; how many rows there are, and whether that agrees with other
products, says nothing of a part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlmesh.core.console import get_console
from sqlmesh.core.snapshot import DeployabilityIndex, Snapshot, SnapshotEvaluator, start_date
from sqlmesh.core.snapshot.definition import Interval, merge_intervals
from sqlmesh.utils.date import to_datetime

from mesh.contracts.audits import AUDIT
from mesh.wrapping import wrap

PREVIEW = "preview"
"""What an audit of a part is told by, among the variables that its query is rendered with."""
# On an evaluator: by version the intervals that it has built, which SQLMesh notes in its state.
_BUILT = "intervals_built"


@cache
def install() -> None:
    """Let SQLMesh tell audits of parts, once per process."""
    wrap(SnapshotEvaluator, "audit", _of_a_part)


def note_built(
    evaluator: SnapshotEvaluator, snapshots: Iterable[Snapshot], index: DeployabilityIndex
) -> None:
    """Keep what is built of versions, whose intervals SQLMesh takes away to audit them again."""
    built = evaluator.__dict__.setdefault(_BUILT, {})
    for one in snapshots:
        built.setdefault(one.snapshot_id, []).extend(built_of(one, index))


def built_of(snapshot: Snapshot, index: DeployabilityIndex) -> list[Interval]:
    """The intervals that are built of the table which an environment shows."""
    shown = index.is_representative(snapshot)
    return snapshot.intervals if shown else snapshot.dev_intervals


def mark_part(evaluator: SnapshotEvaluator, snapshot: Snapshot, kwargs: dict[str, Any]) -> bool:
    """Tell the audits of a version that lacks rows of its model; whether promises are among them.

    A version with a table beside that of prod can have all rows, as a view on a table that has got
    a column more. Where the engine clones tables, so has the preview of one that is forward-only.
    """
    index = kwargs.get("deployability_index")
    if index is None:
        return False
    built = evaluator.__dict__.setdefault(_BUILT, {})
    now = snapshot.inclusive_exclusive(kwargs["start"], kwargs["end"], strict=False, expand=False)
    built.setdefault(snapshot.snapshot_id, []).append(now)
    if index.is_representative(snapshot):
        return False
    clones = evaluator.get_adapter(snapshot.model_gateway).SUPPORTS_CLONING
    if not _Parts(kwargs["snapshots"], index, built, clones=clones).lacks_rows(snapshot):
        return False
    kwargs[PREVIEW] = True
    return snapshot.is_model and any(name == AUDIT for name, _ in snapshot.model.audits)


class _Parts:
    """Which of the versions of an environment lack rows, their own or those of what they read."""

    def __init__(
        self,
        snapshots: Mapping[str, Snapshot],
        index: DeployabilityIndex,
        built: Mapping[Any, list[Interval]],
        *,
        clones: bool,
    ) -> None:
        self._snapshots = snapshots
        self._index = index
        self._clones = clones
        self._built = {
            one.snapshot_id: merge_intervals(
                [*built_of(one, index), *built.get(one.snapshot_id, [])]
            )
            for one in snapshots.values()
        }
        # What fell due since the newest was built is the next run's, and is missing nowhere.
        self._newest = max((spans[-1][1] for spans in self._built.values() if spans), default=0)
        self._known: dict[str, bool] = {}

    def lacks_rows(self, snapshot: Snapshot) -> bool:
        if snapshot.name not in self._known:
            self._known[snapshot.name] = self._lacks_own(snapshot) or any(
                self.lacks_rows(self._snapshots[parent.name])
                for parent in snapshot.parents
                if parent.name in self._snapshots
            )
        return self._known[snapshot.name]

    def _lacks_own(self, snapshot: Snapshot) -> bool:
        if not snapshot.evaluatable or snapshot.is_embedded:
            return False
        if snapshot.is_forward_only and not self._index.is_representative(snapshot):
            # SQLMesh takes what prod has built for built in a preview, which only a clone has.
            return not self._clones
        # Also of what has all rows whenever it is built, as a view: after a plan with a start, what
        # its promises compare it with may be a part.
        whole = snapshot.copy()
        whole.intervals = whole.dev_intervals = self._built[snapshot.snapshot_id]
        newest = to_datetime(self._newest)
        first = start_date(snapshot, self._snapshots.values(), relative_to=newest)
        end = min(newest, to_datetime(snapshot.node.end)) if snapshot.node.end else newest
        return bool(whole.missing_intervals(first, end, execution_time=newest))


def _of_a_part(
    original: Any, evaluator: SnapshotEvaluator, snapshot: Snapshot, **kwargs: Any
) -> list[Any]:
    if PREVIEW not in kwargs and mark_part(evaluator, snapshot, kwargs):
        told = evaluator.__dict__.setdefault("parts_told", set())
        if snapshot.name not in told:
            # Its batches are audited one by one.
            told.add(snapshot.name)
            get_console().log_warning(
                f"{snapshot.name} is built in part, as with a start or forward-only: how many rows "
                "its contract promises, and whether they agree with other products, is not checked."
            )
    audited: list[Any] = original(evaluator, snapshot, **kwargs)
    return audited
