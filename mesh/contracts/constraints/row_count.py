"""`metric: rowCount`: how many rows there are at the least and at the most."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sqlglot import exp

from mesh.contracts.constraints.base import COMPARATORS, Effect, Part, StatedQuality, TablePromise
from mesh.contracts.findings import Finding, Found
from mesh.contracts.rules import Rule, Scope, TableRule
from mesh.contracts.sql import TABLE
from mesh.contracts.types import is_number
from mesh.files.problems import shown

USABLE = frozenset(COMPARATORS) - {"mustNotBe", "mustNotBeBetween"}
FIX = "Write `mustBeBetween: [<least>, <most>]`."
UNLIMITED = float("inf")


@dataclass(frozen=True, kw_only=True)
class RowCount(TablePromise):
    kind: ClassVar[str] = "row_count"
    metric: ClassVar[str | None] = "rowCount"
    uses: ClassVar[frozenset[str]] = frozenset({"metric", *COMPARATORS})
    counted: ClassVar[str] = ""
    minimum: int | None = None
    maximum: int | None = None

    @classmethod
    def read(cls, keys: Mapping[str, Any]) -> Self:
        if "mustBe" in keys or "mustBeBetween" in keys:
            low, high = keys.get("mustBeBetween") or (keys["mustBe"], keys["mustBe"])
            return cls(minimum=int(low), maximum=int(high))
        above, below = keys.get("mustBeGreaterThan"), keys.get("mustBeLessThan")
        low = keys.get("mustBeGreaterOrEqualTo") if above is None else above + 1
        high = keys.get("mustBeLessOrEqualTo") if below is None else below - 1
        return cls(
            minimum=None if low is None else int(low), maximum=None if high is None else int(high)
        )

    @classmethod
    def misuse(cls, stated: StatedQuality) -> Found:
        bounds = _bounds(stated)
        for key in bounds:
            if key not in USABLE:
                message = f"{stated.name} compares with `{key}`."
                yield Finding(stated.at(key), message, FIX)
        if len(bounds) != 1:
            message = f"{stated.name} states {'several bounds' if bounds else 'no bound'}."
            yield Finding(stated.steps, message, FIX)

    @classmethod
    def impossible(cls, stated: StatedQuality) -> Found:
        keys = _bounds(stated)
        if len(keys) != 1 or keys[0] not in USABLE:
            return
        value: Any = stated.keys.get(keys[0])
        bounds = value if isinstance(value, list) else [value]
        good = all(is_number(one) and one >= 0 and float(one).is_integer() for one in bounds)
        if not good or bounds != sorted(bounds) or (keys[0] == "mustBeLessThan" and value < 1):
            message = f"{stated.name} has bounds that no table can keep: {shown(bounds)}."
            fix = "Write whole numbers from 0, the smaller one first."
            yield Finding(stated.at(keys[0]), message, fix)

    @classmethod
    def parts(cls, stated: StatedQuality) -> Iterator[Part]:
        message = f"{stated.name} is kept by every table, also by an empty one."
        yield Part(Finding(stated.steps, message, "Write 1 or more as the least."))

    def rule(self, facts: Rule, type_of: Callable[[str], str]) -> TableRule:
        count = exp.Count(this=exp.Star())
        few = [] if self.minimum is None else [count < self.minimum]
        many = [] if self.maximum is None else [count > self.maximum]
        rows = exp.select(count.as_("row_count")).from_(exp.table_(TABLE))
        return TableRule(
            **vars(facts),
            scope=Scope.COUNT,
            query=rows.having(exp.or_(*few, *many)),
            minimum=self.minimum,
            maximum=self.maximum,
        )

    def text(self) -> str:
        return f"{self.minimum or 0} to {self.maximum or 'any number of'} rows"

    def compare(self, new: Self, renamed: Mapping[str, str]) -> Effect | None:
        (low, high), (least, most) = _span(self), _span(new)
        if least < low or most > high:
            return Effect.LOOSER
        return Effect.TIGHTER if (least, most) != (low, high) else None


def _bounds(stated: StatedQuality) -> list[str]:
    return [key for key in COMPARATORS if stated.keys.get(key) is not None]


def _span(promise: RowCount) -> tuple[int, float]:
    most = promise.maximum
    return promise.minimum or 0, UNLIMITED if most is None else most
