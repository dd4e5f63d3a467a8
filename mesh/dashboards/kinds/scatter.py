"""Two numbers of each value of a column against each other, such as demand and supply."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from math import log, sqrt
from statistics import median
from typing import Any, ClassVar, Literal

from pydantic import Field

from mesh.contracts import Contract
from mesh.dashboards.drawing import lines, vega
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.kinds.base import Board, Found, Look, Row, SplitChart, rule
from mesh.dashboards.kinds.seen import lowered, named
from mesh.dashboards.parts import MetricName, Support

HEIGHT = 380
MOST = 200
LABELS = 40
# From so many points on one can be said to stand out.
FEW = 8


@dataclass(frozen=True)
class _Point:
    """off: how far it stands from what the others let one expect, in usual distances; less if it
    rests on less than most, as far as that alone may have moved it."""

    name: str
    row: Row
    x: float
    y: float
    off: float


class Scatter(SplitChart):
    """A point for each value of a column."""

    in_looker: ClassVar[str] = "Scatter chart"

    kind: Literal["scatter"]
    x: MetricName
    y: MetricName
    support: Support
    equal: bool = Field(
        default=False,
        description="Whether to draw where both are equal, if they are shares of one kind.",
    )

    def settings(self, board: Board) -> list[tuple[str, str]]:
        told = [
            ("Metric X", board.metrics[self.x].in_looker),
            ("Metric Y", board.metrics[self.y].in_looker),
            board.minimum(self.support),
            ("Style", "data labels on"),
        ]
        return self.split_settings(board, [self.x, self.y], [self.support.metric], told)

    def shows(self, row: Row) -> bool:
        return row[self.x] is not None and row[self.y] is not None

    def _points(self, rows: list[Row]) -> list[_Point]:
        """Those that rest on enough, what stands out most first."""
        whole = [row for row in rows if self.support.met(row)][:MOST]
        places = [(float(row[self.x]), float(row[self.y])) for row in whole]
        # Numbers of several sizes are compared by how many times they are another: half of a small
        # share is as far off as half of a large one.
        ratios = all(x > 0 and y > 0 for x, y in places)
        judged = [(log(x), log(y)) for x, y in places] if ratios else places
        weights = [float(row[self.support.metric]) for row in whole]
        usual = median(weights) if weights else 0.0
        found = [
            _Point(
                self.dimension.name(row[self.dimension.field]),
                row,
                x,
                y,
                off * (sqrt(weight / usual) if weight < usual else 1.0),
            )
            for row, (x, y), off, weight in zip(
                whole, places, _distances(judged), weights, strict=True
            )
        ]
        return sorted(found, key=lambda point: -abs(point.off))

    def seen(self, board: Board, rows: list[Row]) -> str:
        points = self._points(rows)
        if len(points) < FEW or abs(points[0].off) < _far(len(points)):
            return ""
        one = points[0]
        side = "more" if one.off > 0 else "less"
        x, y = (
            f"{lowered(board.metrics[name].label)} {board.text(name, one.row)}"
            for name in (self.x, self.y)
        )
        return f"{named(one.name)} stands out: {y} at {x}, {side} than the rest let one expect."

    def draw(self, board: Board, contract: Contract, rows: list[Row], card: ChartView) -> ChartView:
        points = self._points(rows)
        metrics = [board.metrics[name] for name in (self.x, self.y, self.support.metric)]
        if len(points) < 2:
            least = f"{self.support.least:,} {lowered(metrics[2].label)}"
            return replace(card, empty=f"Fewer than two rest on {least} or more.")
        drawn, body = [], []
        for place, point in enumerate(points):
            texts = [board.text(name, point.row) for name in (self.x, self.y, self.support.metric)]
            facts = list(zip((metric.label for metric in metrics), texts, strict=True))
            drawn.append(
                {
                    "name": point.name,
                    "label": _cut(point.name) if place < LABELS else "",
                    "x": point.x,
                    "y": point.y,
                    "place": -place,
                    "aria": f"{point.name}: " + ", ".join(f"{a} {b}" for a, b in facts),
                    "tip0": point.name,
                }
                | {f"tip{i}": text for i, text in enumerate(texts, 1)}
            )
            body.append([point.name, *texts])
        titles = [self.dimension.label, *(metric.label for metric in metrics)]
        support = lowered(metrics[2].label)
        said = [
            "The thin lines are the middle of all points; names that would collide are left out."
        ]
        if self.equal:
            said.append("On the slanted line both are equal; above it the vertical one is more.")
        few = self.support.few(rows, self.x)
        said += self.support.left_out("What", support, few, f"{len(rows):,}")
        enough = sum(self.support.met(row) for row in rows)
        if enough > len(points):
            said.append(f"These are the first {MOST} of {enough:,}; the CSV has all.")
        return replace(
            card,
            head=titles,
            body=sorted(body),
            reading=said,
            summary=f"Scatter chart with {len(points)} points: "
            + "; ".join(str(one["aria"]) for one in drawn[:10])
            + ".",
            vega=self._picture(board, points, drawn, titles),
            height=HEIGHT,
        )

    def _picture(
        self, board: Board, points: list[_Point], drawn: list[dict[str, Any]], titles: list[str]
    ) -> dict[str, Any]:
        import altair as alt

        xs, ys = [point.x for point in points], [point.y for point in points]
        domains = [_padded(xs), _padded(ys)]
        x, y = (
            channel(
                f"{key}:Q",
                scale=alt.Scale(domain=list(ends), nice=False, zero=False),
                axis=axis(board.metrics[name].label, board.metrics[name].format, ends[1]),
            )
            for channel, axis, key, name, ends in (
                (alt.X, lines.number_axis, "x", self.x, domains[0]),
                (alt.Y, lines.value_axis, "y", self.y, domains[1]),
            )
        )
        middle = alt.Chart(alt.Data(values=[{"x": median(xs), "y": median(ys)}]))
        rule_: dict[str, Any] = {"color": "@soft", "strokeDash": [3, 4], "aria": False}
        layers = [middle.mark_rule(**rule_).encode(x=x), middle.mark_rule(**rule_).encode(y=y)]
        if self.equal:
            ends = max(domains[0][0], domains[1][0]), min(domains[0][1], domains[1][1])
            if ends[0] < ends[1]:
                slanted = alt.Chart(alt.Data(values=[{"x": end, "y": end} for end in ends]))
                layers.append(
                    slanted.mark_line(color="@soft", strokeWidth=1.4, aria=False).encode(x=x, y=y)
                )
        tips = [alt.Tooltip(f"tip{i}:N", title=text) for i, text in enumerate(titles)]
        layers.append(
            alt.Chart(alt.Data(values=drawn, name="points"))
            .mark_circle(size=70, color="@accent", opacity=0.75, stroke="@card", strokeWidth=1)
            .encode(x=x, y=y, tooltip=tips, description=alt.Description("aria:N"))
        )
        return _labelled(vega.compiled(alt.layer(*layers), 460, HEIGHT), f"layer_{len(layers) - 1}")


def _labelled(made: dict[str, Any], layer: str) -> dict[str, Any]:
    """Names beside the points: Vega places them when it knows how wide the page is, and leaves out
    those that would collide. Altair has no word for that."""
    made["marks"].append(
        {
            "type": "text",
            "interactive": False,
            "aria": False,
            "from": {"data": f"{layer}_marks"},
            "encode": {
                "enter": {
                    "text": {"field": "datum.label"},
                    "fontSize": {"value": 11},
                    "fill": {"value": "@ink"},
                }
            },
            "transform": [
                {
                    "type": "label",
                    # Before the page is laid out there is no width, and Vega's canvas needs some.
                    "size": {"signal": "[max(1, width), max(1, height)]"},
                    "sort": {"field": "datum.datum.place", "order": "descending"},
                    "anchor": ["right", "left", "top", "bottom", "top-right", "bottom-right"],
                    "offset": [3],
                    "padding": 0,
                    "avoidBaseMark": True,
                }
            ],
        }
    )
    return made


def _distances(places: list[tuple[float, float]]) -> list[float]:
    """How far each point is above or below the line through all, in the usual distance.

    The line is that of Theil and Sen, and the usual distance the median one: neither is bent by
    the points that stand out.
    """
    slopes = [(b - d) / (a - c) for (a, b), (c, d) in combinations(places, 2) if a != c]
    slope = median(slopes) if slopes else 0.0
    off = [y - slope * x for x, y in places]
    middle = median(off) if off else 0.0
    usual = 1.4826 * median(abs(one - middle) for one in off) if off else 0.0
    return [(one - middle) / usual if usual else 0.0 for one in off]


def _far(count: int) -> float:
    """How many usual distances the furthest of so many points is away by chance in one of twenty
    charts, or fewer, as simulated; of few points the usual distance is known badly."""
    return 3.6 + 33 / count


def _padded(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * 0.08 or 0.5
    return (0.0 if 0 <= low < room else low - room), high + room


def _cut(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23].rstrip()}…"


@rule("SCATTER_AXES", "The two sides of a scatter chart are two numbers.")
def _axes(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(Scatter):
        one, other = (look.board.metrics.get(name) for name in (chart.x, chart.y))
        if chart.x == chart.y:
            message = f"`{chart.x}` stands on both sides."
            yield Found((*here, "y"), message, "Name another metric.")
        elif chart.equal and one and other and one.format != other.format:
            message = f"`{chart.x}` and `{chart.y}` have different formats: they are never equal."
            yield Found((*here, "equal"), message, "Take `equal` out.")
