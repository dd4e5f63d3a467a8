"""`multipleOf`: numbers come in steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Self

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
)
from mesh.contracts.findings import Found
from mesh.contracts.sql import column_named
from mesh.contracts.types import NUMERIC_TYPES, is_number


@dataclass(frozen=True, kw_only=True)
class MultipleOf(ColumnPromise):
    kind: ClassVar[str] = "multiple_of"
    options: ClassVar[Mapping[str, Option]] = {"multipleOf": Option(int | float, NUMERIC_TYPES)}
    can_restate: ClassVar[bool] = True
    step: int | float

    @classmethod
    def read(cls, stated: StatedColumn) -> Self | None:
        step = stated.options.get("multipleOf")
        if step is None or step <= 0:
            return None
        return cls(step=step, line=stated.line(OPTIONS))

    @classmethod
    def check(cls, stated: StatedColumn) -> Found:
        step = stated.options.get("multipleOf")
        if step is not None and step <= 0:
            message = "A step of 0 or less leaves no values."
            yield stated.option("multipleOf", message, "Write a step above 0.")

    def refusal(self, value: Any) -> str | None:
        off = is_number(value) and not is_multiple(value, self.step)
        return f"is no multiple of {self.step}" if off else None

    @property
    def words(self) -> str:
        return f"is a multiple of {self.step}"

    def values_text(self) -> str:
        return f"in steps of {self.step}"

    def condition(self, column: Named) -> exp.Expr:
        """Exact for steps such as 0.25; for steps such as 0.1 to a millionth of a step."""
        if column.logical_type == "integer" and float(self.step).is_integer():
            whole = exp.Literal.number(int(self.step))
            rest = exp.Mod(this=column_named(column.name), expression=whole)
            return exp.EQ(this=rest, expression=exp.Literal.number(0))

        def steps() -> exp.Expr:
            step = exp.Literal.number(repr(self.step))
            return exp.Div(this=column_named(column.name), expression=step, typed=False, safe=False)

        rounded = exp.Round(this=steps())
        if float(self.step).as_integer_ratio()[1] <= 1024:
            return exp.EQ(this=steps(), expression=rounded)
        distance = exp.Abs(this=exp.Paren(this=exp.Sub(this=steps(), expression=rounded)))
        return exp.LT(this=distance, expression=exp.Literal.number("0.000001"))

    @classmethod
    def compare(cls, old: Named, new: Named) -> Iterator[Change]:
        was, now = _telling(old), _telling(new)
        if old.logical_type != new.logical_type or was == now:
            return
        if was is None or (now is not None and is_multiple(now, was)):
            yield Change(Effect.TIGHTER, f"{old.name} now comes in steps of {now}.")
        else:
            text = f"in steps of {now}" if now is not None else "in any step"
            yield Change(Effect.LOOSER, f"{old.name} came in steps of {was}, and now {text}.")

    @classmethod
    def propose(cls, bigquery_type: str, seen: Seen) -> Mapping[str, Any]:
        known = bigquery_type == "FLOAT64" and seen.step is not None and seen.minimum is not None
        return {"multipleOf": seen.step} if known else {}


def is_multiple(value: int | float, step: int | float) -> bool:
    return Fraction(str(value)) % Fraction(str(step)) == 0


def _telling(column: Named) -> int | float | None:
    """The step, unless it says nothing, as a step of 1 of whole numbers."""
    promise = column.promise(MultipleOf)
    if promise is None or (column.logical_type == "integer" and Fraction(str(promise.step)) == 1):
        return None
    return int(promise.step) if float(promise.step).is_integer() else promise.step
