"""`minimum`, `maximum` and what excludes its bound: a value lies between two.

Bounds are compared as sets of values, not as keys: `exclusiveMinimum: 0` of a whole number is
`minimum: 1`, and a step of 1 says nothing about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import MINYEAR
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple, Self

from sqlglot import exp

from mesh.contracts.constraints.base import (
    OPTIONS,
    Change,
    ColumnPromise,
    Effect,
    Named,
    Option,
    Seen,
    StatedColumn,
    literal,
)
from mesh.contracts.constraints.multiple_of import MultipleOf
from mesh.contracts.findings import Finding, Found
from mesh.contracts.sql import column_named
from mesh.contracts.types import HOW, NUMERIC_TYPES, TIME_TYPES, TIMED, comparable
from mesh.files.problems import shown

_OPTION = Option(int | float | str, NUMERIC_TYPES | TIME_TYPES)
_MIDNIGHT = {"DATE": "", "DATETIME": "T00:00:00", "TIMESTAMP": "T00:00:00+00:00"}


class _Bound(NamedTuple):
    """value: that can be compared. open: whether it is left out itself."""

    value: Any
    open: bool
    text: str

    def rank(self, low: bool) -> tuple[Any, bool]:
        """Its place among bounds: the greater is stricter of low ones, the lesser of high ones."""
        return self.value, self.open == low


@dataclass(frozen=True, kw_only=True)
class Range(ColumnPromise):
    """Bounds are numbers, or ISO text for dates and timestamps."""

    kind: ClassVar[str] = "range"
    options: ClassVar[Mapping[str, Option]] = dict.fromkeys(
        ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"), _OPTION
    )
    logical_type: str
    minimum: int | float | str | None = None
    exclusive_minimum: int | float | str | None = None
    maximum: int | float | str | None = None
    exclusive_maximum: int | float | str | None = None

    @classmethod
    def read(cls, stated: StatedColumn) -> Self | None:
        bounds = [stated.options.get(key) for key in cls.options]
        if all(bound is None for bound in bounds):
            return None
        low, above, high, below = bounds
        return cls(
            logical_type=stated.logical_type,
            minimum=low,
            exclusive_minimum=above,
            maximum=high,
            exclusive_maximum=below,
            line=stated.line(OPTIONS),
        )

    @property
    def _stated(self) -> list[tuple[str, str, Any, type[exp.Binary]]]:
        every = (
            ("at least", "from", self.minimum, exp.GTE),
            ("above", "above", self.exclusive_minimum, exp.GT),
            ("at most", "to", self.maximum, exp.LTE),
            ("below", "below", self.exclusive_maximum, exp.LT),
        )
        return [one for one in every if one[2] is not None]

    @classmethod
    def check(cls, stated: StatedColumn) -> Found:
        logical = stated.logical_type
        if logical not in _OPTION.logical_types:
            return
        for key in cls.options:
            value = stated.options.get(key)
            if value is not None and comparable(logical, value) is None:
                message = f"The {key} `{shown(value)}` is no value of type {logical}."
                yield stated.option(key, message, f"Write {HOW[logical]}.")
        for key, other in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            if stated.options.get(key) is not None and stated.options.get(other) is not None:
                message = f"`{key}` and `{other}` are both stated."
                yield stated.option(other, message, "Keep one of the two.")
        promise, step = cls.read(stated), MultipleOf.read(stated)
        if promise and promise._is_empty(step.step if step else None):
            fix = "Correct minimum, maximum or multipleOf."
            yield Finding(stated.at(OPTIONS), "No value is within this range.", fix)

    def _is_empty(self, step: int | float | None) -> bool:
        """Whether no value at all is inside."""
        low, high = self._bound(low=True), self._bound(low=False)
        if low is None or high is None:
            return False
        if low.value > high.value or (low.value == high.value and (low.open or high.open)):
            return True
        if self.logical_type not in NUMERIC_TYPES:
            return False
        step = step or (1 if self.logical_type == "integer" else None)
        if step is None:
            return False
        exact, least, most = (Fraction(str(one)) for one in (step, low.value, high.value))
        first = -(-least // exact)
        if low.open and first * exact == least:
            first += 1
        last = most // exact
        if high.open and last * exact == most:
            last -= 1
        return first > last

    def refusal(self, value: Any) -> str | None:
        low, high = self._bound(low=True), self._bound(low=False)
        if low and (value < low.value or (low.open and value == low.value)):
            return f"is below the minimum {low.value}"
        if high and (value > high.value or (high.open and value == high.value)):
            return f"is above the maximum {high.value}"
        return None

    @property
    def words(self) -> str:
        return "is " + " and ".join(f"{text} {value}" for text, _, value, _ in self._stated)

    def values_text(self) -> str:
        return " ".join(f"{text} {value}" for _, text, value, _ in self._stated)

    def condition(self, column: Named) -> exp.Expr:
        return exp.and_(
            *[
                operator(
                    this=column_named(column.name), expression=literal(column.logical_type, value)
                )
                for _, _, value, operator in self._stated
            ]
        )

    @classmethod
    def compare(cls, old: Named, new: Named) -> Iterator[Change]:
        types = {old.logical_type, new.logical_type}
        if len(types) > 1 and not types <= NUMERIC_TYPES:
            return
        was, now = old.promise(cls), new.promise(cls)
        changes: dict[Effect, list[str]] = {Effect.LOOSER: [], Effect.TIGHTER: []}
        for low in (True, False):
            before = was._bound(low) if was else None
            after = now._bound(low) if now else None
            was_at, now_at = (one and one.rank(low) for one in (before, after))
            if was_at != now_at:
                looser = now_at is None or (was_at is not None and (now_at < was_at) == low)
                texts = [one.text if one else "without limit" for one in (before, after)]
                effect = Effect.LOOSER if looser else Effect.TIGHTER
                changes[effect].append(f"{texts[0]} became {texts[1]}")
        for effect, word in ((Effect.LOOSER, "wider"), (Effect.TIGHTER, "narrower")):
            if changes[effect]:
                how = " and ".join(changes[effect])
                yield Change(effect, f"The range of {old.name} is {word}: {how}.")

    def _bound(self, low: bool) -> _Bound | None:
        """The strictest bound of one side, of whole numbers as one that is inside."""
        closed, opened = (
            (self.minimum, self.exclusive_minimum)
            if low
            else (self.maximum, self.exclusive_maximum)
        )
        found = []
        for stated, is_open in ((closed, False), (opened, True)):
            value = comparable(self.logical_type, stated)
            if value is None or self.logical_type not in _OPTION.logical_types:
                continue
            if is_open and self.logical_type == "integer":
                value, is_open = value + (1 if low else -1), False
            text = f"{'above' if low else 'below'} {stated}"
            if not is_open:
                text = f"{'at least' if low else 'at most'} {value}"
            found.append(_Bound(value, is_open, text))
        if not found:
            return None
        return (max if low else min)(found, key=lambda bound: bound.rank(low))

    @classmethod
    def propose(cls, bigquery_type: str, seen: Seen) -> Mapping[str, Any]:
        low, high = seen.minimum, seen.maximum
        if low is None or high is None:
            return {}
        if bigquery_type == "INT64":
            return {"minimum": min(low, 1)} if low >= 0 else {}
        if bigquery_type == "NUMERIC":
            return {"minimum": 0} if low >= 0 else {}
        if bigquery_type in TIMED:
            first = f"{low.year:04d}-01-01{_MIDNIGHT[bigquery_type]}"
            # The first year stands for no day, and nothing is before it.
            return {"minimum": first} if low.year > MINYEAR else {}
        if bigquery_type == "FLOAT64" and low >= 0 and high <= 1:
            return {"minimum": 0, "maximum": 1}  # A share.
        if bigquery_type == "FLOAT64" and seen.step is not None:
            return {"minimum": low, "maximum": high}
        return {}
