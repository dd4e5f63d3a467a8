"""What charts over months or months since share: runs without gaps, ends with names, axes."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from math import ceil, floor, log10
from typing import Any, TypeVar

from mesh.dashboards.drawing.formats import POINTS, SPELLINGS, Every, Format
from mesh.deliveries import months_after

T = TypeVar("T")
LINE_HEIGHT, LETTER = 14, 6.6
LABEL_LETTERS = 15
# About how many numbers stand at an axis.
TICKS = 5
# How months and years are written.
FORMATS: dict[Every, str] = {"month": "%b %Y", "quarter": "Q%q %Y", "year": "%Y"}
MONTHS: dict[Every, int] = {"month": 1, "quarter": 3, "year": 12}
# So many days that keep to a longer step do so by no chance.
MANY = 8
# How lines differ beside their colours, the first is whole.
DASHES = ([1, 0], [7, 3], [2, 2], [9, 3, 2, 3], [4, 4], [12, 3])


@dataclass(frozen=True)
class End:
    """The name of a line at its end: lines of text, and how high they stand, as a value."""

    key: str
    lines: list[str]
    value: float


def called(day: date, every: Every = "month") -> str:
    """The name of the month, quarter or year that begins with this day."""
    return f"{day:{FORMATS[every].replace('%q', str((day.month + 2) // 3))}}"


def milliseconds(day: date) -> int:
    """A day as Vega's axes of time take it."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def short(value: float) -> float:
    """A number with as many digits as a picture can show."""
    return round(value) if abs(value) >= 1000 else float(f"{value:.5g}")


