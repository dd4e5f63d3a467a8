"""`pattern`: a text matches a regular expression of RE2, which both engines know.

RE2 matches in linear time, so no pattern that it takes can hang an engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Self

import duckdb
from sqlglot import exp

from mesh.contracts.constraints.base import (
    OPTIONS,
    Change,
    ColumnPromise,
    Effect,
    Named,
    Option,
    StatedColumn,
)
from mesh.contracts.findings import Found, Purpose
from mesh.contracts.types import TEXT_TYPES

MAX_LENGTH = 500


@dataclass(frozen=True, kw_only=True)
class Pattern(ColumnPromise):
    kind: ClassVar[str] = "pattern"
    options: ClassVar[Mapping[str, Option]] = {"pattern": Option(str, TEXT_TYPES)}
    sense: ClassVar[Purpose] = Purpose("PATTERN", "A pattern is one that both engines take.")
    pattern: str

    @classmethod
    def read(cls, stated: StatedColumn) -> Self | None:
        pattern = stated.options.get("pattern")
        return None if pattern is None else cls(pattern=pattern, line=stated.line(OPTIONS))

    @classmethod
    def check(cls, stated: StatedColumn) -> Found:
        if len(stated.options.get("pattern") or "") > MAX_LENGTH:
            message = f"The pattern is longer than {MAX_LENGTH} characters."
            yield stated.option("pattern", message, "Write a simpler pattern.")

    @classmethod
    def check_by_engine(cls, stated: StatedColumn) -> Found:
        reason = refused(stated.options.get("pattern") or "")
        if reason:
            message = f"The pattern is refused by the engines: {reason}."
            yield stated.option("pattern", message, "Write it in the syntax of RE2.")

    def words(self) -> str:
        return f"matches {self.pattern}"

    def values_text(self) -> str:
        return f"matching {self.pattern}"

    def condition(self, column: Named) -> exp.Expression:
        return exp.RegexpLike(
            this=exp.column(column.name), expression=exp.Literal.string(self.pattern)
        )

    @classmethod
    def compare(cls, old: Named, new: Named) -> Iterator[Change]:
        was, now = old.promise(cls), new.promise(cls)
        if old.logical_type != new.logical_type or was == now:
            return
        if was is None and now is not None:
            message = f"{old.name} now keeps to a pattern: {now.pattern}"
            yield Change(Effect.TIGHTER, message)
        elif now is None and was is not None:
            message = f"{old.name} no longer keeps to its pattern {was.pattern}"
            yield Change(Effect.LOOSER, message)
        elif was is not None and now is not None:
            how = f"{was.pattern} became {now.pattern}"
            yield Change(Effect.OTHER, f"{old.name} keeps to another pattern: {how}")


@lru_cache(maxsize=256)
def refused(pattern: str) -> str | None:
    """Why RE2 refuses a pattern, in its own words, or None."""
    try:
        matches(pattern, ("",))
    except duckdb.Error as error:
        return str(error).removeprefix("Invalid Input Error: ").splitlines()[0].rstrip(".")
    return None


def matches(pattern: str, texts: Sequence[str]) -> list[bool]:
    """Which texts a pattern finds a match in; raises duckdb.Error when RE2 refuses the pattern."""
    if not texts:
        return []
    # Literals instead of parameters: with parameters the client loads pandas, which takes a second.
    found = [
        exp.func("regexp_matches", exp.Literal.string(text), exp.Literal.string(pattern))
        for text in texts
    ]
    with duckdb.connect() as connection:
        row = connection.execute(exp.select(*found).sql(dialect="duckdb")).fetchone()
    return [bool(value) for value in row or ()]
