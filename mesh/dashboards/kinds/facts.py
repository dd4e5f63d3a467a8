"""What is known of one thing: a fact a line, each beside what it is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mesh.contracts import Contract
from mesh.dashboards.drawing.evidence import LEVEL, NOTHING, Estimate, apart
from mesh.dashboards.drawing.formats import said, unlike
from mesh.dashboards.drawing.lines import called
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
    in_looker: ClassVar[str] = "Table with one row, transposed, or a scorecard for each fact"

    kind: Literal["facts"]
    facts: Annotated[list[Fact], Field(min_length=1, max_length=20)]
    missing: Text | None = Field(
        default=None, description="Why “–” can stand for a fact: `fewer than five voted`."
    )
    against: Text | None = Field(
        default=None, description="What the numbers are compared with, as the head of a column."
    )

    def settings(self, board: Board) -> list[tuple[str, str]]:
        fields = [fact.field for fact in self.facts if fact.field]
        named = ", ".join(f"`{name}`" for name in fields)
        return [
            *((("Dimensions", named),) if fields else ()),
            ("Metrics", board.in_looker(self.metric_names)),
            ("Missing data", "show “–”"),
        ]

    def shows(self, row: Row) -> bool:
        return True

    def _label(self, board: Board, fact: Fact) -> str:
        return fact.label or (board.metrics[fact.metric].label if fact.metric else str(fact.field))

    def _sure(self, row: Row) -> list[Fact]:
        """The facts that surely differ from what they are compared with, the surest first."""
        compared = self._compared(row)
        found = [both for both in compared if apart(both[1], NOTHING, len(compared))]
        found.sort(key=lambda both: -abs(both[1].value) / (both[1].high - both[1].low))
        return [fact for fact, _ in found]

    def _compared(self, row: Row) -> list[tuple[Fact, Estimate]]:
        """The facts whose difference is known, and how sure it is."""
        found = []
        for fact in self.facts:
            if fact.difference and (ends := fact.difference_interval):
                value, (low, high) = row[fact.difference], ends.ends(row)
                if None not in (value, low, high) and low != high:
                    found.append((fact, Estimate(value, low, high, ends.level)))
        return found

    def seen(self, board: Board, rows: list[Row]) -> str:
        row = rows[0]
        sure, compared = self._sure(row), len(self._compared(row))
        if not sure:
            return ""
        told = []
        for fact in sure[:TOLD]:
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
        sure = {id(fact) for fact in self._sure(row)}
        for fact in self.facts:
            value = self._value(board, fact, row)
            against = (board.text(fact.against, row) or "–") if fact.against else ""
            line: dict[str, Any] = {"label": self._label(board, fact), "value": value or "–"}
            line |= {"against": against, "difference": "", "ends": "", "sure": ""}
            if fact.difference and row[fact.difference] is not None:
                line["difference"] = board.text(fact.difference, row)
                line["ends"] = self._ends(board, fact.difference_interval, row, 0.0)
                up = row[fact.difference] > 0
                line["sure"] = ("up" if up else "down") if id(fact) in sure else ""
            lines.append(line)
        compared = any(line["against"] or line["difference"] for line in lines)
        reading = self._reading(row)
        if self.missing and any("–" in (line["value"], line["against"]) for line in lines):
            reading.append(f"– stands where there is no number: {self.missing}.")
        return replace(
            card,
            summary="; ".join(f"{one['label']} {one['value']}" for one in lines),
            reading=reading,
            content={"lines": lines, "against": (self.against or "Beside") if compared else ""},
        )

    def _reading(self, row: Row) -> list[str]:
        """What brackets and colours mean."""
        compared = [one for _, one in self._compared(row)]
        if not compared:
            differences = [fact.difference for fact in self.facts if fact.difference]
            unsure = any(row[name] is not None for name in differences)
            return ["There are too few for an interval of the difference."] if unsure else []
        level = compared[0].level
        if len(compared) == 1:
            return [f"In brackets the {level}% interval; coloured is what leaves out 0."]
        # As `apart` has it: Bonferroni's correction.
        even = 100 - (100 - LEVEL) / len(compared)
        return [
            f"In brackets the {level}% interval. Coloured is what would leave out 0 at {even:.1f}% "
            f"too, since {len(compared)} are compared: by chance one may at {level}%."
        ]

    def _value(self, board: Board, fact: Fact, row: Row) -> str:
        if fact.field:
            value = row[fact.field]
            if isinstance(value, date):
                return called(value) if fact.month else said(value)
            if value is None:
                return ""
            return fact.labels.get(str(value), said(value).replace("|", ", "))
        assert fact.metric
        text = board.text(fact.metric, row)
        if text and fact.of and row[fact.of] is not None:
            text += f" of {board.text(fact.of, row)}"
        ends = self._ends(board, fact.interval, row)
        return f"{text} {ends}" if text and ends else text

    def _ends(
        self, board: Board, interval: Interval | None, row: Row, beside: float | None = None
    ) -> str:
        """The interval; beside: what it is compared with, and does not seem to reach."""
        if interval is None or row[interval.low] is None:
            return ""
        low, *high = (
            unlike(row[name], beside, board.metrics[name].format)
            for name in (interval.low, interval.high)
            if row[name] is not None
        )
        return f"({low} to {high[0]})" if high else f"({low} or more)"


@rule("FACT", "A fact is a metric or a column, and compared only where it is a number.")
def _facts(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(Facts):
        for place, fact in enumerate(chart.facts):
            steps = (*here, "facts", place)
            if (fact.metric is None) == (fact.field is None):
                message = "The fact is neither a metric nor a column, or both."
                yield Found(steps, message, "Name `metric` or `field`.")
            elif fact.field and (fact.of or fact.interval or fact.against or fact.difference):
                message = f"`{fact.field}` is no number that could be compared."
                yield Found(steps, message, "Name a metric, or take the comparison out.")
            metric = look.board.metrics.get(fact.metric or "")
            read = metric.field if metric else fact.field or ""
            column = look.column(chart.source, read)
            if column and not column.required and chart.missing is None:
                message = (
                    f"`{column.name}` can be empty, and the page would show “–” without a word."
                )
                yield Found(steps, message, "Say why in `missing` of the chart.")
