"""What every kind of chart has, and what it says of itself: fields, rules, picture, build sheet.

A kind is a module with one model that derives from `Chart`; `kinds/__init__.py` lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, TypeVar

from pydantic import Field

from mesh.contracts import Column, Contract
from mesh.dashboards.controls import AnyControl
from mesh.dashboards.drawing.formats import Format, number
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.marks import IsColumn, IsMetric, Mark, marks
from mesh.dashboards.parts import (
    Colour,
    Dimension,
    Filter,
    Interval,
    Metric,
    Name,
    Position,
    Since,
    Sort,
    Source,
    Strict,
    Support,
    Template,
    Text,
    Time,
)
from mesh.files.annotations import value_at
from mesh.files.tree import Steps, Tree

Row = dict[str, Any]
C = TypeVar("C", bound="Chart")


class Unfit(Exception):
    """Rows that are not what a chart takes them for; fix: what to write instead."""

    def __init__(self, message: str, fix: str):
        super().__init__(message)
        self.fix = fix


class Found(NamedTuple):
    """What a rule finds: where, what is wrong, and what to write instead."""

    steps: Steps
    message: str
    fix: str


@dataclass(frozen=True)
class Rule:
    """What a dashboard is checked for: an id, why, and the code that finds it.

    of_data: whether it is about what is read, and not about how a page is laid out.
    """

    id: str
    purpose: str
    find: Callable[[Look], Iterator[Found]]
    of_data: bool


RULES: dict[str, Rule] = {}
"""All rules by id: those of every dashboard, and those of each kind of chart."""


def rule(
    id: str, purpose: str, *, of_data: bool = False
) -> Callable[[Callable[[Look], Iterator[Found]]], Rule]:
    """Make a rule of the function that finds what breaks it, and list it in `RULES`."""

    def made(find: Callable[[Look], Iterator[Found]]) -> Rule:
        RULES[id] = Rule(id, purpose, find, of_data)
        return RULES[id]

    return made


class Chart(Strict):
    """A chart of any kind."""

    partial: ClassVar[str] = "figure.html.j2"
    """The template of the card, in this folder or among those of the pages."""
    script: ClassVar[str | None] = None
    """The script in this folder that a page with such a chart needs."""

    id: Name
    title: Text
    kind: str
    look_at: Text = Field(description="One sentence on what to look at.")
    note: Text | None = Field(default=None, description="What one must know to read the numbers.")
    source: Name
    filters: list[Filter] = Field(default_factory=list)
    position: Position

    @cached_property
    def marks(self) -> tuple[Mark, ...]:
        """All columns, values and metrics that the chart names."""
        return tuple(marks(type(self), self.model_dump(exclude_none=True)))

    @property
    def metric_names(self) -> list[str]:
        """The names of all metrics that the chart shows, in order."""
        names = [mark.value for mark in self.marks if isinstance(mark.what, IsMetric)]
        return list(dict.fromkeys(names))

    @property
    def named_columns(self) -> list[tuple[str, IsColumn]]:
        """The columns that the chart names, and what for."""
        return [(one.value, one.what) for one in self.marks if isinstance(one.what, IsColumn)]

    @property
    def told_apart_by(self) -> set[str]:
        """The columns that it shows, or sorts by, row by row."""
        return {name for name, what in self.named_columns if what.use != "asked"}

    def columns_read(self, board: Board) -> list[str]:
        """The columns that its query reads, beside those of its metrics."""
        metrics = [board.metrics[name] for name in self.metric_names]
        measured = {metric.field for metric in metrics}
        source = board.sources[self.source]
        # A metric that shows the column is enough to sort by.
        uses = {True: ("shown",), False: ("shown", "sorted")}
        names = [n for n, what in self.named_columns if what.use in uses[n in measured]]
        names += [name for name in (source.window_start, source.as_of) if name]
        # What is added up over months would come apart by them.
        if source.month and all(metric.aggregate == "value" for metric in metrics):
            names.append(source.month)
        # What is picked on top of the page: its rows are told apart by it.
        names += [one.field for one in board.controls if one.reaches(self)]
        return list(dict.fromkeys(names))

    @property
    def row_columns(self) -> set[str]:
        """The columns that have one value in each row that the chart shows."""
        pinned = {f.field for f in self.filters if f.one_of is None or len(f.one_of) == 1}
        return pinned | {name for name, what in self.named_columns if what.of_row}

    @property
    def order(self) -> Sort | None:
        """How its rows are sorted: as time goes by, in a chart that runs over it."""
        parts = (part for part in vars(self).values() if isinstance(part, Time | Since))
        return next((Sort(field=part.field, order="ascending") for part in parts), None)

    @property
    def ties(self) -> list[str]:
        """The columns by which rows are sorted that are alike in this order."""
        apart = [name for name, what in self.named_columns if what.of_row and what.use == "shown"]
        return list(dict.fromkeys(apart))

    def last_of(self, field: str) -> int | None:
        """How many values of a column it shows at most, the last ones; None where it shows all."""
        return None

    def shows(self, row: Row) -> bool:
        """Whether there is anything in a row that the chart could show."""
        names = self.metric_names
        return not names or row[names[0]] is not None

    def counts(self, row: Row) -> bool:
        """Whether a row is told of, if only that nothing of it can be shown."""
        return self.shows(row)

    @property
    def nothing(self) -> str:
        """The specification's own words for that there is nothing to show, if it has any."""
        return ""

    def unseen(
        self,
        rows: Sequence[Row],
        every: Sequence[Row],
        picked: Mapping[str, tuple[Any, Collection[Any]]],
    ) -> list[Row]:
        """Rows without numbers for what is missing among these, where that has to be told.

        every: its rows whatever is picked; picked: by column what is, and what could be.
        """
        return []

    def fits(self, board: Board, rows: Sequence[Row]) -> None:
        """Raises Unfit where the rows, whatever is picked of them, are not what it draws."""

    def seen(self, board: Board, rows: list[Row]) -> str:
        """One sentence of what is seen in these rows, or nothing where they do not bear it out."""
        return ""

    def draw(self, board: Board, contract: Contract, rows: list[Row], card: ChartView) -> ChartView:
        """The card with what is seen on it; rows: at least one, by column and metric name."""
        raise NotImplementedError

    @property
    def in_looker(self) -> str:
        """What such a chart is called in Looker Studio."""
        raise NotImplementedError

    def settings(self, board: Board) -> list[tuple[str, str]]:
        """What to set in Looker Studio, beside data source, filters and place."""
        raise NotImplementedError


