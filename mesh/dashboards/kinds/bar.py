"""Horizontal bars: what slices would make alike, or several metrics side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mesh.contracts import Contract
from mesh.dashboards.drawing import lines, vega
from mesh.dashboards.drawing.palette import colour, colours, ink_on
from mesh.dashboards.drawing.view import ChartView, LegendEntry, Mark
from mesh.dashboards.kinds.base import Board, Row, SplitChart
from mesh.dashboards.kinds.cut import cut, no_number, nothing_but_zeros
from mesh.dashboards.kinds.seen import amount, estimate, extremes, lowered, named
from mesh.dashboards.parts import Distinct, MetricName

# So many bars stand close together.
MANY = 8


class Bar(SplitChart):
    """One bar per value, or one per value and metric."""

    in_looker: ClassVar[str] = "Bar chart, horizontal"

    kind: Literal["bar"]
    metrics: Annotated[list[MetricName], Field(min_length=1, max_length=3), Distinct]
    share: MetricName | None = Field(
        default=None,
        description="Stands beside the number at the end of a bar, where there is one metric.",
    )
    of: MetricName | None = Field(
        default=None,
        description="Of how many the number is a share, where there is one metric: `27% of 277`.",
    )

    most: Annotated[int, Field(ge=2, le=40)] | None = Field(
        default=None, description="How many values there are at most: the first in the order."
    )

    def settings(self, board: Board) -> list[tuple[str, str]]:
        beside = [name for name in (self.share, self.of) if name]
        told = [("Bars", f"{self.most}; no group Others")] if self.most else []
        return self.split_settings(board, self.metrics, beside, told)

    def counts(self, row: Row) -> bool:
        return row[self.dimension.field] is not None

    def seen(self, board: Board, rows: list[Row]) -> str:
        held = bool(self.without_number(rows))
        rows = [row for row in rows if self.shows(row)][: self.most]
        if len(self.metrics) > 1:
            return self._furthest(board, rows) if len(self.metrics) == 2 else ""
        (metric,) = self.metrics
        counted = board.metrics[metric].format == "count"
        if held and not counted:
            return ""
        judged = [(row, estimate(board, row, metric, of=self.of, part=self.share)) for row in rows]
        if not all(one for _, one in judged):
            # Of what tells nothing of how sure it is nobody knows whether it is the lowest.
            return ""
        return extremes(
            [(row, one) for row, one in judged if one],
            lambda row: (
                named(self.dimension.name(row[self.dimension.field])),
                amount(board, metric, row, self.of),
            ),
            # A count that is held back is small, or beside a small one the next.
            ("highest",) if held else ("highest", "lowest"),
        )

    def _furthest(self, board: Board, rows: list[Row]) -> str:
        """The row whose shares lie furthest apart, which is not said: it may be so by chance."""
        one, other = self.metrics
        if {board.metrics[name].format for name in self.metrics} != {"percent"}:
            return ""
        whole = [row for row in rows if None not in (row[one], row[other])]
        row = max(whole, key=lambda row: abs(row[one] - row[other]), default={})
        if len(whole) < 2 or row[one] == row[other]:
            return ""
        labels = [
            f"{lowered(board.metrics[name].label)} {board.text(name, row)}" for name in self.metrics
        ]
        name = named(self.dimension.name(row[self.dimension.field]))
        return f"{name}: {labels[0]}, {labels[1]}."

    def draw(self, board: Board, contract: Contract, rows: list[Row], card: ChartView) -> ChartView:
        several = len(self.metrics) > 1
        beside = [] if several else [name for name in (self.share, self.of) if name]
        held = self.without_number(rows)
        found = cut([row for row in rows if self.shows(row)], self.most)
        rows = found.shown
        if held and not any(row[name] for row in rows for name in self.metrics):
            return replace(card, empty=nothing_but_zeros(held))
        by, alike = self.sorted_by(board)
        labels = [board.metrics[name].label for name in self.metrics]
        fills = colours(labels, board.colours)
        drawn, body, names = [], [], []
        for index, row in enumerate(rows):
            name = self.dimension.name(row[self.dimension.field])
            names.append(name)
            line = [name]
            for metric_name, of_metric in zip(self.metrics, fills, strict=True):
                metric = board.metrics[metric_name]
                end = text = board.text(metric_name, row) or "–"
                facts = [(self.dimension.label, name), (metric.label, text)]
                line.append(text)
                for extra in beside:
                    told = board.text(extra, row)
                    facts.append((board.metrics[extra].label, told))
                    end += f" of {told}" if extra == self.of else f"  ({told})"
                    line.append(told)
                fill = of_metric if several else colour(name, board.colours)
                key = metric_name if several else f"bar-{index}"
                value = row[metric_name] or 0.0
                drawn.append(Mark(key, name, value, fill, ink_on(fill), [end], facts, metric.label))
            body.append(line)
        legend = [
            LegendEntry(name, label, fill, [])
            for name, label, fill in zip(self.metrics, labels, fills, strict=True)
        ]
        step = 58 if several else 52 if len(rows) <= MANY else 25
        height = len(rows) * step + 16
        return replace(
            card,
            legend=legend if several else [],
            head=[self.dimension.label, *labels, *(board.metrics[name].label for name in beside)],
            body=body,
            reading=[*found.told(lambda row: row[by], alike), *no_number(held)],
            summary=vega.summary("bar chart", drawn),
            vega=_bars(drawn, names=names, series=labels, height=height),
            height=height,
        )


def _bars(drawn: list[Mark], *, names: list[str], series: list[str], height: int) -> dict[str, Any]:
    """Horizontal bars, one per name, or one per name and series; the number stands at the end."""
    import altair as alt

    focus, seen = vega.focus()
    rows = vega.rows(drawn)
    for row, mark in zip(rows, drawn, strict=True):
        row["series"] = mark.series
        row["end"] = mark.label[0] if mark.label else ""
        # What is below 0 goes to the left, and has its number on the right of 0 as well.
        row["at"] = max(mark.value, 0)
    # Numbers are as wide on a phone as on a desk: bars end where the longest has room beside them.
    room = 12 + 7 * max(len(row["end"]) for row in rows)
    longest = {"expr": f"max(12, width - {room})"}
    y = alt.Y(
        "name:N",
        sort=names,
        title=None,
        axis=lines.name_axis(labelFontSize=13, labelPadding=10, labelLimit=125),
        scale=alt.Scale(paddingInner=0.36, paddingOuter=0.12),
    )
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=y,
        x=alt.X(
            "value:Q",
            title=None,
            # Where all bars are 0 they begin at the left nevertheless.
            scale=alt.Scale(
                domainMin=min(*(mark.value for mark in drawn), 0),
                domainMax=max(*(mark.value for mark in drawn), 0) or 1,
                nice=False,
                range=[0, longest],
            ),
            axis=alt.Axis(labels=False, ticks=False, domain=False, grid=False),
        ),
    )
    if len(series) > 1:
        base = base.encode(yOffset=alt.YOffset("series:N", sort=series))
    bars = base.mark_bar(cornerRadiusEnd=4).encode(
        color=alt.Color("color:N", scale=None),
        opacity=seen,
        tooltip=vega.tooltip(drawn),
        description=alt.Description("aria:N"),
    )
    ends = base.mark_text(align="left", dx=7, fontSize=12, fontWeight=600, aria=False).encode(
        x=alt.X("at:Q", title=None), text=alt.Text("end:N"), color=alt.ColorValue("@ink")
    )
    return vega.compiled(alt.layer(bars, ends).add_params(focus), 460, height)
