"""`pattern`: a text matches a regular expression of RE2, which both engines know.

RE2 matches in linear time, so no pattern that it takes can hang an engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Self

import duckdb
from sqlglot import exp

from mesh.contracts.constraints.base import OPTIONS, ColumnPromise, Named, Option, StatedColumn
from mesh.contracts.findings import Found, Purpose
from mesh.contracts.sql import column_named
from mesh.contracts.types import TEXT_TYPES
from mesh.database import trying

MAX_LENGTH = 500


@dataclass(frozen=True, kw_only=True)
class Pattern(ColumnPromise):
    kind: ClassVar[str] = "pattern"
    options: ClassVar[Mapping[str, Option]] = {"pattern": Option(str, TEXT_TYPES)}
    sense: ClassVar[Purpose] = Purpose("PATTERN", "A pattern is one that both engines take.")
    came: ClassVar[str] = "{column} now keeps to a pattern: {now.pattern}"
    gone: ClassVar[str] = "{column} no longer keeps to its pattern {was.pattern}"
    became: ClassVar[str] = "{column} keeps to another pattern: {was.pattern} became {now.pattern}"
    pattern: str

    @classmethod
    def read(cls, stated: StatedColumn) -> Self | None:
        pattern = stated.options.get("pattern")
        return None if pattern is None else cls(pattern=pattern, line=stated.line(OPTIONS))

    @classmethod
    def check(cls, stated: StatedColumn) -> Found:
        pattern = stated.options.get("pattern") or ""
        if len(pattern) > MAX_LENGTH:
            message = f"The pattern is longer than {MAX_LENGTH} characters."
            yield stated.option("pattern", message, "Write a simpler pattern.")
        elif reason := refused(pattern):
            message = f"The pattern is refused by the engines: {reason}."
            yield stated.option("pattern", message, "Write it in the syntax of RE2.")

    def refusal(self, value: Any) -> str | None:
        fits = refused(self.pattern) or matches(self.pattern, value)
        return None if fits else "does not match the pattern of its column"

    @property
    def words(self) -> str:
        return f"matches {self.pattern}"

    def values_text(self) -> str:
        return f"matching {self.pattern}"

    def condition(self, column: Named) -> exp.Expr:
        return exp.RegexpLike(
            this=column_named(column.name), expression=exp.Literal.string(self.pattern)
        )


@lru_cache(maxsize=256)
def refused(pattern: str) -> str | None:
    """Why RE2 refuses a pattern, in its own words, or None."""
    try:
        matches(pattern, "")
    except duckdb.Error as error:
        return str(error).removeprefix("Invalid Input Error: ").splitlines()[0].rstrip(".")
    return None


@lru_cache(maxsize=4096)
def matches(pattern: str, text: str) -> bool:
    """Whether a pattern finds a match in a text; raises duckdb.Error when RE2 refuses it."""
    # Literals instead of parameters: with parameters the client loads pandas, which takes a second.
    found = exp.func("regexp_matches", exp.Literal.string(text), exp.Literal.string(pattern))
    with _engine().cursor() as cursor:
        row = cursor.execute(exp.select(found).sql(dialect="duckdb")).fetchone()
    return bool(row and row[0])


@lru_cache(maxsize=1)
def _engine() -> duckdb.DuckDBPyConnection:
    return trying()
