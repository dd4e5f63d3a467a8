"""Values against types and constraints, for enums, examples and ranges in a contract."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mesh.contracts.standard import TypeOptions

BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def comparable(logical_type: str, value: Any) -> Any:
    """The value as something that can be compared with others of its type, or None."""
    if logical_type == "integer":
        return value if isinstance(value, int) and not isinstance(value, bool) else None
    if logical_type == "number":
        return value if is_number(value) else None
    if logical_type == "boolean":
        return value if isinstance(value, bool) else None
    if not isinstance(value, str):
        return None
    if logical_type == "string":
        return value
    try:
        if logical_type == "date":
            return datetime.date.fromisoformat(value) if len(value) == 10 else None
        if logical_type == "timestamp":
            moment = datetime.datetime.fromisoformat(value)
            return moment if moment.tzinfo and len(value) > 10 else None
    except ValueError:
        return None
    return None


HOW = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "text",
    "date": "a date as text, such as '2018-09-01'",
    "timestamp": "a moment with its offset as text, such as '2018-09-24T14:27:30+00:00'",
}


@dataclass(frozen=True)
class Limits:
    """Those bounds of a column that make sense; anything else was complained about elsewhere."""

    logical_type: str
    low: Any = None
    low_open: bool = False
    high: Any = None
    high_open: bool = False
    step: int | float | None = None
    shortest: int | None = None
    longest: int | None = None

    def refusal(self, value: Any) -> str | None:
        """Why a comparable value is outside, as the end of a sentence, or None."""
        low, high = self.low, self.high
        if low is not None and (value < low or (self.low_open and value == low)):
            return f"is below the minimum {low}"
        if high is not None and (value > high or (self.high_open and value == high)):
            return f"is above the maximum {high}"
        if self.step and is_number(value) and not is_multiple(value, self.step):
            return f"is no multiple of {self.step}"
        if isinstance(value, str):
            if self.shortest is not None and len(value) < self.shortest:
                return f"is shorter than {self.shortest}"
            if self.longest is not None and len(value) > self.longest:
                return f"is longer than {self.longest}"
        return None

    def empty(self) -> bool:
        """Whether no value at all is inside."""
        low, high = self.low, self.high
        if low is None or high is None:
            return False
        if low > high or (low == high and (self.low_open or self.high_open)):
            return True
        step = self.step or (1 if self.logical_type == "integer" else None)
        if step is None or self.logical_type not in ("integer", "number"):
            return False
        exact = Fraction(str(step))
        first = -(-Fraction(str(low)) // exact)
        if self.low_open and first * exact == Fraction(str(low)):
            first += 1
        last = Fraction(str(high)) // exact
        if self.high_open and last * exact == Fraction(str(high)):
            last -= 1
        return first > last


def is_multiple(value: int | float, step: int | float) -> bool:
    return Fraction(str(value)) % Fraction(str(step)) == 0


def limits_of(logical_type: str, options: TypeOptions | None) -> Limits:
    """The limits of a column, as far as they can be understood."""
    if options is None:
        return Limits(logical_type)

    def bound(*keys: str) -> tuple[Any, bool]:
        for key in keys:
            value = comparable(logical_type, getattr(options, key))
            if value is not None and logical_type not in ("string", "boolean"):
                return value, key.startswith("exclusive")
        return None, False

    low, low_open = bound("minimum", "exclusiveMinimum")
    high, high_open = bound("maximum", "exclusiveMaximum")
    step = options.multipleOf
    numeric = logical_type in ("integer", "number")
    text = logical_type == "string"
    return Limits(
        logical_type,
        low,
        low_open,
        high,
        high_open,
        step if numeric and step and step > 0 else None,
        options.minLength if text else None,
        options.maxLength if text else None,
    )