class SplitChart(Chart):
    """A chart that is split by the values of a column."""

    dimension: Dimension
    sort: Sort

    @property
    def order(self) -> Sort:
        return self.sort

    def without_number(self, rows: Sequence[Row]) -> list[str]:
        """The names of those of which no number can be shown, in order."""
        return [
            self.dimension.name(row[self.dimension.field]) for row in rows if not self.shows(row)
        ]

    def sorted_by(self, board: Board) -> tuple[str, str]:
        """The name in its rows of what they are sorted by, and how alike two rows are of which it
        is the same."""
        names = (n for n in self.metric_names if board.metrics[n].field == self.sort.field)
        name = next(names, None)
        return (name, "as high as") if name else (self.sort.field, "in the same place as")

    def split_settings(
        self,
        board: Board,
        metrics: list[str],
        beside: Sequence[str],
        told: Sequence[tuple[str, str]] = (),
    ) -> list[tuple[str, str]]:
        """The settings of such a chart; told: those of its own kind."""
        return [
            ("Dimension", f"`{self.dimension.field}`"),
            *self.dimension.in_looker,
            ("Metric", board.in_looker(metrics)),
            *told,
            ("Sort", f"`{self.sort.field}` (Max), {self.sort.order}"),
            *(("Optional metric", board.metrics[name].in_looker) for name in beside),
        ]


