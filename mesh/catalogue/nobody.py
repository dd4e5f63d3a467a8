"""Whose values a draft shows, and what it shows in the place of those that may lead to a person.

A draft is kept in git. Before anybody said what its columns are, their names say enough.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from mesh.contracts.constraints.base import Seen
from mesh.contracts.personal import looks_personal, person
from mesh.environments.names import short_name
from mesh.lint.persons import Followed

# What a draft shows of a person where nothing else is known, by type.
NOBODY: Mapping[str, Any] = {
    "STRING": "person 1",
    "DATE": "2000-01-01",
    "DATETIME": "2000-01-01T00:00:00",
    "TIMESTAMP": "2000-01-01T00:00:00Z",
    "INT64": 1,
    "NUMERIC": 1,
    "FLOAT64": 1.0,
}
_FIRST = date(2000, 1, 1)
_DATE = re.compile(r"(\d{4})([-/.])(\d\d)\2(\d\d)(?=$|[T ])(.*)")
_DAY_FIRST = re.compile(r"\d\d?([-/.])\d\d?\1\d{4}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_IP = re.compile(r"\d{1,3}(\.\d{1,3}){3}")


@dataclass
class Withheld(Followed[bool]):
    """Which columns of models are shown without their values: those that a contract classifies as
    personal, and, where no contract says what they are, those that are called like such."""

    @cached_property
    def _classified(self) -> set[str]:
        return {person(c.name) for one in self.contracts.values() for c in one.personal_columns}

    def told(self, full_name: str, column: str) -> bool | None:
        _, stated = self.stated(full_name, column)
        if stated is not None:
            return stated.personal or None
        model = self.models.get(full_name)
        beside = (model.columns_to_types or {}) if model is not None else ()
        called = person(column) in self._classified
        if called or looks_personal(column, short_name(full_name), beside):
            return True
        return self.made_of(full_name, column)


class Handed(Followed[tuple[str, str]]):
    """Which columns of its inputs, by full name, the values of a column are of."""

    def told(self, full_name: str, column: str) -> tuple[str, str]:
        return full_name, column


def stand_in(value: Any, number: int) -> Any:
    """A value like it that leads to nobody; None of a type that has none such.

    Queries take texts apart and cast them, so that of a text, too, it is like it.
    """
    if isinstance(value, str):
        return _text(value, number)
    if isinstance(value, datetime | date):
        first = datetime(2000, 1, 1, tzinfo=value.tzinfo) if isinstance(value, datetime) else None
        return (first or _FIRST) + timedelta(days=number - 1)
    if isinstance(value, UUID):
        return UUID(int=number)
    return number if kind_of(value) == "number" and not isinstance(value, bool) else None


def kind_of(value: Any) -> str:
    """What is numbered together: numbers of any type, as an id may be an integer here and a decimal
    there, and texts that are written alike."""
    if isinstance(value, str):
        return re.sub(r"\d", "", _text(value, 1))
    return "number" if isinstance(value, int | float | Decimal) else type(value).__name__


def _text(value: str, number: int) -> str:
    day = _FIRST + timedelta(days=number - 1)
    if not value.strip():
        return value
    if found := _DATE.fullmatch(value):
        return day.strftime(f"%Y{found[2]}%m{found[2]}%d") + re.sub(r"\d", "0", found[5])
    if found := _DAY_FIRST.fullmatch(value):
        # Which of the two is the month nobody can tell: of the first day of a year both are.
        return f"01{found[1]}01{found[1]}{1999 + number}"
    if re.fullmatch(r"(19|20)\d{6}", value):
        return day.strftime("%Y%m%d")
    if _EMAIL.fullmatch(value):
        return f"person{number}@example.com"
    if _UUID.fullmatch(value):
        return str(UUID(int=number))
    if _IP.fullmatch(value):
        return f"192.0.{2 + number // 256}.{number % 256}"
    digits = sum(map(str.isdigit, value))
    if digits and value.isascii() and not re.search(r"[A-Za-z]", value):
        return _numbered(value, str(number).zfill(digits))
    return f"person {number}"


def _numbered(value: str, digits: str) -> str:
    """A number, as of a telephone, with the signs that stand between its digits."""
    made, left = "", [*digits]
    for sign in reversed(value):
        made = (left.pop() if sign.isdigit() else sign) + made
    at = re.search(r"\d", made)
    return made[: at.start()] + "".join(left) + made[at.start() :] if at and left else made


def like_nobody(seen: Seen, kind: str) -> Seen:
    """What a draft may say of a column's values without telling one of them: whether they are
    below zero, shares, or empty texts."""
    low, high = seen.minimum, seen.maximum
    is_known = low is not None and high is not None
    bounds: tuple[Any, Any] = (None, None)
    if kind == "STRING" and is_known:
        bounds = (low and stand_in(low, 1), stand_in(high, 1) if high else None)
    elif kind in ("INT64", "NUMERIC") and is_known and low >= 0:
        bounds = (min(int(low), 1),) * 2
    elif kind == "FLOAT64" and is_known and 0 <= low <= high <= 1:
        bounds = (0.0, 1.0)
    least, most = bounds
    return replace(seen, minimum=least, maximum=most, values=(), step=None, is_of_each_row=False)
