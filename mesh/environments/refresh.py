"""`mesh refresh`: the months that deliveries changed are built again, and nothing else.

Every ingest writes down which months it changed (`operational.changed_months`). A watermark model
stands before each group of facts and holds, for each month, the ingest that the month was last
built from; SQLMesh builds it with the facts, month by month. So what an environment lacks is a
join of the two, whatever was planned, run or interrupted before.

SQLMesh's own restatement takes one span of time for all models. A late delivery changes months far
apart, so the intervals of just those months are removed from its state, and its ordinary run finds
them missing and builds them in one go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlglot import exp

from mesh.environments.interval_audits import MILLISECONDS, audit_missing, failed, first_layers
from mesh.environments.names import execution_time, months_after, short_name
from mesh.environments.project import Project, collector_paused, readable_errors

if TYPE_CHECKING:
    from sqlmesh.core.environment import Environment
    from sqlmesh.core.snapshot import Snapshot

Months = set[date]
Span = tuple[date, date]


@dataclass(frozen=True)
class Watermark:
    """A model that records which ingest its months were built from.

    source_table: the operational table whose changes it follows.
    monthly: whether it has a row per month; otherwise one row for all.
    """

    model: str
    source_table: str
    monthly: bool = True


WATERMARKS = (
    Watermark("interactions_internal.delivered_ratings", "ratings"),
    Watermark("interactions_internal.delivered_tags", "tags"),
    Watermark("interactions_internal.delivered_movie_months", "movies"),
    Watermark("interactions_internal.delivered_movies", "movies", monthly=False),
)
# The month of a change that belongs to no month: a movie that is new or has another title.
NO_MONTH = date(1970, 1, 1)


@dataclass(frozen=True)
class Stale:
    """The months that changed since a watermark was built, and the empty ones among them."""

    changed: Months
    empty: Months


@dataclass(frozen=True)
class RefreshResult:
    """What a refresh did: the months it built again, and the models it ran."""

    environment: str
    changed_months: tuple[date, ...]
    models: tuple[str, ...]
    seconds: float


def refresh(project: Project, name: str, *, now: datetime | None = None) -> RefreshResult:
    """Bring an environment up to date with all that was ingested.

    CheckFailed if a model or an audit fails: the months in question stay marked as missing, so
    that the next refresh tries again.
    """
    started = datetime.now(UTC)
    with readable_errors(), collector_paused():
        environment = project.environment(name)
        snapshots = project.snapshots(environment)
        stale = _stale_months(project, environment, snapshots)
        _forget(project, environment, snapshots, stale)
        months = sorted(set().union(*(s.changed for s in stale.values())) - {NO_MONTH})
        models = _run(project, environment, snapshots, execution_time(newest_month(project), now))
    return RefreshResult(
        environment=name,
        changed_months=tuple(months),
        models=models,
        seconds=(datetime.now(UTC) - started).total_seconds(),
    )


def newest_month(project: Project) -> date | None:
    """The newest month that any delivery changed; None before the first."""
    query = exp.select(exp.func("MAX", exp.column("reporting_month"))).from_(
        "operational.changed_months"
    )
    return project.rows(query)[0][0]


def _stale_months(
    project: Project, environment: Environment, snapshots: dict[str, Snapshot]
) -> dict[str, Stale]:
    """For each watermark model's full name, the months changed since it was built."""
    stale = {}
    for watermark in WATERMARKS:
        snapshot = _by_short_name(snapshots, watermark.model)
        if snapshot is None:
            continue
        delivered = project.view(snapshot, environment)
        built = dict(
            project.rows(exp.select("reporting_month", "ingest_id").from_(delivered))
            if watermark.monthly
            else [(NO_MONTH, ingest) for (ingest,) in project.rows(_ingest_ids(delivered))]
        )
        changes = dict(project.rows(_changes(watermark)))
        months = {month for month, ingest in changes.items() if (built.get(month) or 0) < ingest}
        if months:
            stale[snapshot.name] = Stale(months, _empty_between(months, set(changes)))
    return stale


def _empty_between(months: Months, delivered: Months) -> Months:
    """The months in those gaps between `months` for which nothing was ever delivered.

    There is nothing to build in them, and with them the changed months make fewer spans.
    """
    ordered = sorted(months - {NO_MONTH})
    empty: Months = set()
    for before, after in pairwise(ordered):
        gap = set()
        month = months_after(before)
        while month < after:
            gap.add(month)
            month = months_after(month)
        if not gap & delivered:
            empty |= gap
    return empty


def _ingest_ids(delivered: exp.Table) -> exp.Select:
    return exp.select("ingest_id").from_(delivered)


def _changes(watermark: Watermark) -> exp.Select:
    """Month and newest ingest of all changes that a watermark follows."""
    of_a_month = exp.column("reporting_month").neq(_date(NO_MONTH))
    return (
        exp.select("reporting_month", exp.func("MAX", exp.column("ingest_id")).as_("ingest_id"))
        .from_("operational.changed_months")
        .where(exp.column("source_table").eq(watermark.source_table))
        .where(of_a_month if watermark.monthly else of_a_month.not_())
        .group_by("reporting_month")
    )