class Board(Strict):
    """A dashboard with charts of any kind."""

    id: Name = Field(description="As the file is called.")
    title: Text
    audience: Text
    purpose: Text
    template: Template = Template()
    reader: Name | None = Field(
        default=None,
        description="The role in the contracts as which dashboards read; without one any will do.",
    )
    sources: dict[Name, Source] = Field(description="Data products by an alias.")
    metrics: dict[Name, Metric] = Field(
        description="Numbers by name: defined once, shown by any chart."
    )
    colours: dict[str, Colour] = Field(
        default_factory=dict,
        description="The colours of values and labels, and of scorecards by their titles; others "
        "always get the same spare one.",
    )
    all_time: Text = Field(
        default="All data",
        description="What a number without a first day is about: `All data up to 24 Sep 2018`.",
    )
    held_back: Text | None = Field(
        default=None,
        description="Why a chart can be empty though its product is not: what is not shown.",
    )
    footnote: Text | None = Field(
        default=None, description="What holds for all numbers of the page."
    )
    controls: list[AnyControl] = Field(
        default_factory=list, description="What readers pick on top of the page."
    )
    charts: Sequence[Chart]

    def picked(self, chart: Chart) -> set[str]:
        """The columns of which a chart shows one value, since one is always picked."""
        return {c.field for c in self.controls if c.picks_one and c.reaches(chart)}

    def text(self, name: str, row: Row) -> str:
        """The number of a metric in a row, as it is shown."""
        return self.metrics[name].text(row[name])

    def between(self, interval: Interval | None, form: Format, row: Row) -> str:
        """` (36.2% to 45.9%)`, to stand behind a number; nothing where an end is missing."""
        low, high = interval.ends(row) if interval else (None, None)
        if low is None or high is None:
            return ""
        return f" ({number(low, form)} to {number(high, form)})"

    def minimum(self, support: Support) -> tuple[str, str]:
        """What to set in Looker Studio to leave out what rests on too few."""
        field = self.metrics[support.metric].field
        enough = f"Include `{field}` Greater than or equal to `{support.least}`"
        return "Filter of the minimum", enough

    def where(self, support: Support, metric: str) -> str:
        """How a number is calculated there that is left out where it rests on too few."""
        fields = self.metrics[support.metric].field, self.metrics[metric].field
        return f"`IF({fields[0]} >= {support.least}, {fields[1]}, NULL)`"

    def in_looker(self, names: Iterable[str]) -> str:
        """How metrics are set there, one after the other."""
        return ", ".join(self.metrics[name].in_looker for name in names)


@dataclass(frozen=True)
class Look:
    """A dashboard beside the contracts of its sources, as rules look at it."""

    board: Board
    tree: Tree
    contracts: Mapping[str, Contract]

    def contract(self, alias: str) -> Contract | None:
        """The contract behind an alias; None where alias or contract is missing."""
        source = self.board.sources.get(alias)
        return self.contracts.get(source.product) if source else None

    def column(self, alias: str, name: str) -> Column | None:
        """A column of the source behind an alias; None where one of the three is missing."""
        contract = self.contract(alias)
        return contract.column(name) if contract else None

    def sources(self) -> Iterator[tuple[str, Source, Contract]]:
        """The sources that have a contract, by their alias."""
        for alias, source in self.board.sources.items():
            if contract := self.contract(alias):
                yield alias, source, contract

    def charts(self, kind: type[C]) -> Iterator[tuple[Steps, C]]:
        """The charts of a kind that name a source which is there."""
        for index, chart in enumerate(self.board.charts):
            if isinstance(chart, kind) and chart.source in self.board.sources:
                yield ("charts", index), chart

    def too_many(self, chart: Chart, name: str, most: int) -> str:
        """That a chart is split into more parts than it can show, if its contract lets it be."""
        column = self.column(chart.source, name)
        pinned = next((one.values for one in chart.filters if one.field == name), None)
        if column is None or column.logical_type == "boolean":
            return ""
        count = len(column.enum if pinned is None else pinned)
        if 0 < count <= most:
            return ""
        return f"`{name}` has {f'{count} values' if count else 'any number of values'}; "

    @cached_property
    def marks(self) -> tuple[tuple[Mark, Contract], ...]:
        """All names in the dashboard, each with the contract that it has to agree with."""
        found = []
        for mark in marks(type(self.board), self.tree.data):
            owner = value_at(self.tree.data, mark.steps[:2])
            if mark.steps[0] == "controls":
                # Only the column itself has to be in each of its sources.
                aliases = owner["sources"][: None if mark.steps[2] == "field" else 1]
            else:
                aliases = [mark.steps[1] if mark.steps[0] == "sources" else owner["source"]]
            contracts = [self.contract(str(alias)) for alias in aliases]
            found += [(mark, contract) for contract in contracts if contract]
        return tuple(found)
