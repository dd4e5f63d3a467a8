"""Lines over months: one or several, with a moving value and a band where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mesh.contracts import Contract
from mesh.dashboards.drawing import lines, vega
from mesh.dashboards.drawing.palette import colours
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.kinds.base import Board, Found, Look, Row, rule
from mesh.dashboards.kinds.over_time import OverTime
from mesh.dashboards.kinds.seen import extremes, lowered, named
from mesh.dashboards.kinds.tracks import FEW_LINES, Track, values_of
from mesh.dashboards.parts import Dimension, Distinct, MetricName

MAX_LINES = 6
HEIGHT = 270


class Line(OverTime):
    """One line per metric, or one per value of `series`."""

    in_looker: ClassVar[str] = "Time series chart"

    kind: Literal["line"]
    metrics: Annotated[list[MetricName], Field(min_length=1, max_length=5), Distinct]
    series: Dimension | None = Field(
        default=None, description="The column with a line per value, where there is one metric."
    )

    def settings(self, board: Board) -> list[tuple[str, str]]:
        told = self.time_settings(board, self.metrics)
        if self.series:
            told[1:1] = [("Breakdown dimension", f"`{self.series.field}`"), *self.series.in_looker]
        return told

    def tracks(self, board: Board, rows: list[Row]) -> list[Track]:
        """The lines that have a point, in the order of their last value."""
        parts: list[tuple[str, str, list[Row]]] = []
        if self.series:
            by_value: dict[object, list[Row]] = {}
            for row in rows:
                by_value.setdefault(row[self.series.field], []).append(row)
            metric = self.metrics[0]
            parts = [(self.series.name(value), metric, own) for value, own in by_value.items()]
        else:
            parts = [(board.metrics[name].label, name, rows) for name in self.metrics]
        found = [one for part in parts if (one := self.track(board, *part)).points]
        found.sort(key=lambda one: -(one.points[-1].told or 0))
        fills = colours([one.name for one in found], board.colours)
        return [
            replace(one, key=f"line-{index}", colour=fill)
            for index, (one, fill) in enumerate(zip(found, fills, strict=True))
        ]

    def shows(self, row: Row) -> bool:
        names = [*self.metrics, *([self.moving] if self.moving else [])]
        return any(row[name] is not None for name in names)

    def gaps_told(self, tracks: Sequence[Track]) -> list[str]:
        mostly = self._mostly_gaps(tracks)
        return super().gaps_told(tracks) if not mostly else []

    def _mostly_gaps(self, tracks: Sequence[Track]) -> list[str]:
        """The lines of which most cannot be shown, with how much that is."""
        counted = [(track, *self.gaps(track)) for track in tracks]
        if len(tracks) > FEW_LINES or not any(2 * missing > every for _, missing, every in counted):
            return []
        names = [track.name if self.series else lowered(track.name) for track in tracks]
        return [
            f"{named(name)} in {missing:,} of {every:,} {self.time.every}s"
            for name, (_, missing, every) in zip(names, counted, strict=True)
            if missing
        ]

    def seen(self, board: Board, rows: list[Row]) -> str:
        tracks = self.tracks(board, rows)
        if mostly := self._mostly_gaps(tracks):
            # What points are left are no course of time, and none of them is worth a sentence.
            return f"Cannot be shown: {', '.join(mostly)}."
        if told := self.change(board, tracks):
            return told
        if len(tracks) != 1:
            return ""
        (track,) = tracks
        shown = [p for p in track.points if p.over and p.row[track.judged] is not None]
        found = [(point, one) for point in shown if (one := self.judged(board, track, point))]
        # Of what has no interval nobody knows whether it is the highest.
        if len(found) < max(3, len(shown)):
            return ""
        gaps = any(
            lines.NEXT[self.time.every](one.month) != other.month
            for one, other in pairwise(track.points)
        )
        # What is held back in a gap may be lower, but for nothing at all.
        whole = not gaps or min(one.value for _, one in found) == 0
        return extremes(
            found,
            lambda point: (self.when(point.month), self.amount(board, track, point)),
            ("highest", "lowest") if whole else ("highest",),
        )

    def draw(self, board: Board, contract: Contract, rows: list[Row], card: ChartView) -> ChartView:
        tracks = self.tracks(board, rows)
        months = sorted({point.month for track in tracks for point in track.points})
        if len(months) < 2:
            return replace(card, empty=self.too_few(board, rows, len(months)))
        by_month = [{point.month: point for point in track.points} for track in tracks]
        form = board.metrics[self.metrics[0]].format
        if form == "count" and not any(values_of(tracks)):
            why = f"No {self.time.every} has a number above 0 that can be shown."
            return replace(card, empty=why)
        # What cannot be shown at an end is a gap as well.
        span = min(track.first for track in tracks), max(track.last for track in tracks)
        several = len(tracks) > 1
        head, body, hovers = [self.time.label], [], []
        for track in tracks:
            head += self.heads(board, track, several)
        for month in months:
            line, tips = [self.when(month)], [self.when(month)]
            for track, points in zip(tracks, by_month, strict=True):
                told = self.cells(board, track, points.get(month))
                line += told
                # Of several lines the tooltip tells one number each, the table tells all.
                tips += [told[bool(self.moving)]] if several else told
            hovers.append(
                {"t": lines.milliseconds(month)} | {f"tip{i}": text for i, text in enumerate(tips)}
            )
            body.append(line)
        titles = [self.time.label, *(track.name for track in tracks)] if several else head
        return replace(
            card,
            head=head,
            body=body[::-1],
            reading=self.told_once(board, tracks),
            summary=self.summary("Line chart", board, tracks),
            vega=self._picture(tracks, hovers, titles, span, form, board),
            height=HEIGHT,
        )

    def _picture(
        self,
        tracks: list[Track],
        hovers: list[dict[str, Any]],
        titles: list[str],
        span: tuple[date, date],
        form: Any,
        board: Board,
    ) -> dict[str, Any]:
        import altair as alt

        scale = lines.domain(values_of(tracks), form)
        named = len(tracks) > 1
        last = [(t.key, t.name, t.points[-1].told or 0.0) for t in tracks] if named else []
        tags = lines.ends(last, scale, HEIGHT - 60)
        room = lines.room_for(tags) if named else 12
        x = alt.X(
            "t:T",
            scale=alt.Scale(
                type="utc",
                domain=[lines.milliseconds(day) for day in span],
                range=[0, lines.right(room)],
                nice=False,
            ),
            axis=lines.time_axis(*span, self.time.every),
        )
        # Several metrics have their names beside the lines; the axis says what they all count.
        title = "" if named and not self.series else board.metrics[self.metrics[0]].label
        y = alt.Y(
            "value:Q",
            scale=alt.Scale(domain=list(scale), nice=False, zero=False),
            axis=lines.value_axis(title, form, scale[1]),
        )
        # The rows come into the picture when it is compiled: Altair would copy them many times.
        rows = {"lines": self.line_rows(board, tracks), "hovers": hovers}
        data = alt.Data(values=[], name="lines")
        layers = self.line_layers(tracks, x, y, data)
        layers += lines.named_ends(tags, {t.key: t.colour for t in tracks}, room, y)
        told = alt.Chart(alt.Data(values=[], name="hovers"))
        count = lines.steps_between(*span, self.time.every)
        layers.append(lines.hover(told, titles, x, count, room))
        return vega.with_data(vega.compiled(alt.layer(*layers), 460, HEIGHT), rows)


@rule("LINE_SERIES", "So few lines that each can be followed, all on one axis.")
def _series(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(Line):
        several = len(chart.metrics) > 1
        if several and (chart.series or chart.moving or chart.band):
            message = "Several metrics are drawn without series, moving value and band."
            yield Found((*here, "metrics"), message, "Name one metric, or take these out.")
        known = [look.board.metrics[n] for n in chart.metrics if n in look.board.metrics]
        if len({metric.format for metric in known}) > 1:
            message = "The metrics have different formats, but there is one axis."
            yield Found((*here, "metrics"), message, "Make a chart of each format.")
        if chart.series and (many := look.too_many(chart, chart.series.field, MAX_LINES)):
            message = f"{many}more than {MAX_LINES} lines cover each other."
            fix = "Filter it by `one_of`, or draw `small_multiples`."
            yield Found((*here, "series"), message, fix)
