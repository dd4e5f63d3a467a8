"""Numbers and dates as people read them."""

from __future__ import annotations

from datetime import date
from typing import Literal

Format = Literal["count", "percent", "decimal", "change_percent", "change_decimal"]
MINUS = "−"
# The types of the same numbers in Looker Studio.
IN_LOOKER: dict[Format, str] = {
    "count": "Number",
    "percent": "Percent",
    "decimal": "Number, 2 decimals",
    "change_percent": "Percent",
    "change_decimal": "Number, 2 decimals",
}
# The same on axes, in the language of d3: short, since the tooltip says it in full.
AXIS: dict[Format, str] = {
    "count": "~s",
    "percent": ".1~%",
    "decimal": ".2~f",
    "change_percent": "+.1~%",
    "change_decimal": "+.2~f",
}
# The same in full, where a tooltip is made by the page itself.
TOOLTIP: dict[Format, str] = {
    "count": ",.0f",
    "percent": ".1%",
    "decimal": ".2f",
    "change_percent": "+.1%",
    "change_decimal": "+.2f",
}


def number(value: float | None, form: Format) -> str:
    """A value in its format; empty when there is none.

    value: a count, a share of 1 (percent, change_percent), or a decimal.
    """
    if value is None:
        return ""
    if form == "count":
        return f"{value:,.0f}"
    if form == "percent":
        return percent(value)
    if form == "decimal":
        return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.1f}"
    size = abs(value)
    if form == "change_percent":
        text = f"{size * 100:,.0f}%" if size >= 1 else f"{size * 100:.1f}%"
        if float(text.rstrip("%").replace(",", "")) == 0:
            return "0%"
    else:
        text = f"{size:.2f}"
        if size == 0:
            return "0"
    return (MINUS if value < 0 else "+") + text


def percent(value: float) -> str:
    """A share of 1 in percent, with one digit; small shares are not rounded to nothing."""
    if 0 < value < 0.001:
        return "<0.1%"
    return f"{value * 100:.1f}%" if value < 1 else "100%"


def day(value: date | None) -> str:
    return f"{value.day} {value:%b %Y}" if value else ""


def span(start: date | None, end: date | None, all_time: str) -> str:
    """`1 Apr – 24 Sep 2018`, or with no start `<all_time> up to 24 Sep 2018`."""
    if end is None:
        return ""
    if start is None:
        return f"{all_time} up to {day(end)}"
    first = f"{start.day} {start:%b}" if start.year == end.year else day(start)
    return f"{first} – {day(end)}"
