"""Pies and donuts: parts of a whole, or of a crowd that may stand in several of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from mesh.contracts import Contract
from mesh.dashboards.drawing import vega
from mesh.dashboards.drawing.evidence import apart, pairs
from mesh.dashboards.drawing.formats import number, percent
from mesh.dashboards.drawing.palette import OTHERS, colours, ink_on
from mesh.dashboards.drawing.view import ChartView, LegendEntry, Mark
from mesh.dashboards.kinds.base import Board, Found, Look, Row, SplitChart, Unfit, rule
from mesh.dashboards.kinds.cut import no_number, nothing_but_zeros
from mesh.dashboards.kinds.seen import estimate, lowered, named
from mesh.dashboards.marks import IsColumn
from mesh.dashboards.parts import MetricName, Strict

MAX_SLICES = 10
PARTS_FIX = "Draw bars, or count what is never below 0."
ANEW = (
    "Others is counted anew: what is in several of its parts counts once, so that it is not their "
    "sum, and its share can be above that of each."
)
PIE_SIZE, DONUT_SIZE = 300, 230
# In pixels, in the widest font that a page may have: how wide a letter of a label is and how high,
# how far apart its lines stand, and how near it comes to an edge.
LETTER, CAPITAL, LINE, EDGE = 6.9, 9, 14, 1
# Letters that are so much wider than others, in pixels.
WIDE, WIDER = "mwMW", 4
# Where labels may stand, as parts of the radius: the first that fits.
PLACES = (0.66, 0.7, 0.62, 0.74, 0.58, 0.78, 0.54)
LEAST_RADIUS = 40


class Top(Strict):
    """The first so many values, and one row of all the others."""

    count: Annotated[int, Field(ge=1)]
    others: Annotated[str, IsColumn(("boolean",), of_row=True)] = Field(
        description="The column that marks the row of all others, which the product counted again."
    )
    rank: Annotated[str, IsColumn(("integer",), use="sorted")] = Field(
        description="The column with the places, others last."
    )


class Pie(SplitChart):
    """A pie, or a donut with the whole in its hole."""

    kind: Literal["pie", "donut"]
    metric: MetricName
    share: MetricName | None = Field(
        default=None, description="The share that each slice has of something else than the pie."
    )
    top: Top | None = None

    @property
    def in_looker(self) -> str:
        return f"{self.kind.capitalize()} chart"

    def settings(self, board: Board) -> list[tuple[str, str]]:
        slices = self.top.count + 1 if self.top else "all"
        told = [("Slices", f"{slices}; no group Others of Looker's own")]
        if self.top:
            told.append(("To say beside it", ANEW))
        beside = [self.share] if self.share else []
        return self.split_settings(board, [self.metric], beside, told)

    def counts(self, row: Row) -> bool:
        return row[self.dimension.field] is not None

    def parts(self, rows: list[Row]) -> list[Row]:
        """The rows that have a slice: what is counted in Others has none of its own."""
        top, rows = self.top, [row for row in rows if self.shows(row)]
        if top is None:
            return rows
        return [row for row in rows if row[top.others] or 1 <= (row[top.rank] or 0) <= top.count]

    def fits(self, board: Board, rows: Sequence[Row]) -> None:
        below = [row for row in rows if (row[self.metric] or 0) < 0]
        if below:
            name = named(self.dimension.name(below[0][self.dimension.field]))
            text = board.text(self.metric, below[0])
            raise Unfit(f"{name} is {text}, and no part of a whole is below 0.", PARTS_FIX)

    def seen(self, board: Board, rows: list[Row]) -> str:
        rows = self.parts(rows)
        parts = [row for row in rows if not (self.top and row[self.top.others])]
        found = [(row, estimate(board, row, self.metric)) for row in parts]
        ordered = sorted(found, key=lambda one: -one[0][self.metric])
        if len(ordered) < 2:
            return ""
        (row, most), (_, next_) = ordered[:2]
        if not (most and next_ and apart(most, next_, pairs(len(ordered)))):
            return ""
        total = sum(one[self.metric] for one in rows)
        part = percent(row[self.metric] / total)
        name = named(self.dimension.name(row[self.dimension.field]))
        whole = "whole" if self.kind == "donut" else "pie"
        text = board.text(self.metric, row)
        return f"The largest part is {name} with {text}, {part} of the {whole}."

    def draw(self, board: Board, contract: Contract, rows: list[Row], card: ChartView) -> ChartView:
        hole = self.kind == "donut"
        metric = board.metrics[self.metric]
        held = self.without_number(rows)
        every, rows = len(rows) - len(held), self.parts(rows)
        total = sum(row[self.metric] for row in rows)
        if not total and held:
            return replace(card, empty=nothing_but_zeros(held))
        if not total:
            return replace(card, empty=f"There are no {lowered(metric.label)}.")
        shares = board.metrics[self.share] if self.share else None
        drawn, legend, body = [], [], []
        names = [self.dimension.name(row[self.dimension.field]) for row in rows]
        own = [bool(self.top and row[self.top.others]) for row in rows]
        free = iter(
            colours([n for n, others in zip(names, own, strict=True) if not others], board.colours)
        )
        reading = [ANEW] if any(own) else []
        if every > len(rows):
            reading.append(f"The CSV has all {every:,}, each for itself.")
        reading += no_number(held)
        start = 0.0
        for index, (row, name, others) in enumerate(zip(rows, names, own, strict=True)):
            fill = OTHERS if others else next(free)
            count = board.text(self.metric, row)
            part = row[self.metric] / total
            share = board.text(self.share, row) if self.share else percent(part)
            facts = [(self.dimension.label, name), (metric.label, count)]
            if shares:
                facts.append((shares.label, share))
            if self.top or not shares:
                facts.append(("Share of the pie", percent(part)))
            label = slice_label(name, count, share, start=start, part=part, hole=hole)
            start += part
            key = f"slice-{index}"
            drawn.append(Mark(key, name, row[self.metric], fill, ink_on(fill), label, facts))
            legend.append(LegendEntry(key, name, fill, [count, share]))
            body.append([text for _, text in facts])
        centre = (number(total, metric.format), metric.label.lower()) if hole else None
        size = DONUT_SIZE if hole else PIE_SIZE
        # `Share of all users` as the head of a narrow column.
        of = shares.label.removeprefix("Share ") if shares else "of the pie"
        return replace(
            card,
            legend=legend,
            legend_head=[metric.label, of],
            head=[title for title, _ in drawn[0].facts],
            body=body,
            reading=reading,
            summary=vega.summary(self.kind, drawn),
            vega=_pie(drawn, size=size, centre=centre),
            height=size,
        )


def slice_label(
    name: str, count: str, share: str, *, start: float, part: float, hole: bool
) -> list[str]:
    """What can stand inside a slice: name and number, or nothing, since a number alone is nobody's.
    In a ring the share, which is named beside it.

    start, part: where the slice begins and how long it is, as parts of the whole circle.
    """
    if hole:
        return [share] if part >= 0.06 else []
    label = [name, count]
    return label if label_place(label, start, part)[1] <= PIE_SIZE / 2 else []


def label_place(label: Sequence[str], start: float, part: float) -> tuple[float, float]:
    """How far out a label stands within its slice, as a part of the radius, and from which radius
    on, in pixels, it fits there: a pie is smaller beside its legend than above it."""
    middles = [(len(label) - 1) * LINE / 2 - LINE * place for place in range(len(label))]
    corners = [
        (side * _width(text) / 2, at + end * CAPITAL / 2)
        for text, at in zip(label, middles, strict=True)
        for side in (-1, 1)
        for end in (-1, 1)
    ]
    middle, ends = start + part / 2, (start, start + part)
    for radius in range(LEAST_RADIUS, PIE_SIZE // 2 + 1):
        for place in PLACES:
            x, y = (place * radius * one for one in _direction(middle))
            at = [(x + right, y + up) for right, up in corners]
            if all(_inside(one, ends, radius) for one in at):
                return place, radius
    return PLACES[0], math.inf


def _width(text: str) -> float:
    return LETTER * len(text) + WIDER * sum(letter in WIDE for letter in text)


def _inside(point: tuple[float, float], ends: tuple[float, float], radius: float) -> bool:
    """Whether a point is within a slice, and not too near to its edge."""
    (x, y), (start, end) = point, ends
    if math.hypot(x, y) > radius - EDGE:
        return False
    (a, b), (c, d) = _direction(start), _direction(end)
    # How far it is on the right of where the slice begins, and on the left of where it ends.
    beyond = [x * b - y * a >= EDGE, y * c - x * d >= EDGE]
    return all(beyond) if end - start < 0.5 else any(beyond)


def _direction(turn: float) -> tuple[float, float]:
    """To the right and up, from the middle; turn: from twelve o'clock, as a part of the circle."""
    return math.sin(2 * math.pi * turn), math.cos(2 * math.pi * turn)


