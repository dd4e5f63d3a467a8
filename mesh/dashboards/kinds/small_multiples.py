"""Small pictures side by side, a line over months in each, all on one scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mesh.contracts import Contract
from mesh.dashboards.drawing import lines, vega
from mesh.dashboards.drawing.formats import written
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.kinds.base import Board, Found, Look, Row, rule
from mesh.dashboards.kinds.over_time import OverTime
from mesh.dashboards.kinds.seen import lowered, named
from mesh.dashboards.kinds.tracks import Point, Track, has_band, values_of
from mesh.dashboards.parts import Dimension, MetricName
from mesh.words import listed

MAX_PANELS = 24
HEIGHT, TICKS = 124, 3


class SmallMultiples(OverTime):
    """One small picture per value of a column."""

    partial: ClassVar[str] = "small_multiples.html.j2"
    in_looker: ClassVar[str] = "Time series chart, one per value, side by side"

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

    def settings(self, board: Board) -> list[tuple[str, str]]:
        field, way = self.dimension.field, "largest" if self.descending else "smallest"
        return [
            (
                "Charts",
                f"at most {self.most}, each with a filter on `{field}`: the {way} by "
                f"{board.metrics[self.by].in_looker} in the newest month first",
            ),
            *self.dimension.in_looker,
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
        every = [
            self.track(board, self.dimension.name(value), self.metric, own)
            for value, own in by_value.items()
        ]
        found = [one for one in every if len(one.points) > 1]
        newest = max((one.points[-1].month for one in found), default=None)

        def place(one: Track) -> tuple[bool, float, str]:
            weight = one.points[-1].row[self.by] or 0
            # A number of years ago is none to be in order with those of today.
            return _ended(one, newest), -weight if self.descending else weight, one.name

        found.sort(key=place)
        return [replace(one, key=f"panel-{index}") for index, one in enumerate(found)]

    def seen(self, board: Board, rows: list[Row]) -> str:
        return self.change(board, self.tracks(board, rows)[: self.most])

    def draw(self, board: Board, contract: Contract, rows: list[Row], card: ChartView) -> ChartView:
        every = self.tracks(board, rows)
        tracks = every[: self.most]
        if not tracks:
            points = self.points(board, rows, self.metric)
            one = len({row[self.dimension.field] for row in rows}) == 1
            two = f"two {self.time.every}s that can be shown"
            why = self.too_few(board, rows, len(points)) if one else f"None has {two}."
            return replace(card, empty=why)
        months = [point.month for track in tracks for point in track.points]
        panels, newest, older = [], max(months), False
        for track in tracks:
            point = track.points[-1]
            last = "–" if _ended(track, newest) else self._number(board, track, point)
            if last != "–" and point.month != newest:
                last, older = f"{last} in {self.when(point.month)}", True
            values = {"lines": self.line_rows(board, [track])}
            if self.support:
                for row, point in zip(values["lines"], track.points, strict=True):
                    row["u"] = point.row[self.support.metric]
            panels.append({"name": track.name, "last": last, "values": values})
        told = board.metrics[self.moving or self.metric].label
        other = ", or of the month that it names" if older else ""
        said = [f"The number beside each name is of {self.when(newest)} ({lowered(told)}){other}."]
        if self.band_of == "moving" and has_band(tracks):
            said.append("It is as sure as the band is narrow there.")
        if any(_ended(track, newest) for track in tracks):
            said.append(f"A – stands where no {self.time.every} of the last year can be shown.")
        said += self.told_once(board, tracks)
        names = {self.dimension.name(row[self.dimension.field]) for row in rows}
        if missing := sorted(names - {track.name for track in every}):
            said.append(
                f"Without a picture, as fewer than two {self.time.every}s of it can be shown: "
                f"{listed([*map(named, missing)], self.most)}."
            )
        if len(every) > len(tracks):
            said.append(f"These are the first {len(tracks)} of {len(every)}; the CSV has all.")
        by_month = [{point.month: point for point in track.points} for track in tracks]
        body = []
        for month in sorted(set(months), reverse=True):
            both = zip(tracks, by_month, strict=True)
            numbers = [self._number(board, track, points.get(month)) for track, points in both]
            body.append([self.when(month), *numbers])
        scale = lines.domain(values_of(tracks), board.metrics[self.metric].format, TICKS)
        return replace(
            card,
            head=[self.time.label, *(track.name for track in tracks)],
            body=body,
            reading=said,
            summary=self.summary("Small pictures", board, tracks),
            vega=self._picture(board, tracks[0], (min(months), max(months)), scale),
            height=HEIGHT,
            content={"panels": panels},
        )

    def _number(self, board: Board, track: Track, point: Point | None) -> str:
        """The number of a month, without its interval."""
        return self.cells(board, track, point)[bool(self.moving)].partition(" (")[0]

    def _picture(
        self, board: Board, one: Track, span: tuple[date, date], scale: tuple[float, float]
    ) -> dict[str, Any]:
        """The picture without data, which the page draws once with that of each panel."""
        import altair as alt

        form = board.metrics[self.metric].format
        x = alt.X(
            "t:T",
            scale=alt.Scale(
                type="utc", domain=[lines.milliseconds(day) for day in span], nice=False
            ),
            axis=lines.time_axis(
                *span, self.time.every, values=_ticks(*span), labelOverlap="greedy"
            ),
        )
        y = alt.Y(
            "v:Q",
            scale=alt.Scale(domain=list(scale), nice=False),
            axis=lines.value_axis(
                None, form, scale[1], tickCount=TICKS, labelPadding=4, labelFontSize=10
            ),
        )
        data = alt.Data(values=[], name="lines")
        told = [(self.metric, "v"), *([(self.moving, "m")] if self.moving else [])]
        told += [(self.support.metric, "u")] if self.support else []
        texts = {
            name: f"(isValid(datum.{name}) ? {written(f'datum.{name}', form_)} : '–')"
            for metric, name in told
            for form_ in (board.metrics[metric].format,)
        }
        if self.band:
            ends = " + ' to ' + ".join(written(f"datum.{end}", form) for end in "lh")
            texts[told[self.strong][1]] += f" + (isValid(datum.l) ? ' (' + {ends} + ')' : '')"
        told_to = alt.Chart(data).transform_calculate(
            tip0=f"utcFormat(datum.t, '{lines.FORMATS[self.time.every]}')",
            **{f"tip{i}": texts[name] for i, (_, name) in enumerate(told, 1)},
        )
        titles = [self.time.label, *(board.metrics[metric].label for metric, _ in told)]
        count = lines.steps_between(*span, self.time.every)
        layers = [*self.line_layers([one], x, y, data), lines.hover(told_to, titles, x, count)]
        return vega.compiled(alt.layer(*layers), 180, HEIGHT)


def _ended(track: Track, newest: date | None) -> bool:
    """Whether a line ends more than a year before the newest month."""
    return newest is not None and lines.months_between(track.points[-1].month, newest) > 12


def _ticks(first: date, last: date) -> list[int]:
    """The first and the last day, or a few years: the last one, up to which the lines go, and as
    far before it as they have room beside each other."""
    if last.year - first.year <= 2:
        return [lines.milliseconds(first), lines.milliseconds(last)]
    years = range(first.year + 1, last.year + 1)
    step = max(1, len(years) // 3)
    return [lines.milliseconds(date(year, 1, 1)) for year in sorted(years[::-step])]


@rule("PANELS", "Each small picture has a line, not a point.")
def _panels(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(SmallMultiples):
        if chart.dimension.field == chart.time.field:
            message = f"`{chart.dimension.field}` is the month: each picture would have one point."
            yield Found((*here, "dimension"), message, "Name the column of the values.")
