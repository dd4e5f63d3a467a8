"""What a page is picked from: controls, their options, and which charts follow them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from mesh.dashboards.drawing.formats import said
from mesh.dashboards.drawing.lines import is_over
from mesh.dashboards.marks import IsColumn, IsValue
from mesh.dashboards.parts import Distinct, Labels, Name, Scalar, Sort, Strict, Text
from mesh.deliveries import months_after
from mesh.files.sentences import form

if TYPE_CHECKING:
    from mesh.dashboards.kinds.base import Board, Chart

QUESTION = form(r"^[^{}]*\{\}[^{}]*$", "a question with `{}` once, for the name of what is picked")
# A page holds what is drawn for each option, and has to stay small.
MOST_OPTIONS, MOST_DRAWN = 1000, 3000


@dataclass(frozen=True)
class Option:
    """One thing to pick. key: as it stands in a link; value: of the column, None for all of them.

    since: the first day that it is about, where it is a time.
    """

    key: str
    label: str
    value: Any = None
    since: date | None = None

    def wants(self, held: Any) -> bool:
        """Whether it wants a row with this in the column."""
        if self.since is not None:
            return bool(held is not None and held >= self.since)
        return self.value is None or held == self.value


class BaseControl(Strict):
    """A choice on top of a page. Charts of its sources follow it, but for those that filter its
    column themselves."""

    id: Name = Field(description="Its name in links: `#town=Rome`.")
    label: Text
    sources: Annotated[list[Name], Field(min_length=1), Distinct] = Field(
        description="The sources whose charts follow it, each with such a column."
    )
    field: str

    def reaches(self, chart: Chart) -> bool:
        own = {condition.field for condition in chart.filters}
        return chart.source in self.sources and self.field not in own

    @property
    def picks_one(self) -> bool:
        """Whether there is always one value of the column, and never all of them."""
        return False

    def options(self, rows: list[dict[str, Any]], as_of: date | None, every: str) -> list[Option]:
        """What can be picked, in order. rows: what there is; every: the word for all."""
        raise NotImplementedError

    def settings(self, board: Board) -> list[tuple[str, str]]:
        """What to set in Looker Studio, beside data source and field."""
        raise NotImplementedError


class OneOf(BaseControl):
    """One value of a column, or all of them."""

    kind: Literal["one_of"]
    field: Annotated[str, IsColumn(("string", "integer", "boolean"))]
    name: Annotated[str, IsColumn(use="asked")] | None = Field(
        default=None, description="The column with the name of a value, in the first source."
    )
    detail: Annotated[str, IsColumn(use="asked")] | None = Field(
        default=None, description="What stands in brackets behind the name, as a year does."
    )
    sort: Sort | None = Field(
        default=None,
        description="By which column of the first source they stand in order; by name without it.",
    )
    default: Annotated[Scalar, IsValue()] | None = Field(
        default=None, description="What is picked at first; the first of all without it."
    )
    all: Text | None = Field(
        default=None, description="The words for all of them, where one need not be picked."
    )
    labels: Labels = Field(
        default_factory=dict, description="What to show instead of the values of an enum."
    )
    question: Annotated[str, Field(pattern=QUESTION, max_length=200)] | None = Field(
        default=None, description="What the page answers: `How is {} doing?`"
    )
    search: bool = Field(default=False, description="Whether one types to find a value.")
    most: Annotated[int, Field(ge=2, le=MOST_OPTIONS)] = Field(
        default=40, description="How many there are on a page at most: the first in their order."
    )

    @property
    def picks_one(self) -> bool:
        return self.all is None

    @property
    def columns(self) -> list[str]:
        """The columns that tell what can be picked."""
        named = [self.field, self.name, self.detail]
        return list(dict.fromkeys(name for name in named if name))

    def options(self, rows: list[dict[str, Any]], as_of: date | None, every: str) -> list[Option]:
        found: dict[str, Option] = {}
        for row in rows:
            value = row[self.field]
            if value is None:
                continue
            key = str(value).lower() if isinstance(value, bool) else str(value)
            name = said(row[self.name]) if self.name else self.labels.get(key, said(value))
            if self.detail and row[self.detail] is not None:
                name += f" ({said(row[self.detail])})"
            found.setdefault(key, Option(key, name, value))
        # Of two with one name each is told with its value.
        names = Counter(one.label for one in found.values())
        listed = [
            replace(one, label=f"{one.label}, {one.key}") if names[one.label] > 1 else one
            for one in found.values()
        ]
        if self.sort is None:
            listed.sort(key=lambda one: one.label)
        listed = listed[: self.most]
        if self.all:
            # No value is empty, so that the key of all is none of theirs.
            return [Option("", self.all), *listed]
        return listed

    def settings(self, board: Board) -> list[tuple[str, str]]:
        field = f"`{self.field}`"
        limits = [chart.last_of(self.field) for chart in board.charts if self.reaches(chart)]
        last = max(filter(None, limits), default=None)
        shown, select = "the first", "single, one is always selected"
        if self.default is not None:
            shown = f"`{self.default}`"
        elif self.all and last:
            shown = f"the last {last} values of {field} in their order, which the preview calls "
            shown += f"“{self.all}”; renew them when a newer one comes"
            select = "several; who wants one of them, or an older one, picks that alone"
        elif self.all:
            shown, select = f"none: all are shown then, “{self.all}” in the preview", "single"
        if self.name:
            field = (
                f"{field}, not `{self.name}`: two can share that, and other data sources are "
                f"filtered by {field}; put a table of both beside it, to look one up"
            )
        return [
            ("Control", "Drop-down list" + (", with the search box" if self.search else "")),
            ("Control field", field),
            ("Select", select),
            ("Default selection", shown),
        ]


class LastMonths(BaseControl):
    """The last months of charts over time, or all of them."""

    kind: Literal["last_months"]
    field: Annotated[str, IsColumn(("date",))] = Field(
        description="The column with the months: charts that show it follow."
    )
    months: Annotated[
        list[Annotated[int, Field(ge=2, le=1200)]], Field(min_length=1, max_length=6), Distinct
    ]

    def reaches(self, chart: Chart) -> bool:
        return super().reaches(chart) and self.field in dict(chart.named_columns)

    def options(self, rows: list[dict[str, Any]], as_of: date | None, every: str) -> list[Option]:
        found = [Option("", every)]
        for count in self.months if as_of else ():
            assert as_of
            # As many whole ones as it is called, and the one under way.
            since = months_after(as_of, is_over(as_of.replace(day=1), as_of) - count)
            years = f"Last {count // 12} years"
            label = f"Last {count} months" if count % 12 or count == 12 else years
            found.append(Option(str(count), label, since=since))
        return found

    def settings(self, board: Board) -> list[tuple[str, str]]:
        as_of = board.sources[self.sources[0]].as_of
        *others, last = (f"{count:,}" for count in self.months)
        counts = f"{', '.join(others)} or {last}" if others else last
        return [
            ("Control", "Date range control: auto, which shows all"),
            ("Date range dimension", f"`{self.field}`"),
            (
                "Shorter ranges",
                f"{counts} whole months of the data. “Last … months” would count back from today: "
                f"set a fixed range up to `{as_of}` (Max), from the first day of the month that "
                "many before its month (one later if that month is over), and renew it when newer "
                "data come; an advanced range, so many months back from today, fits only data that "
                "end today",
            ),
        ]


AnyControl = Annotated[OneOf | LastMonths, Field(discriminator="kind")]
