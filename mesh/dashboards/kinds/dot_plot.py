"""Dots with the interval that each lies in, beside a line to compare them with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mesh.contracts import Contract
from mesh.dashboards.drawing import lines, vega
from mesh.dashboards.drawing.evidence import NOTHING, apart, by_chance
from mesh.dashboards.drawing.formats import unlike
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.kinds.base import Board, Found, Look, Row, SplitChart, rule
from mesh.dashboards.kinds.cut import cut
from mesh.dashboards.kinds.dots import Dot, Reference, Verdict, missing_values
from mesh.dashboards.kinds.seen import leader, lowered, named
from mesh.dashboards.parts import Interval, Metric, MetricName, Support
from mesh.words import joined

STEP = 26
# So many dots are called by their names.
MOST_NAMED = 3


class DotPlot(SplitChart):
    """A dot and its interval for each value of a column."""

    in_looker: ClassVar[str] = "Candlestick chart, or a table where there is none"

    kind: Literal["dot_plot"]
    metric: MetricName
    interval: Interval
    reference: Reference
    support: Support
    verdict: Verdict | None = Field(
        default=None,
        description="Without it a dot is clear of the reference where its interval is.",
    )
    most: Annotated[int, Field(ge=2, le=60)] = Field(
        default=20, description="How many dots there are at most: the first in the order."
    )
    both_ends: bool = Field(
        default=False, description="Of too many show the first half and the last half."
    )

    incomplete: bool = Field(
        default=False,
        description="Whether values are missing that the product may not tell of: then none of "
        "those that are there is called the furthest.",
    )

    def settings(self, board: Board) -> list[tuple[str, str]]:
        told = [
            ("Open and close", board.metrics[self.metric].in_looker),
            ("Low", board.metrics[self.interval.low].in_looker),
            ("High", board.metrics[self.interval.high].in_looker),
            *self._line_in_looker(),
            board.minimum(self.support),
            ("Rows", self._rows_in_looker()),
        ]
        if not self.verdict:
            chance = f"{by_chance(100, self.interval.level)} of 100 intervals leave out the line"
            told.append(("To say beside it", f"by chance alone {chance}"))
        return self.split_settings(board, [self.metric], [self.support.metric], told)

    def _line_in_looker(self) -> list[tuple[str, str]]:
        value, field = self.reference.of, self.dimension.field
        labelled = f"labelled “{self.reference.label}”"
        if value is None:
            return [("Reference line", f"{self.reference.value:g}, {labelled}")]
        how = (
            f"a constant value, {labelled}: read it off a scorecard of the metric with the filter "
        )
        how += f"Include `{field}` Equal to `{value}`, and set it anew when newer data come"
        return [
            ("Reference line", how),
            ("Filter of the dots", f"Exclude `{field}` Equal to `{value}`, which is the line"),
        ]

    def _rows_in_looker(self) -> str:
        if not self.both_ends:
            return str(self.most)
        last, way = self.most // 2, self.sort.order
        other = "descending" if way == "ascending" else "ascending"
        return (
            f"two charts: one sorted {way} with {self.most - last} rows, one sorted {other} with "
            f"{last}; a single one where there are no more than {self.most} in all"
        )

    def shows(self, row: Row) -> bool:
        # What has no number is counted too: it tells how many would be needed.
        return True

    def _reference(self, rows: list[Row]) -> float | None:
        if self.reference.of is None:
            return self.reference.value
        own = [row for row in rows if str(row[self.dimension.field]) == self.reference.of]
        return own[0][self.metric] if own else None

    def _dots(self, board: Board, rows: list[Row]) -> list[Dot]:
        """The dots that rest on enough, in order, without that of the reference."""
        line, found = self._reference(rows), []
        for row in self._compared(rows):
            if not self.support.met(row) or row[self.metric] is None:
                continue
            low, high = self.interval.ends(row)
            clear = False
            if self.verdict:
                clear = row[self.verdict.field] in self.verdict.clear
            elif line is not None and low is not None and high is not None:
                clear = low > line or high < line
            name = self.dimension.name(row[self.dimension.field])
            found.append(Dot(name, row, row[self.metric], low, high, clear))
        return found

    def unseen(
        self,
        rows: Sequence[Row],
        every: Sequence[Row],
        picked: Mapping[str, tuple[Any, Collection[Any]]],
    ) -> list[Row]:
        """Where values are withheld it is told of how many the ones that are shown are."""
        if not (self.incomplete and rows):
            return []
        field, numbers = self.dimension.field, dict.fromkeys(self.metric_names)
        missing = missing_values(field, rows, every, picked)
        return [{**rows[0], **numbers, field: value} for value in missing]

    def _compared(self, rows: list[Row]) -> list[Row]:
        """All rows but that of the reference."""
        return [row for row in rows if str(row[self.dimension.field]) != self.reference.of]

    def seen(self, board: Board, rows: list[Row]) -> str:
        line, dots = self._reference(rows), self._dots(board, rows)
        if line is None or not dots:
            return ""
        clear = [dot for dot in dots if dot.clear]
        if not clear:
            return self._none(dots)
        distances = [(dot, dot.distance(line, self.interval.level)) for dot in clear]
        many = len(clear) > by_chance(len(dots), self.interval.level)
        if not (self.verdict or self._sure(line, dots) or many):
            return ""
        where, chance = f"“{named(self.reference.label)}”", self._chance(line, dots)
        known = [] if self.incomplete else [(dot, away) for dot, away in distances if away]
        furthest = leader(
            known if len(known) == len(clear) > 1 else [],
            f"furthest from {where}" if self._only_clear else "furthest",
            lambda dot: (named(dot.name), self._told(board, dot, line)),
        )
        if self._only_clear:
            # That all of them are clear is how they were chosen, and no finding.
            return f"{furthest[0].upper()}{furthest[1:]}." if furthest else ""
        said = self._sides(board, clear, len(dots), line, where, sure=not chance)
        if self.incomplete:
            said = f"{self._of_how_many(rows, len(dots))} {said}; others may be further"
        return "; ".join(part for part in (said, chance, furthest) if part) + "."

    def _none(self, dots: list[Dot]) -> str:
        """That nothing is found is a finding too, where it was looked for in more than one."""
        unknown = any(dot.low is None or dot.high is None for dot in dots)
        if self.incomplete or self._only_clear or unknown or len(dots) == 1:
            return ""
        return f"None of the {len(dots)} surely differs from “{named(self.reference.label)}”."

    def _of_how_many(self, rows: list[Row], count: int) -> str:
        """How many can be shown, and of how many if that is known."""
        every = len(self._compared(rows))
        if every > count:
            return f"{'Only 1' if count == 1 else count} of {every} can be shown:"
        return f"Of the {count} that can be shown," if count > 1 else "Only one can be shown:"

    @property
    def _only_clear(self) -> bool:
        """Whether the chart has no other rows than those that surely differ."""
        return self.verdict is not None and any(
            one.field == self.verdict.field and set(one.values) <= set(self.verdict.clear)
            for one in self.filters
        )

    def _sides(
        self, board: Board, clear: list[Dot], count: int, line: float, where: str, sure: bool
    ) -> str:
        """Which dots are above the line and which below, or how many where that would be long."""
        surely = "surely " if sure else ""
        sides = [
            ([dot for dot in clear if (dot.value > line) == above], "above" if above else "below")
            for above in (True, False)
        ]
        said: list[str] = []
        for dots, side in sides:
            names = [named(dot.name) for dot in dots]
            if len(clear) > MOST_NAMED:
                # Where values are withheld it is said before of how many.
                of_all = "" if self.incomplete else f" of {count}"
                names = [f"{len(dots)}{of_all}"] if dots else []
            elif len(clear) == 1 and dots:
                names = [f"{names[0]} with {self._told(board, dots[0], line)}"]
            be = f"{'is' if len(dots) == 1 else 'are'} {surely}" if dots else ""
            # Of the second it is understood of what.
            of = f" {where}" if not said else ""
            said += [f"{joined(names)} {be}{side}{of}"] if dots else []
        return ", ".join(said)

    def _chance(self, line: float, dots: list[Dot]) -> str:
        """How many of so many intervals are clear by chance, where the product did not allow for
        comparing many, and not all are clear of the line when that is allowed for."""
        clear = [dot for dot in dots if dot.clear]
        if self.verdict or len(dots) < 2 or len(self._sure(line, dots)) == len(clear):
            return ""
        most = by_chance(len(dots), self.interval.level)
        return f"by chance alone {'one' if most == 1 else most} of {len(dots)} may seem so"

    def _sure(self, line: float, dots: list[Dot]) -> list[Dot]:
        """Those that are clear of the line, also when it is allowed for that many are compared."""
        away = [(dot, dot.distance(line, self.interval.level)) for dot in dots if dot.clear]
        return [dot for dot, one in away if one and apart(one, NOTHING, len(dots))]

    def _told(self, board: Board, dot: Dot, line: float | None) -> str:
        text, *ends = self._texts(board, dot, line)
        return f"{text} ({' to '.join(ends)})" if len(ends) == 2 else text

    def _texts(self, board: Board, dot: Dot, line: float | None) -> list[str]:
        """The value and the interval's ends: what is clear of the line does not read like it."""
        form, beside = board.metrics[self.metric].format, line if dot.clear else None
        return [
            unlike(value, beside, form, 2 if form == "decimal" else None)
            for value in (dot.value, dot.low, dot.high)
            if value is not None
        ]

    def draw(self, board: Board, contract: Contract, rows: list[Row], card: ChartView) -> ChartView:
        line, every = self._reference(rows), self._dots(board, rows)
        found = cut(every, self.most, self.both_ends)
        dots = found.shown
        support = board.metrics[self.support.metric].label
        if not dots:
            least = f"{self.support.least:,} {lowered(support)}"
            most = max((row[self.support.metric] or 0) for row in rows)
            enough = most >= self.support.least
            told = board.metrics[self.support.metric].text(most)
            few = f"None rests on {least} or more" + (f": the most is {told}." if most else ".")
            why = (board.held_back or "") if enough else few
            return replace(card, empty=why)
        metric = board.metrics[self.metric]
        by, alike = self.sorted_by(board)
        drawn, body = [], []
        for dot in dots:
            told, of = self._told(board, dot, line), board.text(self.support.metric, dot.row)
            verdict = "clear" if dot.clear else "not clear"
            drawn.append(
                {
                    "name": dot.name,
                    "value": dot.value,
                    "low": dot.value if dot.low is None else dot.low,
                    "high": dot.value if dot.high is None else dot.high,
                    "color": "@accent" if dot.clear else "@soft",
                    "fill": "@accent" if dot.clear else "@card",
                    "end": self._texts(board, dot, line)[0],
                    "aria": f"{dot.name}: {told}, {verdict}, {support} {of}",
                    "tip0": dot.name,
                    "tip1": told,
                    "tip2": of,
                }
            )
            body.append([dot.name, told, of, verdict])
        spoken = [str(one["aria"]) for one in drawn]
        titles = [self.dimension.label, f"{metric.label} ({self.interval.level}%)", support]
        height = len(dots) * STEP + 62
        return replace(
            card,
            head=[*titles, f"Against {self.reference.label}"],
            body=body,
            reading=[
                *self._reading(line, every),
                *self._missing(rows, lowered(support)),
                *found.told(lambda dot: dot.row[by], alike),
            ],
            summary=f"Dot plot with {len(dots)} dots: {'; '.join(spoken)}.",
            vega=self._picture(drawn, line, titles, metric, height),
            height=height,
        )

    def _reading(self, line: float | None, every: list[Dot]) -> list[str]:
        said = [f"The lines are {self.interval.words}s."]
        if line is not None:
            differ = "differs for sure, of all that were compared"
            if not self.verdict:
                differ = f"has its whole interval on one side of “{self.reference.label}”"
            if not self._only_clear:
                said.append(f"A full dot {differ}; a hollow one may not differ at all.")
            if chance := self._chance(line, every):
                said.append(f"{chance.capitalize()}.")
        return said

    def _missing(self, rows: list[Row], support: str) -> list[str]:
        """What has no dot: left out here, or withheld by the product, so that no file has it."""
        every = self._compared(rows)
        few = self.support.few(every, self.metric)
        said = self.support.left_out("What", support, few, f"{len(every):,}")
        none = sum(row[self.metric] is None for row in every)
        if none and self.incomplete:
            be, they = ("is", "it") if none == 1 else ("are", "they")
            why = f"since {they} would tell of too few users or of none; {they} may be further"
            said.append(f"{none:,} of {len(every):,} {be} missing, also in the CSV, {why}.")
        elif none:
            have = "has" if none == 1 else "have"
            said.append(f"{none:,} of {len(every):,} {have} no number, here or in the CSV.")
        elif self.incomplete:
            missing = "Others may be missing, also in the CSV"
            said.append(f"{missing}, that would tell of too few users; they may be further.")
        return said

    def _picture(
        self,
        drawn: list[dict[str, Any]],
        line: float | None,
        titles: list[str],
        metric: Metric,
        height: int,
    ) -> dict[str, Any]:
        import altair as alt

        values = [one[end] for one in drawn for end in ("low", "high", "value")]
        values += [line] if line is not None else []
        low, high = min(values), max(values)
        margin = (high - low) * 0.05 or 0.5
        room = 10 + round(lines.LETTER * max(len(one["end"]) for one in drawn))
        x = alt.X(
            "value:Q",
            scale=alt.Scale(
                domain=[low - margin, high + margin],
                range=[0, lines.right(room)],
                nice=False,
                zero=False,
            ),
            axis=lines.number_axis(metric.label, metric.format, high, tickCount=4),
        )
        y = alt.Y(
            "name:N",
            sort=[one["name"] for one in drawn],
            title=None,
            axis=lines.name_axis(labelFontSize=11.5, labelPadding=8, labelLimit=142),
        )
        base = alt.Chart(alt.Data(values=drawn)).encode(y=y)
        tips = [alt.Tooltip(f"tip{i}:N", title=text) for i, text in enumerate(titles)]
        layers = []
        if line is not None:
            data = alt.Data(values=[{"value": line, "label": self.reference.label}])
            at = alt.Chart(data).encode(x=x)
            text: dict[str, Any] = {"fontSize": 11, "color": "@ink", "aria": False}
            layers = [
                at.mark_rule(color="@ink", strokeDash=[4, 3], strokeWidth=1.2, aria=False),
                at.mark_text(dy=-8, baseline="bottom", **text).encode(
                    y=alt.YValue(0), text=alt.Text("label:N")
                ),
            ]
        layers += [
            base.mark_rule(strokeWidth=2, aria=False).encode(
                x=alt.X("low:Q"), x2=alt.X2("high:Q"), color=alt.Color("color:N", scale=None)
            ),
            base.mark_point(size=62, strokeWidth=1.8, opacity=1).encode(
                x=x,
                stroke=alt.Stroke("color:N", scale=None),
                fill=alt.Fill("fill:N", scale=None),
                tooltip=tips,
                description=alt.Description("aria:N"),
            ),
            base.mark_text(align="left", baseline="middle", fontSize=11, aria=False).encode(
                x=alt.XValue({"expr": f"{lines.right(room)['expr']} + 8"}),
                text=alt.Text("end:N"),
                color=alt.ColorValue("@ink"),
            ),
        ]
        return vega.compiled(alt.layer(*layers), 460, height)


@rule("REFERENCE", "Dots are compared with a number, or with the row of one value.")
def _reference(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(DotPlot):
        one = chart.reference
        if (one.value is None) == (one.of is None):
            message = "The reference is neither a number nor a value, or both."
            yield Found((*here, "reference"), message, "Write either `value` or `of`.")
        column = look.column(chart.source, chart.dimension.field)
        known = [str(allowed.value) for allowed in column.enum] if column else []
        if one.of is not None and known and one.of not in known:
            message = f"`{chart.dimension.field}` is never `{one.of}`."
            yield Found((*here, "reference"), message, f"It is one of: {', '.join(known)}.")
