"""Heat maps of cohorts: a row per cohort, a column per month since, the more the stronger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from math import ceil, floor, log10
from statistics import median_low
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mesh.contracts import Contract
from mesh.dashboards.drawing import lines, vega
from mesh.dashboards.drawing.formats import number, percent
from mesh.dashboards.drawing.view import ChartView, LegendEntry
from mesh.dashboards.kinds.base import Board, Chart, Found, Look, Row, rule
from mesh.dashboards.kinds.seen import lowered
from mesh.dashboards.parts import Dimension, MetricName, Since
from mesh.deliveries import months_after
from mesh.words import many

HELD_BACK = "–"
CELL = 20
# From so many cohorts on the middle one says something of all.
FEW = 5


class HeatMap(Chart):
    """Cohorts over the months since they began."""

    in_looker: ClassVar[str] = "Pivot table with heatmap"

    kind: Literal["heat_map"]
    cohort: Dimension = Field(description="The month in which each cohort began, or its name.")
    since: Since
    metric: MetricName
    support: MetricName = Field(description="How many are in the cohort, for the tooltip.")
    most: Annotated[int, Field(ge=2, le=60)] = Field(
        default=24, description="How many cohorts are drawn: the newest."
    )
    months: Annotated[int, Field(ge=2, le=60)] = Field(
        default=24, description="Up to how many months since are drawn."
    )

    def settings(self, board: Board) -> list[tuple[str, str]]:
        return [
            ("Row dimension", f"`{self.cohort.field}`"),
            ("Column dimension", f"`{self.since.field}`"),
            ("Metric", board.metrics[self.metric].in_looker),
            ("Sort rows", f"`{self.cohort.field}`, descending, {self.most} rows"),
            ("Sort columns", f"`{self.since.field}`, ascending, {self.months + 1} columns"),
            ("Missing data", f"show “{HELD_BACK}”"),
            ("Optional metric", board.metrics[self.support].in_looker),
        ]

    def shows(self, row: Row) -> bool:
        # What is held back has a cell too.
        return row[self.cohort.field] is not None and row[self.since.field] is not None

    def _name(self, cohort: Any) -> str:
        return lines.called(cohort) if isinstance(cohort, date) else self.cohort.name(cohort)

    def _cells(self, board: Board, rows: list[Row]) -> dict[tuple[Any, int], Row | None]:
        """The cells of the cohorts that are drawn, by cohort and month; None for what is held back
        though its month is over. What is not over yet is not among them."""
        as_of = rows[0][board.sources[self.source].as_of]
        by_place = {(row[self.cohort.field], row[self.since.field]): row for row in rows}
        cohorts = sorted({cohort for cohort, _ in by_place})[-self.most :]
        columns = sorted({since for _, since in by_place if 0 <= since <= self.months})
        found: dict[tuple[Any, int], Row | None] = {}
        for cohort in cohorts:
            for since in columns:
                row = by_place.get((cohort, since))
                over = bool(row)
                if isinstance(cohort, date):
                    over = lines.is_over(months_after(cohort, since), as_of)
                if row and row[self.metric] is not None:
                    found[cohort, since] = row
                elif over:
                    found[cohort, since] = None
        return found

    def _short(self, board: Board, row: Row, text: str) -> str:
        """A number that fits into a cell: what is all but nothing, or all, stays that."""
        if board.metrics[self.metric].format != "percent" or text[0] in "<>":
            return text
        return percent(row[self.metric], 0)

    def seen(self, board: Board, rows: list[Row]) -> str:
        """How the middle cohort does, among those that can be seen at both ends."""
        if board.metrics[self.metric].format != "percent":
            return ""
        cells = self._cells(board, rows)
        whole: dict[int, dict[Any, float]] = {}
        for since in sorted({since for _, since in cells if since > 0}):
            column = {cohort: row for (cohort, place), row in cells.items() if place == since}
            # Who is held back may be many or few: then the middle is not known.
            if all(column.values()):
                whole[since] = {c: row[self.metric] for c, row in column.items() if row}
        if not whole:
            return ""
        first = min(whole)
        last = max(
            (s for s in whole if len(whole[s].keys() & whole[first].keys()) >= FEW), default=0
        )
        if last <= first:
            return ""
        both = whole[first].keys() & whole[last].keys()
        form = board.metrics[self.metric].format
        early, late = (
            number(median_low(whole[since][cohort] for cohort in both), form)
            for since in (first, last)
        )
        label = lowered(board.metrics[self.metric].label)
        return (
            f"In the middle one of {len(both)} cohorts: {early} after "
            f"{many(first, 'month')}, {late} after {last} ({label})."
        )

    def draw(self, board: Board, contract: Contract, rows: list[Row], card: ChartView) -> ChartView:
        cells = self._cells(board, rows)
        values = [row[self.metric] for row in cells.values() if row]
        # One column of months is a list of the cohorts, and says nothing of what came after.
        if not values or len({since for _, since in cells}) < 2:
            return replace(card, empty=board.held_back or "")
        form = board.metrics[self.metric].format
        # At the beginning all are there: that would leave no colour for what comes after.
        later = [row[self.metric] for (_, since), row in cells.items() if row and since > 0]
        step = _step(max(later or values))
        cohorts = sorted({cohort for cohort, _ in cells})
        columns = sorted({since for _, since in cells})
        drawn = []
        label, of = (board.metrics[name].label for name in (self.metric, self.support))
        for (cohort, since), row in cells.items():
            text = board.text(self.metric, row) if row else "held back: too few"
            index = _class(row[self.metric], step) if row else None
            size = board.text(self.support, row) if row else ""
            # Of what is held back there is no step: -1.
            drawn.append(
                {"y": self._name(cohort), "x": since, "c": -1 if index is None else index}
                | {"n": self._short(board, row, text) if row else HELD_BACK, "v": text, "u": size}
            )
        body = []
        for cohort in cohorts[::-1]:
            line = [self._name(cohort)]
            for since in columns:
                known = (cohort, since) in cells
                row = cells.get((cohort, since))
                line.append(board.text(self.metric, row) if row else HELD_BACK if known else "")
            body.append(line)
        names = [self._name(cohort) for cohort in cohorts[::-1]]
        height = len(cohorts) * CELL + 46
        every = len({row[self.cohort.field] for row in rows})
        said = [f"{HELD_BACK} is held back, too few; a blank is not over yet."]
        if every > len(cohorts):
            said.append(f"These are the newest {len(cohorts)} of {every} cohorts; the CSV has all.")
        if max(row[self.since.field] for row in rows) > self.months:
            said.append(f"The columns end after {self.months} months; the CSV goes on.")
        seen = {f"step{one['c']}" for one in drawn}
        return replace(
            card,
            legend=[one for one in _legend(step, form) if one.key in seen],
            head=[self.cohort.label, *(str(since) for since in columns)],
            body=body,
            reading=said,
            summary=f"Heat map of {len(cohorts)} cohorts over {len(columns)} months: {label}.",
            vega=_picture(
                drawn, names, columns, [self.cohort.label, self.since.label, label, of], height
            ),
            height=height,
        )


def _step(most: float) -> float:
    """How wide the steps of the colours are: a round number, the strongest holds the most."""
    if most <= 0:
        return 1.0
    wide = most / (vega.STEPS - 1)
    power = 10.0 ** floor(log10(wide))
    return next(power * part for part in (1, 2, 2.5, 5, 10) if power * part >= wide * 0.9999)


def _class(value: float, step: float) -> int:
    """The step of a value; 0 has a step of its own."""
    return min(vega.STEPS - 1, max(0, ceil(value / step - 1e-9)))


def _legend(step: float, form: Any) -> list[LegendEntry]:
    last = vega.STEPS - 1
    texts = ["0"]
    for i in range(1, last + 1):
        low, high = number(step * (i - 1), form), number(step * i, form)
        texts.append(f"more than {low}" if i == last else f"up to {high}")
    return [LegendEntry(f"step{i}", text, f"var(--step{i})", []) for i, text in enumerate(texts)]


def _picture(
    drawn: list[dict[str, Any]],
    names: list[str],
    columns: list[int],
    titles: list[str],
    height: int,
) -> dict[str, Any]:
    import altair as alt

    steps = range(vega.STEPS)
    kinds = [-1, *steps]
    fills = alt.Scale(domain=kinds, range=["transparent", *(f"@step{i}" for i in steps)])
    edges = alt.Scale(domain=kinds, range=["@line", *("@card" for _ in steps)])
    inks = alt.Scale(domain=kinds, range=["@soft", *(f"@on{i}" for i in steps)])
    tight = alt.Scale(paddingInner=0, paddingOuter=0)
    side: dict[str, Any] = {"domain": False, "ticks": False}
    base = alt.Chart(alt.Data(values=drawn)).encode(
        x=alt.X(
            "x:O",
            sort=columns,
            scale=tight,
            axis=lines.axis(title=titles[1], labelAngle=0, labelOverlap=True, **side),
        ),
        y=alt.Y(
            "y:N", sort=names, scale=tight, axis=lines.axis(title=None, labelColor="@ink", **side)
        ),
    )
    tips = [
        alt.Tooltip(f"{name}:N", title=title) for name, title in zip("yxvu", titles, strict=True)
    ]
    rects = (
        base.transform_calculate(aria="datum.y + ', ' + datum.x + ': ' + datum.v")
        .mark_rect(strokeWidth=1)
        .encode(
            color=alt.Color("c:O", scale=fills, legend=None),
            stroke=alt.Stroke("c:O", scale=edges, legend=None),
            tooltip=tips,
            description=alt.Description("aria:N"),
        )
    )
    # Numbers where a cell is wide enough for them; what is held back is always marked.
    wide = f"datum.c < 0 || width / {len(columns)} > 34"
    texts = base.mark_text(fontSize=10, baseline="middle", aria=False).encode(
        text=alt.Text("n:N"),
        color=alt.Color("c:O", scale=inks, legend=None),
        opacity=alt.condition(wide, alt.value(1), alt.value(0)),
    )
    layers = alt.layer(rects, texts).resolve_scale(color="independent", stroke="independent")
    return vega.compiled(layers, 460, height)


@rule("HEAT_MAP_COHORT", "A heat map has cohorts on one side and months on the other.")
def _cohort(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(HeatMap):
        if chart.cohort.field == chart.since.field:
            message = f"`{chart.since.field}` stands on both sides."
            yield Found((*here, "cohort"), message, "Name the column of the cohort.")
