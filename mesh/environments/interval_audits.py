"""Audits of views for the months that changed, where SQLMesh would audit all of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlglot import exp

from mesh.environments.names import short_name
from mesh.environments.project import Project
from mesh.errors import CheckFailed

if TYPE_CHECKING:
    from sqlmesh.core.environment import Environment
    from sqlmesh.core.snapshot import Snapshot

# How many milliseconds SQLMesh's intervals count to a second.
MILLISECONDS = 1000


def first_layers(snapshots: dict[str, Snapshot]) -> tuple[list[str], list[str]]:
    """The models that are built on no view, and the views that are built on those alone."""
    from sqlmesh.utils.dag import DAG

    dag = DAG({name: {p.name for p in snapshot.parents} for name, snapshot in snapshots.items()})
    facts: list[str] = []
    views: list[str] = []
    for name in dag.sorted:
        snapshot = snapshots.get(name)
        if snapshot is None or snapshot.is_external:
            continue
        parents = [p.name for p in snapshot.parents if p.name in snapshots]
        inside = [p for p in parents if not snapshots[p].is_external]
        if snapshot.is_view:
            if all(parent in facts or parent in views for parent in inside):
                views.append(name)
        elif all(parent in facts for parent in inside):
            facts.append(name)
    return facts, views


def audit_missing(
    project: Project,
    environment: Environment,
    snapshots: dict[str, Snapshot],
    name: str,
    as_of: datetime,
) -> bool:
    """Audit the view `name` for the months missing in its state, and note them as done.

    Returns whether there were any. CheckFailed names the rule that is broken.
    """
    from sqlmesh.utils.date import to_datetime

    snapshot = snapshots[name]
    missing = snapshot.missing_intervals(
        snapshot.model.start or "1995-01-01", as_of, execution_time=as_of, ignore_cron=True
    )
    if not missing:
        return False
    spans = _merged(missing)
    if snapshot.model.audits:
        try:
            project.context.snapshot_evaluator.audit(
                snapshot,
                snapshots=snapshots,
                start=to_datetime(spans[0][0]),
                end=to_datetime(spans[-1][1]),
                execution_time=as_of,
                months=exp.Array(expressions=[_days(span) for span in spans]),
            )
        except Exception as error:
            text = " ".join(str(error).split())
            raise failed(environment.name, f"{short_name(snapshot.name)}: {text}") from error
    for start, end in spans:
        project.context.state_sync.add_interval(snapshot, start, end)
    return True


def failed(environment: str, reason: str) -> CheckFailed:
    """The error of a refresh that a model or an audit stopped."""
    return CheckFailed(
        f"{environment} could not be brought up to date. {reason.rstrip('.')}.",
        fix=f"Mend it, or plan {environment} if the project has changed since, and run "
        f"`mesh refresh {environment}` again: the months stay marked as missing.",
    )


def _merged(intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:
    spans = [intervals[0]]
    for start, end in intervals[1:]:
        if start == spans[-1][1]:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _days(span: tuple[int, int]) -> exp.Tuple:
    """First and last day of a span [start, end) in milliseconds since 1970."""
    start, end = (datetime.fromtimestamp(time / MILLISECONDS, UTC) for time in span)
    days = (start.date(), (end - timedelta(days=1)).date())
    return exp.Tuple(expressions=[exp.Literal.string(day.isoformat()) for day in days])