def _pie(drawn: list[Mark], *, size: int, centre: tuple[str, str] | None) -> dict[str, Any]:
    """A pie, or a donut with a number in its hole; labels stand inside the slices."""
    import altair as alt

    hole = centre is not None
    focus, seen = vega.focus()
    radius = "min(width, height) / 2"
    rows, total, before = vega.rows(drawn), sum(mark.value for mark in drawn) or 1, 0.0
    for row in rows:
        place, least = label_place(row["label"], before / total, row["value"] / total)
        row |= {"place": 0.8, "least": 0} if hole else {"place": place, "least": least}
        row["least"] = min(row["least"], PIE_SIZE)
        before += row["value"]
    base = alt.Chart(alt.Data(values=rows)).encode(
        theta=alt.Theta("value:Q", stack=True, scale=alt.Scale(type="linear")),
        order=alt.Order("order:O"),
    )
    arcs = base.mark_arc(
        outerRadius=alt.expr(f"{radius} - 1"),
        innerRadius=alt.expr(f"{radius} * {0.6 if hole else 0}"),
        stroke="@card",
        strokeWidth=2,
    ).encode(
        color=alt.Color("color:N", scale=None),
        opacity=seen,
        tooltip=vega.tooltip(drawn),
        description=alt.Description("aria:N"),
    )
    fitting = alt.condition(f"{radius} >= datum.least", "label:N", alt.value(""))
    labels = base.mark_text(
        radius=alt.expr(f"{radius} * datum.place"),
        fontSize=11,
        lineHeight=LINE,
        fontWeight=600,
        baseline="middle",
        aria=False,
    ).encode(text=fitting, color=alt.Color("ink:N", scale=None), opacity=seen)
    layers = [arcs, labels]
    if centre:
        nothing = alt.Chart(alt.Data(values=[{}]))
        big: dict[str, Any] = {
            "fontSize": 26,
            "fontWeight": 700,
            "color": "@ink",
            "dy": -6,
            "aria": False,
        }
        small: dict[str, Any] = {"fontSize": 12, "color": "@soft", "dy": 16, "aria": False}
        layers += [
            nothing.mark_text(text=centre[0], **big),
            nothing.mark_text(text=centre[1], **small),
        ]
    return vega.compiled(alt.layer(*layers).add_params(focus), size, size)


