"""The review itself: load both revisions, compare, judge, and find who is hit."""

from __future__ import annotations

import datetime
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from mesh.contracts.draft import SUFFIX
from mesh.errors import MeshError
from mesh.git import find_checkout
from mesh.project import Project
from mesh.review.charts import read_charts
from mesh.review.contracts.diff import compare
from mesh.review.contracts.read import Contracts, read_contracts
from mesh.review.contracts.two_states import judge
from mesh.review.contracts.verdict import Verdict
from mesh.review.dashboards import edited_dashboards
from mesh.review.findings import Finding, Place, finding
from mesh.review.levels import read_both
from mesh.review.models.changes import model_changes, plain_error, weighed
from mesh.review.models.impact import (
    Impact,
    World,
    broken_readers,
    chart_changes,
    chart_columns_gone,
    impact,
)
from mesh.review.models.lines import Files
from mesh.review.models.load import load_both
from mesh.review.models.review_worker.facts import Models, Plan, RowDiff
from mesh.review.rules import Level

Personal = Mapping[str, tuple[str, ...]]
Load = Callable[[Project | None, Project, Personal], tuple[Models, Models]]


@dataclass(frozen=True)
class CostChange:
    """Bytes that a monthly run scans, in both revisions."""

    before: int
    after: int


@dataclass(frozen=True)
class Review:
    """All that a review found, for every form of output.

    base: the commit that the work tree was compared with. plan, rows, cost: SQLMesh's plan, its
    data diff and what `mesh cost` says; None when there is none, and `notes` say why.
    prefix: the folder of the project in the checkout, with a slash, or empty.
    """

    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...] = ()
    impact: Impact = field(default_factory=Impact)
    base: str = "main"
    plan: Plan | None = None
    rows: tuple[RowDiff, ...] | None = None
    cost: CostChange | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    prefix: str = ""

    @property
    def breaking(self) -> bool:
        return any(found.breaking for found in self.findings)

    def count(self, level: Level) -> int:
        return sum(found.level is level for found in self.findings)


def review(
    project: Project,
    base: str | None = None,
    *,
    gateway: str | None = None,
    environment: str | None = None,
    cost: bool = False,
    today: datetime.date | None = None,
) -> Review:
    """Review the work tree of a project.

    base: the revision to compare with (its merge base with HEAD). environment: for the data diff
    with prod; None for none. cost: also tell what a monthly run scans, for which SQLMesh is
    loaded again. Raises WrongUse when there is nothing to compare.
    """
    started = time.monotonic()
    day = today or datetime.datetime.now(datetime.UTC).date()
    checkout = find_checkout(project)
    commit = checkout.base(base)
    with tempfile.TemporaryDirectory(prefix="mesh-review-") as folder:
        scratch = Path(folder).resolve()
        old = Project(scratch / "base")
        old.root.mkdir()
        checkout.extract(commit, old.root)
        load = partial(load_both, scratch=scratch, gateway=gateway, environment=environment)
        made = compare_projects(old, project, load, day)
    notes = list(made.notes)
    scanned = None
    if environment is None:
        notes.append("No data diff: no environment was named.")
    if cost:
        try:
            scanned = _cost(commit)
        except MeshError as error:
            notes.append(f"No cost: {error}")
    return replace(
        made,
        base=commit,
        cost=scanned,
        notes=tuple(dict.fromkeys(notes)),
        prefix=checkout.prefix,
        seconds=round(time.monotonic() - started, 1),
    )


def compare_projects(old: Project, new: Project, load: Load, day: datetime.date) -> Review:
    """The review of one project as a change of another. load: how their models are read."""
    notes: list[str] = []
    before, after = _contracts(old), _contracts(new)
    levels, wrong_levels = read_both(old.contracts, new.contracts)
    if not before.sources and not before.problems:
        notes.append("The base has no contracts yet: everything here is new.")
    diff = compare(before, after, day)
    base, head = _models(old, new, load, personal_columns(before, after))
    found = [*diff.findings, *wrong_levels, *_unloadable(base, head, (old, new))]
    (old_charts, _), (new_charts, broken) = (read_charts(side.root) for side in (old, new))
    notes += [f"{path} is no YAML, so its charts are not looked at." for path in broken]
    contracts = {**before.sources, **after.sources}
    world = World(base, head, contracts, {**old_charts, **new_charts})
    now = World(base, head, contracts, new_charts)
    if base.models and head.models:
        found += model_changes(Files(old.root, new.root, base, head), diff, found)
    found += broken_readers(now, after.sources, found)
    promised = {product: source.contract for product, source in after.sources.items()}
    found += edited_dashboards(old.root, new.root, promised)
    readable = {name: chart for name, chart in old_charts.items() if chart.path not in broken}
    found += chart_changes(readable, new_charts, {*after.sources, *after.unreadable})
    found += chart_columns_gone(now, found)
    differing = {one.product: one for one in head.rows or ()}
    judged = judge(diff, [weighed(one, differing) for one in found], after, levels, day)
    return Review(
        judged.findings,
        judged.verdicts,
        impact(world, list(judged.findings)),
        plan=head.plan,
        rows=head.rows,
        notes=(*notes, *head.notes),
    )


def personal_columns(*sides: Contracts) -> dict[str, tuple[str, ...]]:
    """What no sample may show, by product: what any side calls personal stays hidden."""
    found: dict[str, set[str]] = {}
    for side in sides:
        for product, source in side.sources.items():
            names = {column.name for column in source.contract.personal_columns}
            found.setdefault(product, set()).update(names)
    return {product: tuple(sorted(names)) for product, names in found.items()}


def _contracts(project: Project) -> Contracts:
    return read_contracts(project.contracts.rglob(f"*{SUFFIX}"), project.root)


def _models(old: Project, new: Project, load: Load, personal: Personal) -> tuple[Models, Models]:
    """The models of both; none where there is no SQLMesh project."""
    if new.loads:
        return load(old if old.loads else None, new, personal)
    return Models(), Models(problem="there is no config.yaml any more" if old.loads else "")


def _unloadable(base: Models, head: Models, projects: tuple[Project, Project]) -> Iterator[Finding]:
    for side, project, rule, what in (
        (head, projects[1], "PROJECT_NO_LOAD", "The project does not load"),
        (base, projects[0], "BASE_NO_LOAD", "The models of the base do not load"),
    ):
        if side.problem:
            text = plain_error(side.problem, project.root)
            yield finding(rule, "project", f"{what}: {text}", _place_in(text))


def _place_in(text: str) -> Place:
    """The file and the line that an error of SQLMesh's names."""
    folders = "(?:models|macros|audits|seeds|contracts)/"
    file = re.search(rf"'({folders}[^']+)'|\b({folders}[\w./-]+)(?=:\d)", text)
    line = re.search(r"Line (\d+)|(?<=\w):(\d+)\b", text)
    if file is None:
        return Place("config.yaml", 1)
    return Place(file[1] or file[2], int(line[1] or line[2]) if line else 1)


def _cost(commit: str) -> CostChange:
    """What a monthly run scans in both revisions, by the rows of the local prod."""
    from mesh.cost import cost, cost_of_revision

    now, _ = cost()
    then = cost_of_revision(commit, now.sizes)
    return CostChange(round(then.monthly), round(now.monthly))
