"""`required: true`: a value is always there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sqlglot import exp

from mesh.contracts.constraints.base import (
    Change,
    ColumnPromise,
    Effect,
    Named,
    Seen,
    StatedColumn,
)


@dataclass(frozen=True, kw_only=True)
class Required(ColumnPromise):
    kind: ClassVar[str] = "required"
    key: ClassVar[str] = "required"
    dimension: ClassVar[str] = "completeness"

    @classmethod
    def read(cls, stated: StatedColumn) -> Self | None:
        return cls(line=stated.line(cls.key)) if stated.keys.get(cls.key) else None

    def words(self) -> str:
        return "is there"

    def condition(self, column: Named) -> exp.Expression:
        return exp.not_(exp.Is(this=exp.column(column.name), expression=exp.Null()))

    @classmethod
    def compare(cls, old: Named, new: Named) -> Iterator[Change]:
        was, now = old.promise(cls), new.promise(cls)
        if was and not now:
            yield Change(Effect.LOOSER, f"{old.name} may now be null.")
        if now and not was:
            yield Change(Effect.TIGHTER, f"{old.name} can no longer be null.")

    @classmethod
    def propose(cls, bigquery_type: str, seen: Seen) -> Mapping[str, Any]:
        return {cls.key: not seen.nulls}
