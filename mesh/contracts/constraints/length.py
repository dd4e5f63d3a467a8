"""`minLength`, `maxLength`: how many characters a text has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sqlglot import exp, parse_one

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
from mesh.contracts.sql import DIALECT, column_named
from mesh.contracts.types import TEXT_TYPES


@dataclass(frozen=True, kw_only=True)
class Length(ColumnPromise):
    kind: ClassVar[str] = "length"
    options: ClassVar[Mapping[str, Option]] = {
        "minLength": Option(int, TEXT_TYPES),
        "maxLength": Option(int, TEXT_TYPES),
    }
    least: int | None = None
    most: int | None = None

    @classmethod
    def read(cls, stated: StatedColumn) -> Self | None:
        least, most = (stated.options.get(key) for key in cls.options)
        if least is None and most is None:
            return None
        return cls(least=least, most=most, line=stated.line(OPTIONS))

    @classmethod
    def check(cls, stated: StatedColumn) -> Found:
        for key in cls.options:
            if (stated.options.get(key) or 0) < 0:
                yield stated.option(key, f"`{key}` is below 0.", "Write 0 or more.")
        low, high = (stated.options.get(key) for key in cls.options)
        if low is not None and high is not None and low > high:
            message = f"No text is at least {low} and at most {high} characters long."
            yield stated.option("minLength", message, "Correct one of the two.")

    def refusal(self, value: Any) -> str | None:
        if not isinstance(value, str):
            return None
        if self.least is not None and len(value) < self.least:
            return f"is shorter than {self.least}"
        if self.most is not None and len(value) > self.most:
            return f"is longer than {self.most}"
        return None

    @property
    def _stated(self) -> list[tuple[str, type[exp.Binary], int]]:
        every = (("at least", exp.GTE, self.least), ("at most", exp.LTE, self.most))
        return [(text, operator, size) for text, operator, size in every if size is not None]

    @property
    def words(self) -> str:
        sizes = " and ".join(f"{text} {size}" for text, _, size in self._stated)
        return f"has {sizes} characters"

    def condition(self, column: Named) -> exp.Expr:
        return exp.and_(
            *[
                operator(this=_characters(column.name), expression=exp.Literal.number(size))
                for _, operator, size in self._stated
            ]
        )

    @classmethod
    def compare(cls, old: Named, new: Named) -> Iterator[Change]:
        if old.logical_type != new.logical_type:
            return
        was, now = _span(old.promise(cls)), _span(new.promise(cls))
        spans = [f"{low} to {'any' if high == _UNLIMITED else high}" for low, high in (was, now)]
        message = f"The length of {old.name} was changed: {spans[0]} became {spans[1]} characters."
        if now[0] < was[0] or now[1] > was[1]:
            yield Change(Effect.LOOSER, message)
        elif now != was:
            yield Change(Effect.TIGHTER, message)

    @classmethod
    def propose(cls, bigquery_type: str, seen: Seen) -> Mapping[str, Any]:
        text = bigquery_type == "STRING" and not seen.values
        return {"minLength": 1} if text and seen.minimum not in (None, "") else {}


_UNLIMITED = float("inf")


def _span(promise: Length | None) -> tuple[int, float]:
    most = promise.most if promise else None
    return (promise.least if promise else 0) or 0, _UNLIMITED if most is None else most


def _characters(name: str) -> exp.Expr:
    """CHAR_LENGTH: LENGTH counts the bytes of BYTES, and SQLGlot makes other engines ask which."""
    length = parse_one("CHAR_LENGTH(text)", dialect=DIALECT)
    length.set("this", column_named(name))
    return length
