"""Numbers and dates as people read them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Literal, NamedTuple

Format = Literal["count", "percent", "decimal", "change_percent", "change_points", "change_decimal"]
Every = Literal["month", "quarter", "year"]
MINUS = "−"
# Percentage points: how far two shares lie apart, which is not by what share one is more.
POINTS = " pp"


class _Spelling(NamedTuple):
    """How numbers of a format are written in Looker Studio; on axes, in the language of d3, short,
    since the tooltip says it in full; and in tooltips that are made by the page itself."""

    in_looker: str
    axis: str
    tooltip: str


SPELLINGS: dict[Format, _Spelling] = {
    "count": _Spelling("Number", "~s", ",.0f"),
    "percent": _Spelling("Percent", ".1~%", ".1%"),
    "decimal": _Spelling("Number, 2 decimals", ",.2~f", ",.2f"),
    "change_percent": _Spelling("Percent", "+.1~%", "+.1%"),
    "change_points": _Spelling("Percent", "+.1~%", "+.1%"),
    "change_decimal": _Spelling("Number, 2 decimals", "+.2~f", "+.2f"),
}


def number(value: float | None, form: Format, digits: int | None = None) -> str:
    """A value in its format; empty when there is none.

    value: a count, a share of 1 (percent, change_percent), a difference of two such shares
    (change_points), or a decimal. digits: behind the point, where they are not the usual ones.
    """
    if value is None:
        return ""
    if form == "count":
        return _signed(value, 0)
    if form == "percent":
        return percent(value, digits)
    if form == "decimal":
        return _signed(value, 2 if digits is None else digits)
    unit = {"change_percent": "%", "change_points": POINTS}.get(form, "")
    if form == "change_percent" and abs(value) >= 1:
        digits = 0
    elif digits is None:
        digits = 1 if unit else 2
    text = _signed(value * 100 if unit else value, digits, plus="+")
    return (text if text.strip("0.") else "0") + unit


def _signed(value: float, digits: int, plus: str = "") -> str:
    """A number with its sign; what is rounded to 0 has none."""
    text = f"{abs(value):,.{digits}f}"
    if not text.strip("0."):
        return text
    return (MINUS if value < 0 else plus) + text


def written(value: str, form: Format) -> str:
    """The expression of Vega that writes a value as a tooltip does."""
    text = f"format({value}, '{SPELLINGS[form].tooltip}')"
    return f"replace({text}, '%', '{POINTS}')" if form == "change_points" else text


def percent(value: float, digits: int | None = None) -> str:
    """A share of 1 in percent, with one digit; none is rounded to nothing, or to all.

    What is no part of a whole, such as a load, can be more than 1, or less than 0.
    """
    if digits is None and 0 < abs(value) < 0.001:
        return "<0.1%" if value > 0 else f">{MINUS}0.1%"
    if digits is None and 0.9995 <= value < 1:
        return ">99.9%"
    text = _signed(value * 100, 1 if digits is None else digits)
    return "100%" if text.rstrip("0") == "100." else f"{text}%"


def unlike(value: float, other: float | None, form: Format, digits: int | None = None) -> str:
    """A value with the digits that it needs not to read like another which it is not."""
    text = number(value, form, digits)
    if other is None or value == other or text != number(other, form, digits):
        return text
    more = ((number(value, form, n), number(other, form, n)) for n in range(2, 7))
    return next((own for own, beside in more if own != beside), text)


def digits_of(values: Iterable[float | None], form: Format) -> int | None:
    """How many digits the decimals of a column have, all the same: stars and halves need one."""
    whole = all(round(value * 2, 2) % 1 == 0 for value in values if value is not None)
    return None if form != "decimal" else 1 if whole else 2


def said(value: object) -> str:
    """A value of a column that is no metric, as people read it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.15g}"
    return day(value) if isinstance(value, date) else str(value)


def day(value: date | None) -> str:
    return f"{value.day} {value:%b %Y}" if value else ""


def month_span(first: date, last: date) -> str:
    """`Aug 2018`, or `Jan 1996 – Aug 2018`."""
    ends = [f"{one:%b %Y}" for one in (first, last)]
    return " – ".join(dict.fromkeys(ends))


def span(start: date | None, end: date | None, all_time: str) -> str:
    """`1 Apr – 24 Sep 2018`, or with no start `<all_time> up to 24 Sep 2018`."""
    if end is None:
        return ""
    if start is None:
        return f"{all_time} up to {day(end)}"
    first = f"{start.day} {start:%b}" if start.year == end.year else day(start)
    return f"{first} – {day(end)}"