def _date(day: date) -> exp.Cast:
    return exp.cast(exp.Literal.string(day.isoformat()), "date")


def _by_short_name(snapshots: dict[str, Snapshot], name: str) -> Snapshot | None:
    found = (snapshot for full, snapshot in snapshots.items() if short_name(full) == name)
    return next(found, None)


def _forget(
    project: Project,
    environment: Environment,
    own: dict[str, Snapshot],
    stale: dict[str, Stale],
) -> None:
    """Remove the stale months of the watermarks and of all that is built on them.

    Tables are shared between environments that have the same model, and so is a watermark. What
    another environment builds on it in its own way is marked as missing too, and filled by the
    next refresh of that environment.
    """
    if not stale:
        return
    watermarks = {own[name].name_version for name in stale}
    affected: dict[tuple[str, str], tuple[Snapshot, Months]] = {}
    for summary in project.context.state_reader.get_environments_summary():
        if summary.name == environment.name:
            snapshots = own
        elif other := project.context.state_reader.get_environment(summary.name):
            snapshots = project.snapshots(other)
        else:
            continue
        for name, lacking in stale.items():
            if name not in snapshots or snapshots[name].name_version not in watermarks:
                continue
            for snapshot in _with_downstream(snapshots, name):
                key = (snapshot.name, snapshot.version_get_or_generate())
                affected.setdefault(key, (snapshot, set()))[1].update(
                    lacking.changed | lacking.empty
                )
    rounds: dict[int, list] = defaultdict(list)
    for snapshot, months in affected.values():
        for number, span in enumerate(_spans_to_remove(snapshot, months)):
            rounds[number].append((snapshot, _interval(span)))
    for intervals in rounds.values():
        project.context.state_sync.remove_intervals(intervals, remove_shared_versions=True)


def _with_downstream(snapshots: dict[str, Snapshot], name: str) -> Iterable[Snapshot]:
    from sqlmesh.utils.dag import DAG

    dag = DAG({key: {p.name for p in snapshot.parents} for key, snapshot in snapshots.items()})
    return [snapshots[key] for key in (name, *dag.downstream(name)) if key in snapshots]


def _spans_to_remove(snapshot: Snapshot, months: Months) -> list[Span]:
    """Spans of months [first, end) to build again; one month stands for all of a full model."""
    if snapshot.is_full:
        ends = (end / MILLISECONDS for _, end in snapshot.intervals)
        built = [datetime.fromtimestamp(end, UTC).date() for end in ends]
        last = months_after(max(built), -1) if built else max(months)
        return [(last, months_after(last))]
    return list(_contiguous(sorted(months - {NO_MONTH} or months)))


def _contiguous(months: list[date]) -> Iterable[Span]:
    start = previous = months[0]
    for month in months[1:]:
        if month != months_after(previous):
            yield start, months_after(previous)
            start = month
        previous = month
    yield start, months_after(previous)


def _interval(span: Span) -> tuple[int, int]:
    from sqlmesh.utils.date import to_timestamp

    return to_timestamp(span[0]), to_timestamp(span[1])


def _run(
    project: Project, environment: Environment, snapshots: dict[str, Snapshot], as_of: datetime
) -> tuple[str, ...]:
    """Let SQLMesh run whatever is missing; the names of the models it ran.

    SQLMesh audits a view whole, whatever changed in it. So the facts run first, then the views on
    them are audited for the missing months alone, and then the rest runs.
    """
    record = project.new_record()
    facts, views = first_layers(snapshots)
    _run_models(project, environment, snapshots, as_of, [short_name(name) for name in facts])
    project.context.state_reader.refresh_snapshot_intervals(snapshots.values())
    audited = [
        short_name(name)
        for name in views
        if audit_missing(project, environment, snapshots, name, as_of)
    ]
    ran = list(record.models)
    _run_models(project, environment, snapshots, as_of, None)
    return (*ran, *audited, *record.models[len(ran) :])


def _run_models(
    project: Project,
    environment: Environment,
    snapshots: dict[str, Snapshot],
    as_of: datetime,
    names: list[str] | None,
) -> None:
    _remember(project, snapshots)
    outcome = project.context.run(
        environment.name,
        execution_time=as_of,
        end=as_of,
        ignore_cron=True,
        skip_janitor=True,
        select_models=names,
        no_auto_upstream=names is not None,
    )
    if outcome.is_failure:
        raise failed(environment.name, project.console.record.failure)


def _remember(project: Project, snapshots: dict[str, Snapshot]) -> None:
    """Put the snapshots back into SQLMesh's cache, which gives up those whose intervals change.

    To load them again takes longer than many a run, and a run reads their intervals in any case.
    """
    from sqlmesh.utils.date import now_timestamp

    state = project.context.state_sync
    expires = now_timestamp() + state.ttl * MILLISECONDS
    state.snapshot_cache.update({s.snapshot_id: (s, expires) for s in snapshots.values()})
