"""What all kinds of drawn charts share: marks as data, tooltips, a focus, Vega from Altair.

Colours that depend on light and dark are names with an `@`, such as `@ink`: the page puts the
theme's colour in their place.
"""

from __future__ import annotations

import json
from typing import Any

from mesh.dashboards.drawing.view import Mark

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


def rows(marks: list[Mark]) -> list[dict[str, Any]]:
    """The data of a chart: one row per mark."""
    data = []
    for order, mark in enumerate(marks):
        row: dict[str, Any] = {
            "key": mark.key,
            "name": mark.name,
            "value": mark.value,
            "order": order,
            "color": mark.colour,
            "ink": mark.ink,
            "label": mark.label,
            "aria": ", ".join(f"{title} {text}" for title, text in mark.facts),
        }
        row |= {f"tip{i}": text for i, (_, text) in enumerate(mark.facts)}
        data.append(row)
    return data


def tooltip(marks: list[Mark]) -> list[Any]:
    """The facts of a mark, told when one points at it."""
    import altair as alt

    return [alt.Tooltip(f"tip{i}:N", title=title) for i, (title, _) in enumerate(marks[0].facts)]


def focus() -> tuple[Any, Any]:
    """The mark whose key is in `focus` stands out; the page sets it from the legend."""
    import altair as alt

    chosen = alt.param(name="focus", value="")
    seen = alt.condition(
        "focus == '' || datum.key == focus", alt.value(1), alt.value(0.28), empty=False
    )
    return chosen, seen


def compiled(chart: Any, width: int, height: int) -> dict[str, Any]:
    """The Vega specification of an Altair chart of that size, as the page draws it."""
    import altair as alt
    import vl_convert

    chart = chart.properties(
        width=width, height=height, autosize=alt.AutoSizeParams(type="fit", contains="padding")
    )
    chart = chart.configure(font=FONT, background="transparent").configure_view(stroke=None)
    return vl_convert.vegalite_to_vega(chart.to_dict())


def summary(kind: str, marks: list[Mark]) -> str:
    """The chart in words, for screen readers."""
    parts = [", ".join(text for _, text in mark.facts[:3]) for mark in marks]
    return f"{kind.capitalize()} with {len(marks)} parts: {'; '.join(parts)}."
