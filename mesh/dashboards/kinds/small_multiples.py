"""Small pictures side by side, a line over months in each, all on one scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mesh.contracts import Contract
from mesh.dashboards.drawing import lines, vega
from mesh.dashboards.drawing.formats import AXIS, Format
from mesh.dashboards.drawing.palette import colour
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.kinds.base import Board, Found, Look, Row, rule
from mesh.dashboards.kinds.over_time import (
    OverTime,
    Track,
    cells_of,
    heads_of,
    line_layers,
    line_rows,
    summary,
    values_of,
)
from mesh.dashboards.parts import Dimension, MetricName

MAX_PANELS = 24
HEIGHT = 108


class SmallMultiples(OverTime):
    """One small picture per value of a column."""

    partial: ClassVar[str] = "small_multiples.html.j2"

    kind: Literal["small_multiples"]
    metric: MetricName
    dimension: Dimension
    by: MetricName = Field(
        description="What decides which values have a picture, and in which order: its value in "
        "the last month that a value has."
    )
    descending: bool = Field(default=True, description="Whether the largest come first.")
    most: Annotated[int, Field(ge=2, le=MAX_PANELS)] = Field(
        default=12, description="How many pictures there are at most."
    )

    @property
    def row_columns(self) -> set[str]:
        return super().row_columns | {self.dimension.field}

    @property
    def in_looker(self) -> str:
        return "Time series chart, one per value, side by side"

    def settings(self, board: Board) -> list[tuple[str, str]]:
        field, way = self.dimension.field, "largest" if self.descending else "smallest"
        return [
            (
                "Charts",
                f"at most {self.most}, each with a filter on `{field}`: the {way} by "
                f"{board.metrics[self.by].in_looker} in the newest month first",
            ),
            *self.time_settings(board, [self.metric]),
            ("Left Y-axis", "the same minimum and maximum in each of them"),
        ]

    def shows(self, row: Row) -> bool:
        return row[self.metric] is not None or bool(self.moving and row[self.moving] is not None)

    def tracks(self, board: Board, rows: list[Row]) -> list[Track]:
        """The lines of all values that have two months, in order."""
        by_value: dict[object, list[Row]] = {}
        for row in rows:
            by_value.setdefault(row[self.dimension.field], []).append(row)
        found = []
        for value, own in by_value.items():
            points = self.points(board, own, self.metric)
            if len(points) > 1:
                weight = points[-1].row[self.by] or 0
                name = self.dimension.name(value)
                found.append((-weight if self.descending else weight, name, points))
        found.sort(key=lambda one: (one[0], one[1]))
        judged = self.moving or self.metric
        return [
            Track(f"panel-{i}", name, colour(name, board.colours), self.metric, judged, points)
            for i, (_, name, points) in enumerate(found)
        ]

    def seen(self, board: Board, rows: list[Row]) -> str:
        return self.change(board, self.tracks(board, rows)[: self.most])

    def draw(self, board: Board, contract: Contract, rows: list[Row], card: ChartView) -> ChartView:
        every = self.tracks(board, rows)
        tracks = every[: self.most]
        if not tracks:
            return replace(card, empty="A line needs two months.")
        months = [point.month for track in tracks for point in track.points]
        form = board.metrics[self.metric].format
        heads = [self.time.label, *heads_of(self, board, tracks[0], False)]
        panels, body = [], []
        for track in tracks:
            hovers = []
            for point in track.points:
                told = [lines.month_name(point.month), *cells_of(self, board, track, point)]
                tips = {f"tip{i}": text for i, text in enumerate(told)}
                hovers.append({"t": lines.milliseconds(point.month)} | tips)
                body.append([track.name, *told])
            # One colour for all: the name stands above each picture.
            drawn = replace(track, colour="@accent")
            last = cells_of(self, board, track, track.points[-1])[bool(self.moving)]
            panels.append(
                {
                    "name": track.name,
                    "last": f"{last.partition(' (')[0]}",
                    "values": {"lines": line_rows([drawn]), "months": hovers},
                }
            )
        said = self.told_once(board, tracks)
        said.insert(0, f"The number beside each name is the last one of its line ({heads[1]}).")
        if len(every) > len(tracks):
            said.append(f"These are the first {len(tracks)} of {len(every)}; the file has all.")
        picture = self._picture((min(months), max(months)), tracks, heads, form)
        return replace(
            card,
            head=[self.dimension.label, *heads],
            body=body,
            reading=said,
            summary=summary("Small pictures", board, tracks),
            vega=picture,
            height=HEIGHT,
            content={"panels": panels},
        )

    def _picture(
        self, span: tuple[date, date], tracks: list[Track], titles: list[str], form: Format
    ) -> dict[str, Any]:
        """The picture without data, which the page draws once with that of each panel."""
        import altair as alt

        x = alt.X(
            "t:T",
            scale=alt.Scale(
                type="utc", domain=[lines.milliseconds(day) for day in span], nice=False
            ),
            axis=lines.time_axis(*span, tickCount=3, values=_ticks(*span), labelOverlap="greedy"),
        )
        y = alt.Y(
            "value:Q",
            scale=alt.Scale(domain=list(lines.domain(values_of(tracks), form)), nice=False),
            axis=_small(form),
        )
        layers = line_layers(
            alt.Data(values=[], name="lines"),
            strong=bool(self.moving),
            banded=bool(self.band),
            x=x,
            y=y,
        )
        layers.append(lines.hover(alt.Data(values=[], name="months"), titles, x))
        return vega.compiled(alt.layer(*layers), 180, HEIGHT)


def _small(form: Format) -> Any:
    return lines.axis(
        title=None,
        format=AXIS[form],
        domain=False,
        ticks=False,
        tickCount=3,
        labelPadding=4,
        labelFontSize=10,
    )


def _ticks(first: date, last: date) -> list[int]:
    """The first day and, if it is long enough, the last year that fits beside it."""
    if last.year - first.year <= 2:
        return [lines.milliseconds(first), lines.milliseconds(last)]
    years = range(first.year + 1, last.year + 1)
    step = max(1, len(years) // 3)
    return [lines.milliseconds(date(year, 1, 1)) for year in years[::step]]


@rule("PANELS", "Each small picture has a line, not a point.")
def _panels(look: Look) -> Iterator[Found]:
    for here, chart, _ in look.charts(SmallMultiples):
        if chart.dimension.field == chart.time.field:
            message = f"`{chart.dimension.field}` is the month: each picture would have one point."
            yield Found((*here, "dimension"), message, "Name the column of the values.")