@rule("PIE_SLICES", "A pie has at most ten slices; the rest is Others.")
def _slices(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(Pie):
        if chart.top is not None:
            if chart.top.count + 1 > MAX_SLICES:
                message = f"{chart.top.count} slices and Others are more than {MAX_SLICES}."
                fix = f"Write `count: {MAX_SLICES - 1}`."
                yield Found((*here, "top", "count"), message, fix)
        elif many := look.too_many(chart, chart.dimension.field, MAX_SLICES):
            message = f"{many}a pie has at most {MAX_SLICES} slices."
            fix = "Add `top`, with a product that counts Others."
            yield Found((*here, "dimension"), message, fix)


@rule("TOP", "The product counted Others for just as many values as the chart shows.")
def _top(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(Pie):
        product = look.board.sources[chart.source].product
        rank = look.column(chart.source, chart.top.rank) if chart.top else None
        if not (chart.top and rank):
            continue
        if rank.maximum is None:
            message = f"After how many values {product} counts Others is not known: "
            message += f"`{rank.name}` has no `maximum` in its contract."
            fix = "Give places to these values, to Others the next and to what is in it none; "
            yield Found((*here, "top", "rank"), message, fix + "say so in the contract.")
            continue
        counted = int(rank.maximum) - 1
        if counted != chart.top.count:
            message = (
                f"{product} counts Others after the first {counted} values, "
                f"not after {chart.top.count}."
            )
            yield Found((*here, "top", "count"), message, f"Write `count: {counted}`.")


@rule("PIE_PARTS", "No part of a whole is below 0.", of_data=True)
def _parts(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(Pie):
        metric = look.board.metrics.get(chart.metric)
        column = look.column(metric.source, metric.field) if metric else None
        least = column.minimum if column else None
        if metric and isinstance(least, int | float) and least < 0:
            message = f"`{metric.field}` can be {least}, says its contract."
            yield Found((*here, "metric"), message, PARTS_FIX)
