"""The review itself: load both revisions, compare, judge, and find who is hit."""

from __future__ import annotations

import datetime
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mesh.contracts.draft import SUFFIX
from mesh.errors import MeshError
from mesh.git import find_checkout
from mesh.review.charts import read_charts
from mesh.review.dashboards import edited_dashboards
from mesh.review.diff import compare
from mesh.review.findings import Finding, Place, finding
from mesh.review.impact import (
    Impact,
    World,
    broken_readers,
    chart_changes,
    chart_columns_gone,
    impact,
)
from mesh.review.levels import read_both
from mesh.review.lines import Files
from mesh.review.load import Models, load_both
from mesh.review.meaning_changes import model_changes, plain_error, weighed
from mesh.review.read import Contracts, read_contracts
from mesh.review.rules import Level
from mesh.review.two_states import judge
from mesh.review.verdict import Verdict
from mesh.settings import PROJECT_ROOT

Load = Callable[..., tuple[Models, Models]]


@dataclass(frozen=True)
class Review:
    """All that a review found, for every form of output.

    base: the commit that the work tree was compared with. plan, rows, cost: plain data of
    SQLMesh's plan, of the data diff and of `mesh cost`; None when there is none, and `notes` say
    why. prefix: the folder of the project in the checkout, with a slash, or empty.
    """

    base: str
    base_name: str
    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]
    impact: Impact
    plan: dict[str, Any] | None = None
    rows: list[dict[str, Any]] | None = None
    cost: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    owners: dict[str, str] = field(default_factory=dict)
    prefix: str = ""

    @property
    def breaking(self) -> bool:
        return any(found.breaking for found in self.findings)

    def count(self, level: Level) -> int:
        return sum(found.level is level for found in self.findings)


def review(
    start: Path,
    base: str | None = None,
    *,
    gateway: str | None = None,
    environment: str | None = None,
    cost: bool = False,
    today: datetime.date | None = None,
) -> Review:
    """Review the work tree around a folder.

    base: the revision to compare with (its merge base with HEAD). environment: for the data diff
    with prod; None for none. cost: also tell what a monthly run scans, for which SQLMesh is
    loaded again. Raises WrongUse when there is nothing to compare.
    """
    started = time.monotonic()
    day = today or datetime.datetime.now(datetime.UTC).date()
    checkout = find_checkout(start)
    commit = checkout.base(base)
    with tempfile.TemporaryDirectory(prefix="mesh-review-") as folder:
        scratch = Path(folder)
        old_root = scratch / "base"
        old_root.mkdir()
        checkout.extract(commit, old_root)
        load = partial(load_both, scratch=scratch, gateway=gateway, environment=environment)
        made = compare_roots(old_root, checkout.root, load, day, environment=environment)
    if cost:
        made["cost"], why = _cost(checkout.root, commit)
        made["notes"] += (why,) if why else ()
    return Review(
        base=commit,
        base_name=base or "",
        prefix=checkout.prefix,
        seconds=round(time.monotonic() - started, 1),
        **made,
    )


def compare_roots(
    old_root: Path, root: Path, load: Load, day: datetime.date, *, environment: str | None = None
) -> dict[str, Any]:
    """The fields of a Review for the project at two roots. load: how the models are read."""
    notes: list[str] = []
    old, new = _contracts(old_root), _contracts(root)
    levels, more = read_both(old_root / "contracts", root / "contracts")
    if not old.sources and not old.problems:
        notes.append("The base has no contracts yet: everything here is new.")
    diff = compare(old, new, day)
    personal = personal_columns(old, new)
    base, head = _models(old_root, root, load, personal)
    unloadable = _unloadable((base, old_root), (head, root))
    found = [*diff.findings, *more, *unloadable]
    (old_charts, _), (new_charts, broken) = (read_charts(side) for side in (old_root, root))
    notes += [f"{path} is no YAML, so its charts are not looked at." for path in broken]
    contracts = {**old.sources, **new.sources}
    world = World(base, head, contracts, {**old_charts, **new_charts})
    now = World(base, head, contracts, new_charts)
    if base.models and head.models:
        found += model_changes(Files(old_root, root, base, head), diff, found)
    found += broken_readers(now, new.sources, found)
    found += edited_dashboards(old_root, root, {p: s.contract for p, s in new.sources.items()})
    readable = {name: chart for name, chart in old_charts.items() if chart.path not in broken}
    found += chart_changes(readable, new_charts, {*new.sources, *new.unreadable})
    found += chart_columns_gone(now, found)
    found = [weighed(one, head.rows) for one in found]
    judged = judge(diff, found, new, levels, day)
    notes += head.notes
    if environment is None:
        notes.append("No data diff: no environment was named.")
    return {
        "findings": judged.findings,
        "verdicts": judged.verdicts,
        "impact": impact(world, list(judged.findings)),
        "plan": head.plan,
        "rows": head.rows,
        "notes": tuple(dict.fromkeys(notes)),
        "owners": {product: source.contract.owner for product, source in contracts.items()},
    }


def personal_columns(*sides: Contracts) -> dict[str, list[str]]:
    """What no sample may show, by product: what any side calls personal stays hidden."""
    found: dict[str, set[str]] = {}
    for side in sides:
        for product, source in side.sources.items():
            names = {column.name for column in source.contract.personal_columns}
            found.setdefault(product, set()).update(names)
    return {product: sorted(names) for product, names in found.items()}


def _contracts(root: Path) -> Contracts:
    folder = root / "contracts"
    return read_contracts(folder.rglob(f"*{SUFFIX}") if folder.is_dir() else (), root)


def _models(
    old_root: Path, root: Path, load: Load, personal: dict[str, list[str]]
) -> tuple[Models, Models]:
    """The models of both; none where there is no SQLMesh project."""
    there = [(folder / "config.yaml").is_file() for folder in (old_root, root)]
    if not there[1]:
        gone = "there is no config.yaml any more" if there[0] else ""
        return Models(), Models(problem=gone)
    base, head = load(base=old_root if there[0] else None, head=root, personal=personal)
    return base, head


def _unloadable(base: tuple[Models, Path], head: tuple[Models, Path]) -> Iterator[Finding]:
    for (side, root), rule, what in (
        (head, "PROJECT_NO_LOAD", "The project does not load"),
        (base, "BASE_NO_LOAD", "The models of the base do not load"),
    ):
        if side.problem:
            text = plain_error(side.problem, root)
            place = _place_in(text)
            yield finding(rule, "project", f"{what}: {text}", place)


def _place_in(text: str) -> Place:
    """The file and the line that an error of SQLMesh's names."""
    folders = "(?:models|macros|audits|seeds|contracts)/"
    file = re.search(rf"'({folders}[^']+)'|\b({folders}[\w./-]+)(?=:\d)", text)
    line = re.search(r"Line (\d+)|(?<=\w):(\d+)\b", text)
    if file is None:
        return Place("config.yaml", 1)
    return Place(file[1] or file[2], int(line[1] or line[2]) if line else 1)


def _cost(root: Path, commit: str) -> tuple[dict[str, Any] | None, str]:
    """Bytes of a monthly run in both revisions, by the rows of the local prod; or why not."""
    if root.resolve() != PROJECT_ROOT:
        return None, "No cost: run the `mesh` of this checkout for it."
    try:
        from mesh.cost import cost, cost_of_revision
    except ImportError:
        return None, "No cost: `mesh cost` is not there."
    try:
        now, _ = cost()
        then = cost_of_revision(commit, now.sizes)
    except MeshError as error:
        return None, f"No cost: {error}"
    return {"before": round(then.monthly), "after": round(now.monthly)}, ""