def months_between(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month


def off_step(days: Sequence[date], every: Every) -> str:
    """Why these days are not the first ones of months, quarters or years; nothing if they are."""
    for day in days:
        if day.day != 1:
            return f"{day} is no first day of a {every}"
        if months_between(days[0], day) % MONTHS[every]:
            return f"{days[0]} and {day} are not whole {every}s apart"
    return ""


def longer_step(days: Sequence[date], every: Every) -> Every | None:
    """The longer step that all of so many days keep to, so that each is of that and not of this."""
    steps = [one for one in MONTHS if MONTHS[one] > MONTHS[every] and not off_step(days, one)]
    return steps[-1] if steps and len(set(days)) >= MANY else None


def steps_between(first: date, last: date, every: Every) -> int:
    """How many months, quarters or years one is after the other."""
    return months_between(first, last) // MONTHS[every]


NEXT = {every: partial(months_after, count=count) for every, count in MONTHS.items()}


def is_over(first: date, as_of: date | None, every: Every = "month") -> bool:
    """Whether all days of a month, quarter or year are in the data."""
    return as_of is None or as_of >= NEXT[every](first) - timedelta(days=1)


def runs(
    points: Sequence[T], at: Callable[[T], Any], after: Callable[[Any], Any]
) -> Iterator[list[T]]:
    """Points in order, parted wherever one is missing: a gap stays a gap."""
    run: list[T] = []
    for point in points:
        if run and at(point) != after(at(run[-1])):
            yield run
            run = []
        run.append(point)
    if run:
        yield run


def domain(values: Sequence[float], form: Format, ticks: int = TICKS) -> tuple[float, float]:
    """The ends of an axis, where numbers stand: what lies beyond the last seems to be off it.

    Counts and shares begin at 0, since their length is read. ticks: about how many numbers.
    """
    low, high = min(values), max(values)
    if form in ("count", "percent"):
        low, high = min(0.0, low), max(0.0, high)
        if low == high:
            return 0.0, 1.0
    if low == high:
        return low - 0.5, high + 0.5
    for _ in range(2):
        # As D3 chooses the numbers of an axis, again for the wider one.
        wide = (high - low) / ticks
        power = 10.0 ** floor(log10(wide))
        step = power * (1, 2, 5, 10)[sum(wide / power >= limit**0.5 for limit in (2, 10, 50))]
        low, high = floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step
    return round(low, 12), round(high, 12)


def ends(
    last: Sequence[tuple[str, str, float]], scale: tuple[float, float], height: int
) -> list[End]:
    """Where the names of lines stand so that none covers another.

    last: key, name and last value of each line. height: of the picture, in pixels.
    """
    low, high = scale
    pixel = (high - low) / height
    wrapped = [
        (key, textwrap.wrap(name, LABEL_LETTERS, max_lines=2, placeholder=" …") or [""], value)
        for key, name, value in sorted(last, key=lambda one: -one[2])
    ]
    # From the top each is pushed below the one before; what then sticks out moves back up.
    places: list[float] = []
    room = high
    for _, lines, value in wrapped:
        half = len(lines) * LINE_HEIGHT * pixel / 2
        places.append(min(value, room - half))
        room = places[-1] - half
    floor = low
    for index in range(len(places) - 1, -1, -1):
        half = len(wrapped[index][1]) * LINE_HEIGHT * pixel / 2
        places[index] = max(places[index], floor + half)
        floor = places[index] + half
    return [End(key, lines, place) for (key, lines, _), place in zip(wrapped, places, strict=True)]


def room_for(found: Sequence[End]) -> int:
    """How many pixels the longest name needs beside the picture."""
    return 29 + round(LETTER * max((len(line) for end in found for line in end.lines), default=0))


def named_ends(found: Sequence[End], fills: Mapping[str, str], room: int, y: Any) -> list[Any]:
    """The names beside the lines, each with a piece of its line before it."""
    import altair as alt

    if not found:
        return []
    dashes = dict(zip(fills, DASHES, strict=False))
    texts = [
        {"value": one.value, "lines": one.lines, "color": fills[one.key], "dash": dashes[one.key]}
        for one in found
    ]
    base = alt.Chart(alt.Data(values=texts)).encode(y=y)
    start = right(room)["expr"]
    return [
        base.mark_rule(strokeWidth=2.4, aria=False).encode(
            x=alt.XValue({"expr": f"{start} + 9"}),
            x2=alt.X2Value({"expr": f"{start} + 21"}),
            color=alt.Color("color:N", scale=None),
            strokeDash=alt.StrokeDash("dash:N", scale=None),
        ),
        base.mark_text(
            align="left", baseline="middle", fontSize=11, lineHeight=LINE_HEIGHT, aria=False
        ).encode(
            x=alt.XValue({"expr": f"{start} + 25"}),
            text=alt.Text("lines:N"),
            color=alt.ColorValue("@ink"),
        ),
    ]


def hover(base: Any, titles: Sequence[str], x: Any, count: int, room: int = 0) -> Any:
    """A line that is not seen at each month, which tells its numbers when one points near it.

    count: how many months the picture is wide: a line reaches to the next, and no further.
    """
    import altair as alt

    tips = [alt.Tooltip(f"tip{i}:N", title=title) for i, title in enumerate(titles)]
    wide = alt.expr(f"max(1, ({right(room)['expr']}) / {max(1, count)})")
    return base.mark_rule(strokeWidth=wide, opacity=0, color="@soft", aria=False).encode(
        x=x, tooltip=tips
    )


def right(room: int) -> dict[str, str]:
    """Where lines end, so that there is so much room for their names."""
    return {"expr": f"max(40, width - {room})"}


def axis(**more: Any) -> Any:
    """An axis in the colours of the theme."""
    import altair as alt

    colours: dict[str, Any] = {
        "labelColor": "@soft",
        "titleColor": "@soft",
        "gridColor": "@line",
        "domainColor": "@line",
        "tickColor": "@line",
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": 400,
        "labelFlush": False,
        "labelSeparation": 5,
    }
    return alt.Axis(**colours | more)


def name_axis(**more: Any) -> Any:
    """A vertical axis of names."""
    import altair as alt

    return alt.Axis(labelColor="@ink", ticks=False, domain=False, **more)


def time_axis(first: date, last: date, every: Every = "month", **more: Any) -> Any:
    years, months = last.year - first.year, months_between(first, last)
    count, named = {"interval": "year", "step": max(1, years // 10)}, FORMATS["year"]
    if years <= 2 and every != "year":
        # Never less than a month, or a quarter, which would be named twice.
        steps = [step for step in (1, 2, 3, 4) if step % MONTHS[every] == 0]
        step = next((step for step in steps if months <= 6 * step), 6)
        count, named = {"interval": "month", "step": step}, FORMATS[every]
    usual: dict[str, Any] = {"grid": False, "title": None, "labelOverlap": True}
    usual |= {"tickCount": count, "format": named}
    return axis(**usual | more)


def value_axis(title: str | None, form: Format, most: float, **more: Any) -> Any:
    """A vertical axis with its title on top, where it can be read without turning one's head."""
    above: dict[str, Any] = {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end"}
    above |= {"titleX": 0, "titleY": -9, "titleBaseline": "bottom"} if title else {}
    usual = {"title": title or None, "domain": False, "ticks": False, "tickCount": TICKS}
    return axis(**above | usual | numbers(form, most) | {"labelPadding": 6} | more)


def number_axis(title: str, form: Format, most: float, **more: Any) -> Any:
    """A horizontal axis of numbers."""
    usual = {"title": title, "tickCount": TICKS, "labelOverlap": True, "domain": False}
    return axis(**usual | numbers(form, most) | more)


def numbers(form: Format, most: float) -> dict[str, Any]:
    """How an axis writes its numbers, of which the greatest is this."""
    if form == "count" and most < 10_000:
        return {"format": ",d", "tickMinStep": 1}
    label = f"replace(datum.label, '%', '{POINTS}')" if form == "change_points" else "datum.label"
    return {"format": SPELLINGS[form].axis, "labelExpr": f"datum.value === 0 ? '0' : {label}"}
