"""The review itself: load both revisions, compare, judge, and find who is hit."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from mesh.contracts.draft import contract_files
from mesh.dashboards import read_usage
from mesh.errors import Location, MeshError, WrongUse
from mesh.files.scratch import scratch
from mesh.git import find_checkout
from mesh.project import Project
from mesh.review.codeowners import brought_up
from mesh.review.contracts.diff import ContractDiff, compare
from mesh.review.contracts.read import Contracts, read_contracts
from mesh.review.contracts.two_states import ContractReview, judge
from mesh.review.known import project_findings
from mesh.review.levels import levels_of
from mesh.review.models.both import Both
from mesh.review.models.impact import Impact, impact
from mesh.review.models.load import load_both
from mesh.review.models.review_worker.facts import Models, Plan, RowDiff
from mesh.revision import Laid, lay_out
from mesh.words import joined

Personal = Mapping[str, tuple[str, ...]]
Load = Callable[[Project | None, Project, Personal], tuple[Models, Models]]


WITHOUT_ROWS = "So a change of a query counts as breaking, even where its rows are the same."


@dataclass(frozen=True)
class CostChange:
    """Bytes that a month of runs scans, in both revisions."""

    before: int
    after: int

    def __str__(self) -> str:
        return f"A month of runs scans {self.after:,} bytes; before it was {self.before:,}."


@dataclass(frozen=True)
class Review(ContractReview):
    """All that a review found, for every form of output.

    base: the commit that the work tree was compared with. plan, rows, cost: SQLMesh's plan, its
    data diff and what `mesh cost` says; None when there is none, and `notes` say why.
    prefix: the folder of the project in the checkout, with a slash, or empty. not_compared: why
    there is no data diff, where one was asked for: more is called breaking than would be with it.
    unread: what of the base could not be read, so that nothing is known of its changes.
    """

    impact: Impact = field(default_factory=Impact)
    base: str = "main"
    plan: Plan | None = None
    rows: tuple[RowDiff, ...] | None = None
    cost: CostChange | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    prefix: str = ""
    not_compared: str = ""
    unread: tuple[str, ...] = ()

    @property
    def unknown(self) -> str:
        """What was not compared, as a sentence; then nobody knows whether it is broken."""
        if not self.unread:
            return ""
        return f"Not compared, since the base could not be read: {joined(self.unread)}."


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
    with prod; None for none. cost: also tell what a month of runs scans, for which SQLMesh is
    loaded again. Raises WrongUse when there is nothing to compare.
    """
    started = time.monotonic()
    day = today or datetime.datetime.now(datetime.UTC).date()
    checkout = find_checkout(project)
    commit = checkout.base(base)
    with scratch("mesh-review") as folder:
        own = folder.resolve()
        laid = lay_out(checkout, commit, own / "base")
        old = Project(laid.root)
        here, there = (contract_files(side.contracts) for side in (project, old))
        if here and not there and not checkout.knows(project.contracts):
            raise WrongUse(
                "git does not have the contracts of this project: it ignores their folder, or that "
                "is a repository of its own.",
                where=Location(project.shown(project.contracts)),
                fix="Commit them here, or make their repository a submodule.",
            )
        load = partial(load_both, scratch=own, gateway=gateway, environment=environment)
        made = compare_projects(old, project, load, day)
        scanned, no_cost = _cost(project, laid, commit) if cost else (None, "")
    notes = [*made.notes, *([laid.left_out] if laid.left_out else [])]
    if (lay_at := checkout.lay_at(commit)) != checkout.prefix:
        notes.append(f"The project was in `{lay_at or './'}` in the base.")
    not_compared = ""
    if environment is None:
        notes.append("No data diff: no environment was named.")
    elif made.rows is None:
        why = next((note for note in notes if "data diff" in note or "database" in note), "")
        not_compared = f"The rows of {environment} were not compared with prod. {why}".strip()
        notes = [note for note in notes if note != why]
    if no_cost:
        notes.append(no_cost)
    return replace(
        made,
        base=commit,
        cost=scanned,
        notes=tuple(dict.fromkeys(notes)),
        prefix=checkout.prefix,
        not_compared=not_compared,
        seconds=round(time.monotonic() - started, 1),
    )


def compare_projects(old: Project, new: Project, load: Load, day: datetime.date) -> Review:
    """The review of one project as a change of another. load: how their models are read."""
    before, after = _contracts(old), _contracts(new)
    levels = levels_of(old.contracts), levels_of(new.contracts)
    diff = ContractDiff(before, after, levels, day)
    base, head = Models(), Models()
    if new.loads:
        base, head = load(old if old.loads else None, new, personal_columns(before, after))
    elif old.loads:
        head = Models(problem=f"there is no {old.config.name} any more")
    used, usage = (read_usage(side.dashboards) for side in (old, new))
    broken = [new.shown(path).as_posix() for path in usage.unreadable]
    there = {k: v for k, v in used.charts.items() if old.shown(v.path).as_posix() not in broken}
    written: dict[str, str] = {}
    # Of contracts and charts that cannot be read their own rules tell.
    with suppress(MeshError):
        written = brought_up(old, new)
    found = tuple(compare(diff))
    both = Both(old, new, base, head, diff, found, there, usage.charts, written)
    judged = judge(diff, (*both.known, *project_findings(both)))
    notes = [f"{path} is no YAML, so its charts are not looked at." for path in broken]
    if not before.sources and not before.problems:
        notes.append("The base has no contracts yet: everything here is new.")
    return Review(
        judged.findings,
        judged.verdicts,
        impact(both, judged.findings),
        plan=head.plan,
        rows=head.rows,
        notes=(*notes, *head.notes),
        unread=(*before.unreadable, *(["all models"] if base.problem else [])),
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
    return read_contracts(contract_files(project.contracts), project.root)


def _cost(project: Project, laid: Laid, commit: str) -> tuple[CostChange | None, str]:
    """What a month of runs scans in both revisions, by the rows of the local prod, or why not."""
    from mesh import cost
    from mesh.dashboards.chart_queries import chart_queries

    try:
        now = cost.cost(project, chart_queries)
        then = cost.cost_of_laid(laid, commit, now.sizes, chart_queries)
    except MeshError as error:
        return None, f"No cost: {error}"
    return CostChange(round(then.monthly), round(now.monthly)), ""
