"""What charts over months share: which months are drawn, how lines look, what is seen in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from pydantic import Field

from mesh.dashboards.drawing import lines
from mesh.dashboards.drawing.evidence import Estimate, apart
from mesh.dashboards.kinds.base import Board, Chart, Row, Unfit
from mesh.dashboards.kinds.seen import amount, estimate, lowered, named
from mesh.dashboards.kinds.tracks import FEW_LINES, Point, Track, has_band
from mesh.dashboards.parts import Interval, MetricName, Support, Time
from mesh.words import many

STEP_FIX = (
    "Read a product with a row for each month, quarter or year, called by its first day, and say "
    "which by `every`."
)


class OverTime(Chart):
    """A chart with lines over months."""

    time: Time
    moving: MetricName | None = Field(
        default=None,
        description="A value over several months, drawn as a strong line above the months' own.",
    )
    band: Interval | None = Field(
        default=None, description="The interval of the moving value, or of the metric without one."
    )
    band_of: Literal["moving", "each"] = Field(
        default="moving",
        description="Beside a moving value: `each` where the interval is that of each by itself.",
    )
    support: Support | None = None
    moving_support: Support | None = Field(
        default=None, description="The same of the moving value: of how many months it is, say."
    )

    @property
    def strong(self) -> bool:
        """Whether the moving value is what is judged: not where each has an interval alone."""
        return bool(self.moving) and not (self.band and self.band_of == "each")

    def when(self, first: date) -> str:
        """A month, quarter or year, called by its first day."""
        return lines.called(first, self.time.every)

    def counts(self, row: Row) -> bool:
        return row[self.time.field] is not None

    def fits(self, board: Board, rows: Sequence[Row]) -> None:
        days, field = self.days(rows), self.time.field
        if off := lines.off_step(days, self.time.every):
            raise Unfit(f"`{field}`: {off}.", STEP_FIX)
        if longer := lines.longer_step(days, self.time.every):
            message = f"each `{field}` of {len(days)} begins a {longer}, and none stands between."
            raise Unfit(message, f"Write `every: {longer}` under `time`.")

    def days(self, rows: Sequence[Row]) -> list[date]:
        """The first days of the months that there are rows of, in order."""
        return sorted({row[self.time.field] for row in rows if self.counts(row)})

    def track(self, board: Board, name: str, metric: str, rows: Sequence[Row]) -> Track:
        """A line; rows: those that it has, also what cannot be shown of them."""
        points, days = self.points(board, rows, metric), self.days(rows)
        # What is compared is the moving number, if there is any.
        moved = self.strong and any(point.moving is not None for point in points)
        few = self.support.few(rows, metric, self.moving) if self.support else 0
        judged = (moved and self.moving) or metric
        return Track(name, metric, judged, points, days[0], days[-1], few)

    def too_few(self, board: Board, rows: Sequence[Row], shown: int) -> str:
        """Why there is no line."""
        days = self.days(rows)
        every = lines.steps_between(days[0], days[-1], self.time.every) + 1
        of_all = f"; {shown} of {every:,} can be shown" if every > shown else ""
        few = self.support.few(rows, *self.metric_names) if self.support else 0
        why = self._left_out(board, few, f"{every:,}")
        return " ".join([f"A line needs two {self.time.every}s{of_all}.", *why])

    def _left_out(self, board: Board, few: int, of: str) -> list[str]:
        """That so many rest on too few."""
        if not self.support:
            return []
        label = lowered(board.metrics[self.support.metric].label)
        return self.support.left_out(f"A {self.time.every} that", label, few, of)

    def points(self, board: Board, rows: Sequence[Row], metric: str) -> list[Point]:
        """The months that a line has; those that rest on too few are left out."""
        found = []
        for row in rows:
            if self.support and not self.support.met(row):
                continue
            moving = row[self.moving] if self.moving else None
            enough = self.moving_support is None or self.moving_support.met(row)
            left_out = moving is not None and not enough
            if self.moving and left_out:
                # Nor is its interval one of a number that is shown.
                ends = (self.band.low, self.band.high) if self.band and self.strong else ()
                moving, row = None, {**row, **dict.fromkeys((self.moving, *ends))}
            if row[metric] is None and moving is None:
                continue
            month = row[self.time.field]
            # The interval of a number that is left out is no interval of a number that is shown.
            shown = (moving if self.strong else row[metric]) is not None
            low, high = self.band.ends(row) if self.band and shown else (None, None)
            over = lines.is_over(month, row[board.sources[self.source].as_of], self.time.every)
            found.append(Point(month, row[metric], moving, low, high, over, row, left_out))
        return sorted(found, key=lambda point: point.month)

    def told_once(self, board: Board, tracks: Sequence[Track]) -> list[str]:
        """How the lines are to be read."""
        said = []
        if self.moving:
            label = lowered(board.metrics[self.moving].label)
            one = f"each {self.time.every} by itself"
            said.append(f"The thin line is {one}, the strong one {label}.")
        if self.moving and self.moving_support:
            label = lowered(board.metrics[self.moving_support.metric].label)
            points = [point for track in tracks for point in track.points]
            few = sum(point.left_out for point in points)
            of = f"{few + sum(point.moving is not None for point in points):,}"
            said += self.moving_support.left_out("Of the strong line what", label, few, of)
        if self.band and not has_band(tracks):
            said.append(f"No {self.time.every} has an interval that could be drawn.")
        elif self.band:
            whose = f" of each {self.time.every} by itself" if self.band_of == "each" else ""
            said.append(f"The band is the {self.band.words}{whose}.")
        every = sum(self.gaps(track)[1] for track in tracks)
        of = f"{every:,}" + (", all lines together" if len(tracks) > 1 else "")
        said += self._left_out(board, sum(track.few for track in tracks), of)
        said += self.gaps_told(tracks) if len(tracks) <= FEW_LINES else []
        if any(self.lone_zeros(board, track) for track in tracks):
            which = f"A 0 beside {self.time.every}s that cannot be shown"
            said.append(f"{which} is not drawn, since it is no curve; the numbers have it.")
        last = max(point.month for track in tracks for point in track.points)
        if any(not point.over for track in tracks for point in track.points):
            said.append(f"The hollow point is {self.when(last)}, which is not over.")
        return said

    def gaps(self, track: Track) -> tuple[int, int]:
        """How many months of a line cannot be shown, and of how many."""
        every = lines.steps_between(track.first, track.last, self.time.every) + 1
        return every - len(track.points), every

    def gaps_told(self, tracks: Sequence[Track]) -> list[str]:
        """Of each line with gaps how much of it can be shown."""
        counted = [(track, *self.gaps(track)) for track in tracks]
        return [
            f"{track.name}: {every - missing:,} of {every:,} {self.time.every}s can be shown."
            for track, missing, every in counted
            if missing
        ]

    def lone_zeros(self, board: Board, track: Track) -> set[date]:
        """The months of a count that have 0 and lie beside gaps, alone or in a line of which most
        are gaps: what is held back is more than 0, so that the points that are left would look
        like a curve of nothing."""
        missing, every = self.gaps(track)
        if board.metrics[track.metric].format != "count" or not missing:
            return set()
        if 2 * missing > every:
            return {point.month for point in track.points if point.over and point.value == 0}
        whole = [point for point in track.points if point.over and point.value is not None]
        step = lines.NEXT[self.time.every]
        return {
            point.month
            for run in lines.runs(whole, lambda point: point.month, step)
            if not any(point.value for point in run)
            for point in run
        }

    def change(self, board: Board, tracks: Sequence[Track]) -> str:
        """How many surely changed within a year, up to the last month that is over, and one of
        them: with the largest change, which may be so by chance and is not called the largest."""
        found: list[tuple[float, Track, Point, Point]] = []
        compared = 0
        months = [point.month for track in tracks for point in track.points if point.over]
        if not months:
            return ""
        last = max(months)
        for track in tracks:
            by_month = {point.month: point for point in track.points}
            now = by_month.get(last)
            before = by_month.get(last.replace(year=last.year - 1, day=1))
            if now is None or before is None:
                continue
            one, other = (self.judged(board, track, point) for point in (now, before))
            compared += bool(one and other)
            if one and other and apart(one, other, len(tracks)):
                counts = board.metrics[track.judged].format == "count"
                size = (one.value + 1) / (other.value + 1) if counts else one.value - other.value
                found.append((max(size, 1 / size) if counts else abs(size), track, before, now))
        if not found:
            return ""
        _, track, before, now = max(found, key=lambda one: one[0])
        told = [
            f"{board.text(track.judged, point.row)} in {self.when(point.month)}"
            for point in (before, now)
        ]
        start = f"{board.metrics[track.judged].label}, a year apart"
        if len(tracks) > 1:
            such = "such as " if len(found) > 1 else ""
            start = (
                f"{len(found)} of {compared} surely changed in a year, {such}{named(track.name)}"
            )
        return f"{start}: {told[0]}, {told[1]}."

    def amount(self, board: Board, track: Track, point: Point) -> str:
        """`1,195 plays`, or `1,195 (the last 12 months)`."""
        if track.judged == track.metric:
            return amount(board, track.metric, point.row)
        label = lowered(board.metrics[track.judged].label)
        return f"{board.text(track.judged, point.row)} ({label})"

    def judged(self, board: Board, track: Track, point: Point) -> Estimate | None:
        # The band is that of the moving value, and says nothing of the months by themselves.
        banded = self.moving if self.strong else track.metric
        own = self.band if track.judged == banded else None
        one = estimate(board, point.row, track.judged, own)
        if one is None or own or board.metrics[track.judged].format != "count":
            return one
        return one.wider(track.bursts)

    def time_settings(self, board: Board, metrics: Sequence[str]) -> list[tuple[str, str]]:
        """What to set in Looker Studio for the lines."""
        shown = {"month": "Year Month", "quarter": "Year Quarter", "year": "Year"}[self.time.every]
        told = [
            ("Date range dimension, Dimension", f"`{self.time.field}`, as {shown}"),
            ("Metric", board.in_looker([*metrics, *([self.moving] if self.moving else [])])),
            ("Missing data", "Line breaks"),
        ]
        if self.support:
            told.append(board.minimum(self.support))
            told.append(("Optional metric", board.in_looker([self.support.metric])))
        if self.moving_support and self.moving:
            told.append(("Strong line, as a field", board.where(self.moving_support, self.moving)))
        if self.band:
            ends = board.in_looker((self.band.low, self.band.high))
            told.append(("Interval", f"two more metrics, thin: {ends}"))
        return told

    def line_rows(self, board: Board, tracks: Sequence[Track]) -> list[dict[str, Any]]:
        """The data of the lines, a row per point under short names, since there are many.

        k: the line's key if there are several, t: the month, v: its value, m: the moving one, l
        and h: its interval. r, q and b: of v, m and l the run without a gap, or none for a run of
        one month; o: whether the month is not over.
        """
        data: list[dict[str, Any]] = []
        count = 0
        for track in tracks:
            rows: dict[date, dict[str, Any]] = {}
            unseen = self.lone_zeros(board, track)
            for point in track.points:
                own: dict[str, Any] = {"t": lines.milliseconds(point.month)}
                own |= {"k": track.key} if len(tracks) > 1 else {}
                value = None if point.month in unseen else point.value
                told = {"v": value, "m": point.moving, "l": point.low, "h": point.high}
                own |= {name: lines.short(one) for name, one in told.items() if one is not None}
                rows[point.month] = own | ({} if point.over else {"o": 1})
            for name, run in (("v", "r"), ("m", "q"), ("l", "b")):
                # A month that is not over is no end of a line: it would seem to fall.
                moving = name == "m" or (name == "l" and self.strong)
                whole = [m for m, row in rows.items() if name in row and (moving or "o" not in row)]
                for members in lines.runs(whole, lambda month: month, lines.NEXT[self.time.every]):
                    count += 1
                    for month in members if len(members) > 1 else ():
                        rows[month][run] = count
            data += rows.values()
        return data

    def line_layers(self, tracks: Sequence[Track], x: Any, y: Any, data: Any) -> list[Any]:
        """Bands, lines, and points for runs that are a single month."""
        import altair as alt

        def of(name: str) -> Any:
            axis = y.copy(deep=False)
            axis.shorthand = f"{name}:Q"
            return axis

        strong = bool(self.moving)
        keys = [track.key for track in tracks]
        fills = alt.Scale(domain=keys, range=[track.colour for track in tracks])
        dashes = alt.Scale(domain=keys, range=[*lines.DASHES][: len(keys)])
        fill: Any = alt.ColorValue(tracks[0].colour)
        dash: Any = alt.StrokeDashValue(lines.DASHES[0])
        if len(tracks) > 1:
            fill = alt.Color("k:N", scale=fills, legend=None)
            dash = alt.StrokeDash("k:N", scale=dashes, legend=None)
        base = alt.Chart(data).encode(x=x, color=fill)
        layers = []
        if self.band:
            ends = {"y": of("l"), "y2": alt.Y2("h:Q")}
            layers += [
                base.transform_filter("isValid(datum.b)")
                .mark_area(opacity=0.18, aria=False)
                .encode(**ends, detail=alt.Detail("b:N")),
                base.transform_filter("isValid(datum.l) && !isValid(datum.b)")
                .mark_rule(opacity=0.35, strokeWidth=1.5, aria=False)
                .encode(**ends),
            ]
        for name, run, width, size, opacity in (
            ("v", "r", 1.2 if strong else 2.2, 14, 0.6 if strong else 1.0),
            ("m", "q", 2.8, 30, 1.0),
        ):
            if name == "m" and not strong:
                continue
            layers += [
                base.transform_filter(f"isValid(datum.{name}) && isValid(datum.{run})")
                .mark_line(strokeWidth=width, opacity=opacity, strokeJoin="round", aria=False)
                .encode(y=of(name), detail=alt.Detail(f"{run}:N"), strokeDash=dash),
                base.transform_filter(
                    f"isValid(datum.{name}) && !isValid(datum.{run})"
                    + (" && !datum.o" if name == "v" else "")
                )
                .mark_point(filled=True, size=size, opacity=opacity, aria=False)
                .encode(y=of(name)),
            ]
        layers.append(
            base.transform_filter("datum.o && isValid(datum.v)")
            .mark_point(filled=False, size=28, strokeWidth=1.6, fill="@card", aria=False)
            .encode(y=of("v"))
        )
        return layers

    def heads(self, board: Board, track: Track, several: bool) -> list[str]:
        """The titles of a line's numbers in tooltips and in the table behind the picture."""
        of = [track.name if several else board.metrics[track.metric].label]
        of += [board.metrics[self.moving].label] if self.moving else []
        of += [board.metrics[self.support.metric].label] if self.support else []
        return [of[0], *(f"{label}, {track.name}" if several else label for label in of[1:])]

    def cells(self, board: Board, track: Track, point: Point | None) -> list[str]:
        """The numbers under these titles; a month that is missing has none."""
        if point is None:
            return ["–"] * len(self.heads(board, track, False))
        cells = [board.metrics[track.metric].text(point.value) or "–"]
        if self.moving:
            cells.append(board.metrics[self.moving].text(point.moving) or "–")
        interval = board.between(self.band, board.metrics[track.judged].format, point.row)
        cells[-1 if self.strong else 0] += interval
        if self.support:
            cells.append(board.text(self.support.metric, point.row))
        return cells

    def summary(self, kind: str, board: Board, tracks: Sequence[Track]) -> str:
        parts = []
        for track in tracks:
            known = [one for one in track.points if one.row[track.judged] is not None]
            told = [
                f"{board.text(track.judged, one.row)} in {self.when(one.month)}"
                for one in (known[0], known[-1])
            ]
            parts.append(f"{track.name} from {told[0]} to {told[1]}")
        return f"{kind} with {many(len(tracks), 'line')}: " + "; ".join(parts) + "."
