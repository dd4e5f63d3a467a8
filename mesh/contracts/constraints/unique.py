"""No two rows are alike: in a column, in the grain, or in columns of a rule `duplicateValues`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sqlglot import exp

from mesh.contracts.constraints.base import (
    Change,
    ColumnPromise,
    Effect,
    Named,
    StatedQuality,
    TablePromise,
)
from mesh.contracts.findings import Finding, Found
from mesh.contracts.rules import Rule, Scope, TableRule
from mesh.contracts.sql import TABLE, column_named
from mesh.contracts.types import TIME_TYPES
from mesh.files.problems import shown, suggestion

KIND = "unique"
DIMENSION = "uniqueness"


@dataclass(frozen=True, kw_only=True)
class Unique(ColumnPromise):
    """`unique: true`; the promise of a grain of one column is that of the grain."""

    kind: ClassVar[str] = KIND
    key: ClassVar[str] = "unique"
    dimension: ClassVar[str] = DIMENSION
    counted: ClassVar[str] = "found"
    came: ClassVar[str] = "{column} is now unique."
    gone: ClassVar[str] = "{column} is no longer promised to be unique."
    words: ClassVar[str] = "is unique"

    def condition(self, column: Named) -> exp.Expr:
        raise NotImplementedError  # One row cannot tell.

    def rule(self, column: Named) -> TableRule:
        said = f"No two rows have the same {column.name}."
        facts = Rule(f"{column.id}.{KIND}", KIND, said, DIMENSION, "error", self.line)
        return unique_rule(facts, (column.name,), lambda _: column.logical_type)

    @classmethod
    def compare(cls, old: Named, new: Named) -> Iterator[Change]:
        """Whether the grain promises the same, without this promise."""
        without = old if old.promise(cls) is None else new
        return iter(()) if without.identifies else super().compare(old, new)


@dataclass(frozen=True, kw_only=True)
class UniqueTogether(TablePromise):
    kind: ClassVar[str] = KIND
    metric: ClassVar[str | None] = "duplicateValues"
    uses: ClassVar[frozenset[str]] = frozenset({"metric", "mustBe", "arguments"})
    columns: tuple[str, ...]

    @classmethod
    def read(cls, keys: Mapping[str, Any]) -> Self:
        return cls(columns=tuple(map(str, _columns(keys))))

    @classmethod
    def misuse(cls, stated: StatedQuality) -> Found:
        if stated.keys.get("mustBe") != 0 or isinstance(stated.keys.get("mustBe"), bool):
            message = f"{stated.name} allows duplicates."
            yield Finding(stated.steps, message, "Write `mustBe: 0`.")
        if not _columns(stated.keys):
            message = f"{stated.name} does not say which columns are unique together."
            fix = "Write `arguments: {properties: [<column>, …]}`."
            yield Finding(stated.steps, message, fix)
        named = _columns(stated.keys)
        for index, name in enumerate(named):
            at = stated.at("arguments", "properties", index)
            if not isinstance(name, str):
                # `arguments` holds anything, as far as the standard says.
                message = f"{stated.name} names `{shown(name)}`, which is no name of a column."
                yield Finding(at, message, "Write names alone: `properties: [<column>, …]`.")
            elif name in named[:index]:
                message = f"The rule names the column `{shown(name)}` twice."
                yield Finding(at, message, "Name it once.")

    @classmethod
    def lost_columns(cls, stated: StatedQuality) -> Found:
        for index, name in enumerate(_columns(stated.keys)):
            if isinstance(name, str) and name not in stated.columns:
                message = f"The rule speaks of the column `{shown(name)}`, which is not there."
                at = stated.at("arguments", "properties", index)
                yield Finding(at, message, suggestion(name, stated.columns))

    def rule(self, facts: Rule, type_of: Callable[[str], str]) -> TableRule:
        return unique_rule(facts, self.columns, type_of)

    def text(self) -> str:
        return "no duplicates of " + ", ".join(self.columns)

    def compare(self, new: Self, renamed: Mapping[str, str]) -> Effect | None:
        was, now = {renamed.get(column, column) for column in self.columns}, set(new.columns)
        if was == now:
            return None
        return Effect.TIGHTER if now < was else Effect.LOOSER if now > was else Effect.OTHER


def _columns(keys: Mapping[str, Any]) -> list[object]:
    names = (keys.get("arguments") or {}).get("properties")
    return names if isinstance(names, list) else []


def unique_rule(facts: Rule, names: tuple[str, ...], type_of: Callable[[str], str]) -> TableRule:
    """The rule that no two rows have the same values in these columns."""
    columns = [column_named(name) for name in names]
    count = exp.Count(this=exp.Star())
    query = (
        exp.select(*columns, count.as_("copies"))
        .from_(exp.table_(TABLE))
        .group_by(*[column.copy() for column in columns])
        .having(count > 1)
    )
    timed = any(type_of(name) in TIME_TYPES for name in names)
    return TableRule(
        **vars(facts),
        scope=Scope.INTERVAL if timed else Scope.KEYS,
        query=query,
        columns=names,
    )
