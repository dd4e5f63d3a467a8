"""`enum`: a value is one of a list, each with what it means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Self

from sqlglot import exp

from mesh.contracts.constraints.base import (
    Change,
    ColumnPromise,
    Effect,
    Named,
    Seen,
    StatedColumn,
    literal,
)
from mesh.contracts.findings import TODO, Finding, Found, Purpose, same_words
from mesh.contracts.sql import column_named
from mesh.contracts.types import Value, is_number
from mesh.files.problems import shown

SENSE = Purpose("ENUM", "Allowed values are of the column's type, within its range, each once.")


@dataclass(frozen=True)
class AllowedValue:
    """One value of an enum; line: where it stands."""

    value: Value
    description: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Enum(ColumnPromise):
    kind: ClassVar[str] = "enum"
    key: ClassVar[str] = "enum"
    sense: ClassVar[Purpose] = SENSE
    values: tuple[AllowedValue, ...]

    @classmethod
    def read(cls, stated: StatedColumn) -> Self | None:
        values = tuple(
            AllowedValue(
                entry.value,
                " ".join((entry.description or "").split()),
                stated.place.line(stated.at(cls.key, number)),
            )
            for number, entry in enumerate(stated.keys.get(cls.key) or [])
            if entry.value is not None
        )
        return cls(values=values, line=stated.line(cls.key)) if values else None

    @classmethod
    def incomplete(cls, stated: StatedColumn) -> Found:
        for number, entry in enumerate(stated.keys.get(cls.key) or []):
            at = stated.at(cls.key, number)
            what = "The allowed value"
            if not isinstance(entry.value, str):  # Empty text is a value.
                yield from stated.place.missing(at, "value", what, "State the value.")
            yield from stated.place.missing(at, "description", what, "Say what it means.")

    @classmethod
    def check(cls, stated: StatedColumn) -> Found:
        entries = stated.keys.get(cls.key)
        if entries == []:
            fix = "List the values, or leave it out."
            yield Finding(stated.at(cls.key), "An empty enum allows nothing.", fix)
        seen: set[tuple[str, Value]] = set()
        for number, entry in enumerate(entries or []):
            if _key(entry.value) in seen:
                message = f"The allowed value `{shown(entry.value)}` stands twice."
                yield Finding(stated.at(cls.key, number, "value"), message, "Keep one of them.")
            if entry.value is not None:
                seen.add(_key(entry.value))

    def refusal(self, value: Any) -> str | None:
        allowed = {_key(one.value) for one in self.values}
        return None if _key(value) in allowed else "is not one of the allowed values"

    @property
    def words(self) -> str:
        return f"is {self.values_text()}"

    def values_text(self) -> str:
        return "one of " + _listed(self.values)

    def condition(self, column: Named) -> exp.Expr:
        values = [literal(column.logical_type, allowed.value) for allowed in self.values]
        return column_named(column.name).isin(*values)

    @classmethod
    def compare(cls, old: Named, new: Named) -> Iterator[Change]:
        before, after = old.promise(cls), new.promise(cls)
        was = {_key(one.value): one for one in before.values} if before else {}
        now = {_key(one.value): one for one in after.values} if after else {}
        name, listed = old.name, _listed(now.values())
        change = partial(Change, before=_listed(was.values()), after=listed)
        if was and not now:
            what = "may now take any value: its list of allowed values is gone"
            yield change(Effect.LOOSER, f"{name} {what}.")
        elif now and not was:
            yield change(Effect.TIGHTER, f"{name} is now one of: {listed}.")
        if not (was and now):
            return
        added = [one for key, one in now.items() if key not in was]
        removed = [one for key, one in was.items() if key not in now]
        if added:
            what = f"{name} may now take a new value: {_listed(added)}."
            yield change(Effect.LOOSER, what, line=added[0].line)
        if removed:
            what = f"{name} no longer takes the value: {_listed(removed)}."
            yield change(Effect.TIGHTER, what, was=removed[0].line, is_gone=True)
        for key, one in was.items():
            other = now.get(key)
            if other and not same_words(one.description, other.description):
                yield Change(
                    Effect.WORDS,
                    f"The value {other.value} of {old.name} is explained otherwise.",
                    line=other.line,
                    was=one.line,
                    before=one.description,
                    after=other.description,
                )

    @classmethod
    def propose(cls, bigquery_type: str, seen: Seen) -> Mapping[str, Any]:
        if not seen.values:
            return {}
        meaning = f"{TODO} what it stands for"
        return {cls.key: [{"value": value, "description": meaning} for value in seen.values]}


def _listed(values: Iterable[AllowedValue]) -> str:
    return ", ".join("''" if one.value == "" else str(one.value) for one in values)


def _key(value: Value) -> tuple[str, Value]:
    return ("number" if is_number(value) else type(value).__name__, value)
