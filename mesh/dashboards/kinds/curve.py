"""Curves of what is left, such as how many of a group are still there: with bands, by group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations, pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mesh.contracts import Contract
from mesh.dashboards.drawing import lines, vega
from mesh.dashboards.drawing.evidence import apart
from mesh.dashboards.drawing.palette import colours
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.kinds.base import Board, Chart, Found, Look, Row, rule
from mesh.dashboards.kinds.seen import estimate, lowered, named
from mesh.dashboards.parts import Crowd, Dimension, Interval, MetricName, Since, Support
from mesh.words import many

HEIGHT = 300
# What is left of it for the curves, beside axis and title.
DRAWN_HEIGHT = HEIGHT - 60
# From such a share of starts in one year on a curve may be that year's.
CROWDED = 0.5
# Where everybody is there and one step down: of less there is nothing to see.
LEAST_STEPS = 2


@dataclass(frozen=True)
class _Group:
    """A curve: its rows by months since, up to where too few are left. value: of the series."""

    key: str
    value: Any
    name: str
    colour: str
    steps: dict[int, Row]


class Curve(Chart):
    """One curve, or one per value of `series`."""

    in_looker: ClassVar[str] = "Line chart"

    kind: Literal["curve"]
    since: Since
    metric: MetricName
    band: Interval
    at_risk: Support = Field(
        description="How many are left of whom it is known; where they are too few a curve ends."
    )
    crowd: Crowd | None = Field(
        default=None,
        description="In which year most began, and the share that did: told from half of them on.",
    )
    stepped: bool = Field(
        default=False,
        description="Whether it is drawn in steps, as the share of those who stay is: it is known "
        "at the points alone, and a slope would be read off between them.",
    )
    series: Dimension | None = None
    most: Annotated[int, Field(ge=1, le=6)] = Field(
        default=5, description="How many curves there are at most: those of the last values."
    )

    def settings(self, board: Board) -> list[tuple[str, str]]:
        ends = board.in_looker((self.band.low, self.band.high))
        style = "stepped lines" if self.stepped else "straight lines"
        return [
            ("Dimension", f"`{self.since.field}`"),
            ("Horizontal axis", self._axis_in_looker(board)),
            *self._series_in_looker(board),
            ("Metric", board.metrics[self.metric].in_looker),
            ("Sort", f"`{self.since.field}`, ascending"),
            board.minimum(self.at_risk),
            ("Style", f"{style} with points; left Y-axis from 0 to 1"),
            ("Optional metric", board.metrics[self.at_risk.metric].in_looker),
            *(
                (("Optional metric", board.metrics[self.crowd.share].in_looker),)
                if self.crowd
                else ()
            ),
            ("Interval", f"a chart for each group with two more metrics, thin: {ends}"),
        ]

    def _axis_in_looker(self, board: Board) -> str:
        of = f"`{self.since.field}` (Max) and {board.metrics[self.metric].in_looker}"
        return (
            "a line chart spaces what there is evenly, also where numbers are missing between; "
            f"where distances count, a scatter chart with `{self.since.field}` as dimension and as "
            f"metrics {of}"
        )

    def _series_in_looker(self, board: Board) -> list[tuple[str, str]]:
        if not self.series:
            return []
        by = self.series.field
        told = [("Breakdown dimension", f"`{by}`, the last {self.most}"), *self.series.in_looker]
        # What a control picks, a filter of the chart would take away again.
        if not any(one.reaches(self) and one.field == by for one in board.controls):
            which = f"where there are more than {self.most}, Include `{by}` In the last of them"
            told.append(("Filter of the last", f"{which}; renew it when a newer one comes"))
        return told

    def last_of(self, field: str) -> int | None:
        return self.most if self.series and self.series.field == field else None

    @property
    def _too_few(self) -> str:
        least = self.at_risk.least
        return "none" if least == 1 else f"fewer than {least:,}"

    def _groups(self, board: Board, rows: list[Row]) -> tuple[list[_Group], int, int]:
        """The curves that are drawn, of how many, and how many are too short."""
        by_value: dict[Any, dict[int, Row]] = {}
        ended: set[Any] = set()
        for row in sorted(rows, key=lambda row: row[self.since.field]):
            value = row[self.series.field] if self.series else None
            if row[self.metric] is None or value in ended:
                continue
            if (row[self.at_risk.metric] or 0) < self.at_risk.least:
                ended.add(value)
                continue
            by_value.setdefault(value, {})[row[self.since.field]] = row
        order = sorted(by_value, key=lambda value: (value is None, value))
        short = [value for value in order if len({0, *by_value[value]}) < LEAST_STEPS]
        order = [value for value in order if value not in short]
        shown = order[-self.most :]
        names = [
            self.series.name(value) if self.series else board.metrics[self.metric].label
            for value in shown
        ]
        fills = colours(names, board.colours)
        groups = [
            _Group(f"curve-{i}", value, name, fill, by_value[value])
            for i, (value, name, fill) in enumerate(zip(shown, names, fills, strict=True))
        ]
        return groups, len(order), len(short)

    def seen(self, board: Board, rows: list[Row]) -> str:
        groups, *_ = self._groups(board, rows)
        return f"{self._course(board, groups)} {self._crowded(board, groups)}".strip()

    def _crowded(self, board: Board, groups: list[_Group]) -> str:
        """Whether so many of the largest group began in one year that the curves may be of it."""
        if not (self.crowd and groups):
            return ""
        size = self.at_risk.metric
        starts = [(group, group.steps[min(group.steps)]) for group in groups]
        group, row = max(starts, key=lambda one: one[1][size])
        if (row[self.crowd.share] or 0) < CROWDED:
            return ""
        share, of = board.text(self.crowd.share, row), board.text(size, row)
        whose = f" ({named(group.name)})" if len(groups) > 1 else ""
        return (
            f"Of {of} {lowered(board.metrics[size].label)}{whose} {share} have month 0 in "
            f"{row[self.crowd.year]}, so that they may tell of that year, not of what is usual."
        )

    def _course(self, board: Board, groups: list[_Group]) -> str:
        """Where two curves differ, or when half of one are gone."""
        label = lowered(board.metrics[self.metric].label)
        if len(groups) == 1:
            return self._half(board, groups[0])
        found = []
        for both in combinations(groups, 2):
            for step in both[0].steps.keys() & both[1].steps.keys():
                low, high = sorted(both, key=lambda group: group.steps[step][self.metric])
                gap = high.steps[step][self.metric] - low.steps[step][self.metric]
                found.append((gap, step, high, low))
        # Of the comparisons of two groups only one per month is a new one, but that is on the
        # safe side.
        for _, step, high, low in sorted(found, key=lambda one: -one[0]):
            pair = [group.steps[step] for group in (high, low)]
            a, b = (estimate(board, row, self.metric, self.band) for row in pair)
            if a and b and apart(a, b, len(found)):
                more, less = (self._told(board, row) for row in pair)
                return (
                    f"After {many(step, 'month')} {named(high.name)} and {named(low.name)} surely "
                    f"differ: {more} and {less} ({label})."
                )
        return ""

    def _half(self, board: Board, group: _Group) -> str:
        """When half are gone, if the interval says so as well."""
        for step in sorted(group.steps):
            row = group.steps[step]
            one = estimate(board, row, self.metric, self.band)
            if one and one.high < 0.5:
                # Not "left": of users that would be those who are gone.
                told = self._told(board, row)
                half = "More than half" + (f" of {self._who(group)}" if self.series else "")
                if step == 1:
                    return f"{half} are gone within the first month: {told} remain."
                return f"{half} are gone after {many(step, 'month')}: {told} remain."
        return ""

    def _who(self, group: _Group) -> str:
        """A group in a sentence; what the specification calls it is no name of its own."""
        own = self.series is not None and str(group.value) in self.series.labels
        return lowered(group.name) if own else named(group.name)

    def _end(self, board: Board, group: _Group) -> str:
        """`2011 31.8% (25.0% to 38.9%) after 3 months`: curves end at different steps."""
        last = max(group.steps)
        return f"{group.name} {self._told(board, group.steps[last])} after {many(last, 'month')}"

    def _told(self, board: Board, row: Row) -> str:
        """`41.0% (36.2% to 45.9%)`."""
        form = board.metrics[self.metric].format
        return board.text(self.metric, row) + board.between(self.band, form, row)

    def draw(self, board: Board, contract: Contract, rows: list[Row], card: ChartView) -> ChartView:
        groups, every, short = self._groups(board, rows)
        steps = sorted({step for group in groups for step in group.steps})
        label = lowered(board.metrics[self.at_risk.metric].label)
        if not groups:
            least = f"{self.at_risk.least:,} {label}"
            return replace(card, empty=f"No group has {least} beyond its start.")
        hovers, body = [], []
        for step in steps:
            line = [f"{step:,}"]
            for group in groups:
                row = group.steps.get(step)
                risk = board.text(self.at_risk.metric, row) if row else ""
                line.append(f"{self._told(board, row)}, of {risk}" if row else "–")
            tips = {f"tip{i}": text for i, text in enumerate(line)}
            hovers.append({"t": step} | tips)
            body.append(line)
        head = [self.since.label, *(group.name for group in groups)]
        steps_told = "What is left is known at the points, and drawn in steps between them."
        said = [
            *([steps_told] if self.stepped else []),
            f"The bands are {self.band.words}s; in the tooltip, of how many ({label}).",
        ]
        if self.at_risk.few(rows, self.metric):
            said.append(f"A curve ends where {self._too_few} are left; the CSV goes on.")
        if short:
            are = "1 curve that ends" if short == 1 else f"{short} curves that end"
            said.append(f"Left out, being too short to be seen: {are} at the start.")
        if every > len(groups):
            said.append(f"These are the last {len(groups)} of {every}; the CSV has all.")
        parts = [self._end(board, group) for group in groups]
        ends = "at its end" if len(parts) == 1 else "at their ends"
        return replace(
            card,
            head=head,
            body=body,
            reading=said,
            summary=f"{many(len(parts), 'curve')}, {ends}: {'; '.join(parts)}.",
            vega=self._picture(groups, hovers, head, steps[-1], board),
            height=HEIGHT,
        )

    def _picture(
        self,
        groups: list[_Group],
        hovers: list[dict[str, Any]],
        titles: list[str],
        last: int,
        board: Board,
    ) -> dict[str, Any]:
        import altair as alt

        data = []
        for group, dash in zip(groups, lines.DASHES, strict=False):
            shared = {"key": group.key, "color": group.colour, "dash": dash, "aria": group.name}
            if min(group.steps) > 0:
                # Before the first month everybody is there.
                data.append(shared | {"t": 0, "value": 1.0, "low": 1.0, "high": 1.0})
            for step, row in sorted(group.steps.items()):
                value = row[self.metric]
                ends = [value if end is None else end for end in self.band.ends(row)]
                own = {"value": value, "low": ends[0], "high": ends[1]}
                data.append(shared | own | {"t": step, "last": step == max(group.steps)})
        # One of several, such as the year that is picked, has a name as well.
        tags = self._names(groups, last) if self.series else []
        room = lines.room_for(tags) if tags else 12
        x = alt.X(
            "t:Q",
            scale=alt.Scale(domain=[0, last], range=[0, lines.right(room)], nice=False),
            axis=lines.axis(
                title=self.since.label,
                tickMinStep=1,
                tickCount=min(last, 10),
                format="d",
                grid=False,
                labelOverlap=True,
            ),
        )
        form = board.metrics[self.metric].format
        whole = alt.Scale(domain=[0, 1], nice=False)
        axis = lines.value_axis(board.metrics[self.metric].label, form, 1.0)
        y = alt.Y("value:Q", scale=whole, axis=axis)
        base = alt.Chart(alt.Data(values=data)).encode(
            x=x, detail=alt.Detail("key:N"), color=alt.Color("color:N", scale=None)
        )
        shape: Literal["step-after", "linear"] = "step-after" if self.stepped else "linear"
        low, high = alt.Y("low:Q", scale=whole, axis=axis), alt.Y2("high:Q")
        # The band of a step ends where the next begins: that of the last point is a line.
        last_band = base.transform_filter("datum.last").mark_rule(
            opacity=0.35, strokeWidth=3, aria=False
        )
        layers = [
            base.mark_area(opacity=0.18, interpolate=shape, aria=False).encode(y=low, y2=high),
            *([last_band.encode(y=low, y2=high)] if self.stepped else []),
            base.mark_line(strokeWidth=2.2, interpolate=shape, point={"size": 22}).encode(
                y=y,
                strokeDash=alt.StrokeDash("dash:N", scale=None),
                description=alt.Description("aria:N"),
            ),
            *lines.named_ends(tags, {g.key: g.colour for g in groups}, room, y),
            lines.hover(alt.Chart(alt.Data(values=hovers)), titles, x, last, room),
        ]
        return vega.compiled(alt.layer(*layers), 460, HEIGHT)

    def _names(self, groups: list[_Group], last: int) -> list[lines.End]:
        """Where the names of curves stand: at their ends, beside the picture.

        Numbers and years stand in their own order where they would not stand at their ends anyway:
        of curves that end before the others, or too near to each other.
        """
        at = {group.key: group.steps[max(group.steps)][self.metric] for group in groups}
        # Beside them there may be a curve of all.
        if sum(_has_place(group.value) for group in groups) > 1:
            line = lines.LINE_HEIGHT / DRAWN_HEIGHT
            whole = [group.key for group in groups if max(group.steps) == last]
            short = [group.key for group in groups if group.key not in whole]
            near = any(b - a < line for a, b in pairwise(sorted(at[key] for key in whole)))
            for keys in (short, whole if near else []):
                at |= dict.fromkeys(keys, max((at[key] for key in keys), default=0.0))
        return lines.ends([(g.key, g.name, at[g.key]) for g in groups], (0.0, 1.0), DRAWN_HEIGHT)


def _has_place(value: object) -> bool:
    """Whether it is a number or a year, as a number, a day or a text."""
    return isinstance(value, int | date) or str(value).isdecimal()


@rule("CURVE_SHARE", "A curve shows which share is left, from all to none.")
def _share(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(Curve):
        for key, name in (
            ("metric", chart.metric),
            ("band", chart.band.low),
            ("band", chart.band.high),
            *((("crowd", chart.crowd.share),) if chart.crowd else ()),
        ):
            metric = look.board.metrics.get(name)
            if metric and metric.format != "percent":
                message = f"`{name}` is shown as `{metric.format}`; a curve runs from 100% to 0%."
                yield Found((*here, key), message, "Name a metric with `format: percent`.")
