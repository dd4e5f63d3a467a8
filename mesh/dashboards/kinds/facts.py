"""What is known of one thing: a fact a line, each beside what it is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mesh.contracts import Contract
from mesh.dashboards.drawing.evidence import LEVEL, Estimate, apart
from mesh.dashboards.drawing.formats import day, number
from mesh.dashboards.drawing.lines import month_name
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.kinds.base import Board, Chart, Found, Look, Row, rule
from mesh.dashboards.kinds.seen import lowered
from mesh.dashboards.parts import Column, Interval, Labels, MetricName, Strict, Text

# A sentence names so many of those that differ.
TOLD = 2


class Fact(Strict):
    """A number or a column of the row."""

    label: Text | None = Field(default=None, description="The metric's own without it.")
    metric: MetricName | None = None
    field: Column | None = Field(
        default=None, description="A text or a day; what a bar joins is told with commas."
    )
    labels: Labels = Field(
        default_factory=dict, description="What to show instead of the values of an enum."
    )
    month: bool = Field(default=False, description="Whether a day stands for its month.")
    of: MetricName | None = Field(default=None, description="Of how many: `45.1% of 610`.")
    interval: Interval | None = None
    against: MetricName | None = Field(
        default=None, description="The same number of what it is compared with."
    )
    difference: MetricName | None = None
    difference_interval: Interval | None = None


class Facts(Chart):
    """The facts of one row."""

    partial: ClassVar[str] = "facts.html.j2"

    kind: Literal["facts"]
    facts: Annotated[list[Fact], Field(min_length=1, max_length=20)]
    against: Text | None = Field(
        default=None, description="What the numbers are compared with, as the head of a column."
    )

    @property
    def in_looker(self) -> str:
        return "Table with one row, transposed, or a scorecard for each fact"

    def settings(self, board: Board) -> list[tuple[str, str]]:
        fields = [fact.field for fact in self.facts if fact.field]
        named = ", ".join(f"`{name}`" for name in fields)
        return [
            *((("Dimensions", named),) if fields else ()),
            ("Metrics", ", ".join(board.metrics[name].in_looker for name in self.metric_names)),
            ("Missing data", "show “–”"),
        ]

    def shows(self, row: Row) -> bool:
        return True

    def _label(self, board: Board, fact: Fact) -> str:
        return fact.label or (board.metrics[fact.metric].label if fact.metric else str(fact.field))

    def _sure(self, board: Board, row: Row) -> list[tuple[float, Fact]]:
        """The facts that surely differ from what they are compared with, the surest first."""
        found = []
        compared = [fact for fact in self.facts if fact.difference and fact.difference_interval]
        for fact in compared:
            assert fact.difference and fact.difference_interval
            ends = fact.difference_interval
            value, low, high = (row[n] for n in (fact.difference, ends.low, ends.high))
            if None in (value, low, high) or low == high:
                continue
            one = Estimate(value, low, high, ends.level)
            # Nothing is as sure as no difference, which has no interval of its own.
            if apart(one, Estimate(0.0, 0.0, 0.0), len(compared)):
                found.append((abs(value) / (high - low), fact))
        return sorted(found, key=lambda one: -one[0])

    def seen(self, board: Board, rows: list[Row]) -> str:
        row = rows[0]
        sure = self._sure(board, row)
        compared = sum(bool(fact.difference and row[fact.difference] is not None)
                       for fact in self.facts)  # fmt: skip
        if not sure:
            return ""
        told = []
        for _, fact in sure[:TOLD]:
            assert fact.metric and fact.difference
            text = f"{lowered(self._label(board, fact))} {board.text(fact.metric, row)}"
            beside = f" against {board.text(fact.against, row)}" if fact.against else ""
            told.append(text + beside)
        differ = "differs" if len(sure) == 1 else "differ"
        than = f" from {lowered(self.against)}" if self.against else ""
        return f"{len(sure)} of {compared} surely {differ}{than}: {'; '.join(told)}."

    def draw(self, board: Board, contract: Contract, rows: list[Row], card: ChartView) -> ChartView:
        if len(rows) > 1:
            return replace(card, empty="There is more than one row of it.")
        row, lines = rows[0], []
        sure = {id(fact) for _, fact in self._sure(board, row)}
        for fact in self.facts:
            value = self._value(board, fact, row)
            against = (board.text(fact.against, row) or "–") if fact.against else ""
            line: dict[str, Any] = {"label": self._label(board, fact), "value": value or "–"}
            line |= {"against": against, "difference": "", "ends": "", "sure": ""}
            if fact.difference and row[fact.difference] is not None:
                line["difference"] = board.text(fact.difference, row)
                line["ends"] = self._ends(board, fact.difference_interval, row)
                up = row[fact.difference] > 0
                line["sure"] = ("up" if up else "down") if id(fact) in sure else ""
            lines.append(line)
        compared = any(line["against"] or line["difference"] for line in lines)
        levels = [f.difference_interval.level for f in self.facts if f.difference_interval]
        level = levels[0] if levels else LEVEL
        return replace(
            card,
            summary="; ".join(f"{one['label']} {one['value']}" for one in lines),
            reading=[f"In brackets the {level}% interval; coloured is what surely differs."]
            if any(line["ends"] for line in lines)
            else [],
            content={"lines": lines, "against": (self.against or "Beside") if compared else ""},
        )

    def _value(self, board: Board, fact: Fact, row: Row) -> str:
        if fact.field:
            value = row[fact.field]
            if isinstance(value, date):
                return month_name(value) if fact.month else day(value)
            if value is None:
                return ""
            return fact.labels.get(str(value), str(value).replace("|", ", "))
        assert fact.metric
        text = board.text(fact.metric, row)
        if text and fact.of and row[fact.of] is not None:
            text += f" of {board.text(fact.of, row)}"
        ends = self._ends(board, fact.interval, row)
        return f"{text} {ends}" if text and ends else text

    def _ends(self, board: Board, interval: Interval | None, row: Row) -> str:
        if interval is None or row[interval.low] is None:
            return ""
        low = number(row[interval.low], board.metrics[interval.low].format)
        if row[interval.high] is None:
            return f"({low} or more)"
        return f"({low} to {number(row[interval.high], board.metrics[interval.high].format)})"


@rule("FACT", "A fact is a metric or a column, and compared only where it is a number.")
def _facts(look: Look) -> Iterator[Found]:
    for here, chart, _ in look.charts(Facts):
        for place, fact in enumerate(chart.facts):
            steps = (*here, "facts", place)
            if (fact.metric is None) == (fact.field is None):
                message = "The fact is neither a metric nor a column, or both."
                yield Found(steps, message, "Name `metric` or `field`.")
            elif fact.field and (fact.of or fact.interval or fact.against or fact.difference):
                message = f"`{fact.field}` is no number that could be compared."
                yield Found(steps, message, "Name a metric, or take the comparison out.")
