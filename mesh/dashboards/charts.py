"""Pies, donuts and bars as Vega specifications, drawn with Altair.

Colours that depend on light and dark are names with an `@`, such as `@ink`: the page puts the
theme's colour in their place.
"""

from __future__ import annotations

import json
import math
from typing import Any

from mesh.dashboards.view import Mark

PIE_RADIUS = 150
# The smallest radius that a pie has beside its legend: labels must fit there.
LABELLED_RADIUS = 128
FONT = "Inter, system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
THEMES = {
    "light": {"@ink": "#14181F", "@soft": "#5A6472", "@line": "#E3E7EC", "@card": "#FFFFFF"},
    "dark": {"@ink": "#E9EDF3", "@soft": "#9AA5B4", "@line": "#2A323D", "@card": "#181E26"},
}


def themed(vega: dict[str, Any], theme: str) -> dict[str, Any]:
    """A specification with the colours of a theme, for pictures."""
    text = json.dumps(vega)
    for name, value in THEMES[theme].items():
        text = text.replace(f'"{name}"', f'"{value}"')
    return json.loads(text)


def _compiled(chart: Any) -> dict[str, Any]:
    import vl_convert

    chart = chart.configure(font=FONT, background="transparent").configure_view(stroke=None)
    return vl_convert.vegalite_to_vega(chart.to_dict())


def _rows(marks: list[Mark]) -> list[dict[str, Any]]:
    rows = []
    for order, mark in enumerate(marks):
        row: dict[str, Any] = {
            "key": mark.key,
            "name": mark.name,
            "value": mark.value,
            "order": order,
            "color": mark.colour,
            "ink": mark.ink,
            "label": mark.label,
            "aria": mark.aria,
        }
        row |= {f"tip{i}": text for i, (_, text) in enumerate(mark.facts)}
        rows.append(row)
    return rows


def _tooltip(marks: list[Mark]) -> list[Any]:
    import altair as alt

    return [alt.Tooltip(f"tip{i}:N", title=title) for i, (title, _) in enumerate(marks[0].facts)]


def _focus() -> tuple[Any, Any]:
    """The mark whose key is in `focus` stands out; the page sets it from the legend."""
    import altair as alt

    focus = alt.param(name="focus", value="")
    seen = alt.condition(
        "focus == '' || datum.key == focus", alt.value(1), alt.value(0.28), empty=False
    )
    return focus, seen


def pie(marks: list[Mark], *, hole: bool, centre: tuple[str, str] | None) -> dict[str, Any]:
    """A pie, or a donut with a number in its hole; labels stand inside the slices."""
    import altair as alt

    focus, seen = _focus()
    radius = "min(width, height) / 2"
    rows, total, before = _rows(marks), sum(mark.value for mark in marks) or 1, 0.0
    for row in rows:
        angle = 2 * math.pi * (before + row["value"] / 2) / total
        row["place"] = 0.8 if hole else round(label_place(angle), 3)
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
        tooltip=_tooltip(marks),
        description=alt.Description("aria:N"),
    )
    labels = base.mark_text(
        radius=alt.expr(f"{radius} * datum.place"),
        fontSize=11,
        lineHeight=14,
        fontWeight=600,
        baseline="middle",
        aria=False,
    ).encode(text="label:N", color=alt.Color("ink:N", scale=None), opacity=seen)
    layers = [arcs, labels]
    if centre:
        nothing = alt.Chart(alt.Data(values=[{}]))
        big = {"fontSize": 26, "fontWeight": 700, "color": "@ink", "dy": -6, "aria": False}
        small = {"fontSize": 12, "color": "@soft", "dy": 16, "aria": False}
        layers += [
            nothing.mark_text(text=centre[0], **big),
            nothing.mark_text(text=centre[1], **small),
        ]
    size = 230 if hole else 2 * PIE_RADIUS
    return _compiled(_sized(alt.layer(*layers).add_params(focus), size, size))


def slice_label(
    name: str, count: str, share: str, *, start: float, part: float, hole: bool
) -> list[str]:
    """What fits inside a slice: name and number, number, or nothing.

    start, part: where the slice begins and how long it is, as parts of the whole circle.
    """
    if hole:
        return [share] if part >= 0.06 else []
    angle = 2 * math.pi * (start + part / 2)
    along, across = abs(math.cos(angle)), abs(math.sin(angle))
    place = label_place(angle)
    room = 2 * math.pi * place * LABELLED_RADIUS * part
    for lines in ([name, count], [count]):
        width, height = 6.1 * max(map(len, lines)), 14 * len(lines)
        outside = place * LABELLED_RADIUS + (across * width + along * height) / 2
        if room >= along * width + across * height and outside <= LABELLED_RADIUS:
            return lines
    return []


def label_place(angle: float) -> float:
    """How far out a label stands, as a part of the radius: further where its width is the arc's.

    angle: in radians, from twelve o'clock.
    """
    return 0.66 + 0.13 * abs(math.cos(angle))


def bars(marks: list[Mark], *, names: list[str], series: list[str], height: int) -> dict[str, Any]:
    """Horizontal bars, one per name, or one per name and series; the number stands at the end."""
    import altair as alt

    focus, seen = _focus()
    rows = _rows(marks)
    for row, mark in zip(rows, marks, strict=True):
        row["series"] = mark.series
        row["end"] = mark.label[0] if mark.label else ""
    # Numbers are as wide on a phone as on a desk: bars end where the longest has room beside them.
    room = 12 + 7 * max(len(row["end"]) for row in rows)
    longest = {"expr": f"max(12, width - {room})"}
    y = alt.Y(
        "name:N",
        sort=names,
        title=None,
        axis=alt.Axis(
            labelColor="@ink",
            labelFontSize=13,
            labelPadding=10,
            labelLimit=150,
            ticks=False,
            domain=False,
        ),
        scale=alt.Scale(paddingInner=0.36, paddingOuter=0.12),
    )
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=y,
        x=alt.X(
            "value:Q",
            title=None,
            scale=alt.Scale(domainMin=0, nice=False, range=[0, longest]),
            axis=alt.Axis(labels=False, ticks=False, domain=False, grid=False),
        ),
    )
    if len(series) > 1:
        base = base.encode(yOffset=alt.YOffset("series:N", sort=series))
    drawn = base.mark_bar(cornerRadiusEnd=4).encode(
        color=alt.Color("color:N", scale=None),
        opacity=seen,
        tooltip=_tooltip(marks),
        description=alt.Description("aria:N"),
    )
    ends = base.mark_text(align="left", dx=7, fontSize=12, fontWeight=600, aria=False).encode(
        text="end:N", color=alt.value("@ink")
    )
    return _compiled(_sized(alt.layer(drawn, ends).add_params(focus), 460, height))


def _sized(chart: Any, width: int, height: int) -> Any:
    import altair as alt

    return chart.properties(
        width=width, height=height, autosize=alt.AutoSizeParams(type="fit", contains="padding")
    )
