"""A project before and after a change: what the rules on models and charts look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mesh.dashboards import ChartUse
from mesh.project import Project
from mesh.review.contracts.diff import ContractDiff
from mesh.review.contracts.pair import Source
from mesh.review.models.lines import Files, top_of
from mesh.review.models.meaning import Meanings
from mesh.review.models.review_worker.facts import Models, RowDiff
from mesh.review.rules import Finding, Place

_ABOUT_READERS = ("COLUMN_CLASSIFICATION_NO_RAISE", "COLUMN_PERSONAL_NO_RELEASE")


@dataclass(frozen=True)
class Both:
    """Two projects. base, head: their models; charts, old_charts: by name.

    known: what was found in the contracts. brought_up: files of the base, by their path, as the
    contracts of the work tree have them written.
    """

    old: Project
    new: Project
    base: Models
    head: Models
    diff: ContractDiff
    known: tuple[Finding, ...]
    old_charts: Mapping[str, ChartUse]
    charts: Mapping[str, ChartUse]
    brought_up: Mapping[str, str]

    @property
    def workflows(self) -> Path:
        """The folder of the workflows of the work tree, which may lie above the project."""
        return Project(top_of(self.new.root)).workflows

    @cached_property
    def files(self) -> Files:
        return Files(self.old.root, self.new.root, self.base, self.head)

    @cached_property
    def meanings(self) -> tuple[Meanings, Meanings]:
        pairs = self.diff.pairs.items()
        keys = {name: pair.new.grain for name, pair in pairs if pair.old.grain == pair.new.grain}
        sides = (self.base, self.head), (self.head, self.base)
        base, head = (Meanings(side, other, keys, self.diff.pairs) for side, other in sides)
        return base, head

    @cached_property
    def contracts(self) -> dict[str, Source]:
        """The contracts of both, those of the work tree first."""
        return {**self.diff.base.sources, **self.diff.head.sources}

    @cached_property
    def all_charts(self) -> dict[str, ChartUse]:
        """The charts of both, those of the work tree first."""
        return {**self.old_charts, **self.charts}

    @cached_property
    def rows(self) -> dict[str, RowDiff]:
        """The data diff by product."""
        return {one.product: one for one in self.head.rows or ()}

    @property
    def comparable(self) -> bool:
        return bool(self.base.models and self.head.models)

    @cached_property
    def accounted(self) -> frozenset[tuple[str, str | None]]:
        """Columns and, under None, rows of products whose contract says that they are others."""
        return frozenset(
            (f.product, f.column)
            for f in self.known
            if f.breaking and f.rule not in _ABOUT_READERS and (f.column or f.rule == "GRAIN_SAME")
        )

    def place(self, chart: ChartUse) -> Place:
        """Where a chart begins, or did."""
        path = self.new.shown(self.old.shown(chart.path))
        return Place(path.as_posix(), chart.line if chart.name in self.charts else 1)

    def owner(self, name: str) -> str:
        source = self.contracts.get(name)
        return source.contract.owner if source else name.split(".")[0].removesuffix("_internal")
