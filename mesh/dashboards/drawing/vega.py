"""What all kinds of drawn charts share: marks as data, tooltips, a focus, Vega from Altair.

Colours that depend on light and dark are names with an `@`, such as `@ink`: the page puts the
theme's colour in their place.
"""

from __future__ import annotations

from typing import Any

from mesh.dashboards.drawing.names import all_drawable
from mesh.dashboards.drawing.palette import ink_on
from mesh.dashboards.drawing.view import Mark

FONT = "Inter, system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
_INKS = {"#14181F": "#14181", "#FFFFFF": "#FFFFF"}


def _theme(*steps: str, **plain: str) -> dict[str, str]:
    codes = {f"@{name}": code for name, code in plain.items()}
    codes |= {f"@step{i}": code for i, code in enumerate(steps)}
    # Each ink is a colour of its own, if only by a shade: a page that is printed knows by the
    # colour alone which one it has to put in its place.
    return codes | {f"@on{i}": f"{_INKS[ink_on(code)]}{i}" for i, code in enumerate(steps)}


# Steps from little to much, of one hue: the more, the further from the ground of the card.
_LIGHT = ("#E8EFF8", "#C3D7EE", "#94B9DF", "#6397CC", "#3A72B2", "#1D4A86")
_DARK = ("#22303F", "#27486B", "#2F6699", "#4A89C4", "#7FB2E5", "#C2DFFA")
STEPS = len(_LIGHT)
THEMES = {
    "light": _theme(
        *_LIGHT, ink="#14181F", soft="#5A6472", line="#E3E7EC", card="#FFFFFF", accent="#2F5FA8"
    ),
    "dark": _theme(
        *_DARK, ink="#E9EDF3", soft="#9AA5B4", line="#2A323D", card="#181E26", accent="#8FB8F5"
    ),
}


def steps_css() -> str:
    """The steps as the legend of a page has them."""
    found = []
    for theme, colours in THEMES.items():
        steps = "".join(f"--step{i}:{colours[f'@step{i}']};" for i in range(STEPS))
        found.append(f':root[data-theme="{theme}"]{{{steps}}}')
    return "".join(found)


def with_data(vega: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """A specification with these rows in the data of these names."""
    values = all_drawable(values)
    data = [
        one | ({"values": values[one["name"]]} if one["name"] in values else {})
        for one in vega["data"]
    ]
    return vega | {"data": data}


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
    import vl_convert

    # Vega-Lite reads the whole of it anyway: Altair's own check of each row takes most of the time,
    # and a setting of a chart, which copies all of it, what is left.
    spec = all_drawable(chart.to_dict(validate=False))
    config = spec["config"] | {"font": FONT, "background": "transparent"}
    config["view"] = config.get("view", {}) | {"stroke": None}
    size = {"width": width, "height": height, "autosize": {"type": "fit", "contains": "padding"}}
    return vl_convert.vegalite_to_vega(spec | size | {"config": config})


def summary(kind: str, marks: list[Mark]) -> str:
    """The chart in words, for screen readers."""
    several = len({mark.series for mark in marks}) > 1
    parts = [
        ", ".join(
            f"{title} {text}" if several and n else text
            for n, (title, text) in enumerate(mark.facts[:3])
        )
        for mark in marks
    ]
    return f"{kind.capitalize()} with {len(marks)} parts: {'; '.join(parts)}."
