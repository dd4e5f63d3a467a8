"""`required: true`: a value is always there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlglot import exp

from mesh.contracts.constraints.base import ColumnPromise, Named, Seen
from mesh.contracts.sql import column_named


@dataclass(frozen=True, kw_only=True)
class Required(ColumnPromise):
    kind: ClassVar[str] = "required"
    key: ClassVar[str] = "required"
    dimension: ClassVar[str] = "completeness"
    came: ClassVar[str] = "{column} can no longer be null."
    gone: ClassVar[str] = "{column} may now be null."
    words: ClassVar[str] = "is there"

    def condition(self, column: Named) -> exp.Expr:
        return exp.not_(exp.Is(this=column_named(column.name), expression=exp.Null()))

    @classmethod
    def propose(cls, bigquery_type: str, seen: Seen) -> Mapping[str, Any]:
        return {cls.key: not seen.nulls}
