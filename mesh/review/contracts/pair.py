"""Two states of one contract, and how lines of the one lead to lines of the other."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypedDict, TypeVar, Unpack

from sqlglot import exp

from mesh.contracts.comparing import together_say, with_names
from mesh.contracts.conditions import implies
from mesh.contracts.constraints.base import Effect
from mesh.contracts.made_up import pools_of
from mesh.contracts.model import Column, Contract, StatedRule
from mesh.contracts.rules import RowRule, TableRule
from mesh.contracts.sql import TABLE
from mesh.contracts.tried import Compared, compared
from mesh.files.tree import Steps, Tree
from mesh.review.rules import Change, Level, Place

# Rules are called alike if so many made-up tables break both, and if of small changes such a share
# is told from the rule by them.
FEW, NOTICED = 10, 0.9
T = TypeVar("T", Column, StatedRule)


class Details(TypedDict, total=False):
    """What more there is to say of a change; see `Change`."""

    column: str | None
    before: str
    after: str
    fix: str
    severity: Level | None


@dataclass(frozen=True)
class Source:
    """One contract as it was read: typed, and as plain data, with its text.

    path: from the root of the project (or as the user named it), for messages.
    """

    contract: Contract
    path: str
    text: str = field(repr=False)
    tree: Tree = field(repr=False)

    @property
    def data(self) -> dict[str, Any]:
        return self.tree.data

    @property
    def product(self) -> str:
        return self.contract.product

    def place(self, key: str) -> Place:
        """Where a key of the contract stands."""
        return Place(self.path, self.contract.line_of(key))


class Versions(NamedTuple):
    """A rule of both states. effect: what became of what it says; None for nothing."""

    old: StatedRule
    new: StatedRule
    effect: Effect | None


@dataclass(frozen=True)
class Pair:
    """The contract of a product in the base and in the work tree.

    types: the BigQuery types of the columns of all products of the work tree, by product.
    """

    before: Source
    after: Source
    types: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    @property
    def old(self) -> Contract:
        return self.before.contract

    @property
    def new(self) -> Contract:
        return self.after.contract

    @cached_property
    def columns(self) -> list[tuple[Column | None, Column | None]]:
        """Columns that are the same thing: by stable id, and where no id helps, by name."""
        return _matched(self.old.columns, self.new.columns, lambda was, now: was.name == now.name)

    @cached_property
    def kept(self) -> list[tuple[Column, Column]]:
        """The columns that both have."""
        return [(old, new) for old, new in self.columns if old and new]

    @cached_property
    def names(self) -> dict[str, str]:
        """From the old name of each column that is still there to its new name."""
        return {old.name: new.name for old, new in self.kept}

    @cached_property
    def _rules(self) -> list[tuple[StatedRule | None, StatedRule | None]]:
        """The same of rules: by id, and what only changed its id."""
        old, new = self.old.rules, self.new.rules
        return _matched(old, new, lambda was, now: self._effect(was, now) is None)

    @cached_property
    def rules(self) -> list[Versions]:
        """Rules of both."""
        kept = ((old, new) for old, new in self._rules if old and new)
        return [Versions(old, new, self._effect(old, new)) for old, new in kept]

    @property
    def rules_gone(self) -> list[StatedRule]:
        return [old for old, new in self._rules if old and new is None]

    @property
    def rules_added(self) -> list[StatedRule]:
        return [new for old, new in self._rules if new and old is None]

    @cached_property
    def rewritten(self) -> dict[str, Compared]:
        """Rules that say another thing for all that is known, and are broken by the same made-up
        tables as before."""
        found = {}
        for old, new, effect in self.rules:
            if effect is Effect.OTHER:
                before = self._offending(self.old, old.id)
                after = self._offending(self.new, new.id)
                made = self._compared(before, after) if before and after else None
                if made and not made.differ and made.broken >= FEW and made.noticed >= NOTICED:
                    found[old.id] = made
        return found

    def _offending(self, contract: Contract, name: str) -> exp.Select | None:
        """What finds the rows that break a rule, with the names that columns have now."""
        rule = _rule_of(contract, name)
        if rule is None:
            return None
        query = (
            rule.query
            if isinstance(rule, TableRule)
            else exp.select("*").from_(exp.to_table(TABLE)).where(rule.broken())
        )
        return with_names(query, self.names) if contract is self.old else query

    def _compared(self, first: exp.Select, second: exp.Select) -> Compared | None:
        both = exp.Tuple(expressions=[first.copy(), second.copy()])
        own = self.new.product
        read = (f"{one.db}.{one.name}" for one in both.find_all(exp.Table) if one.db)
        pools = {p: pools_of(self.types.get(p, {}), both, {}) for p in dict.fromkeys((own, *read))}
        known = {product: pool for product, pool in pools.items() if pool}
        return compared(first, second, known) if len(known) == len(pools) else None

    def still_said(self, old: StatedRule) -> tuple[str, ...]:
        """The rules of the work tree that together say all that a rule said; or none.

        One rule may have become several, or several one.
        """
        before = _rule_of(self.old, old.id)
        if isinstance(before, TableRule):
            return self._still_found(before)
        if before is None:
            return ()
        condition = with_names(before.condition, self.names)
        used = {column.name for column in condition.find_all(exp.Column)}
        alike = [
            one
            for one in self.new.row_rules()
            if used.intersection(one.columns) and one.severity in ("error", before.severity)
        ]
        if not alike or not implies(exp.and_(*(one.condition for one in alike)), condition):
            return ()
        stated = {one.id for one in self.new.rules}
        names = [one.id for one in alike]
        return tuple([one for one in names if one in stated] or names)

    def _still_found(self, before: TableRule) -> tuple[str, ...]:
        """The same for a rule on the table."""
        query = with_names(before.query, self.names)
        severities = ("error", before.severity)
        found = {o.id: o.query for o in self.new.table_rules() if o.severity in severities}
        # One by one, what does not add to it goes.
        for name in list(found):
            others = {key: value for key, value in found.items() if key != name}
            if together_say(others.values(), query):
                found = others
        return tuple(found) if together_say(found.values(), query) else ()

    def _effect(self, old: StatedRule, new: StatedRule) -> Effect | None:
        if old.promise == new.promise:
            return None
        if type(old.promise) is not type(new.promise):
            return Effect.OTHER
        effect = old.promise.compare(new.promise, self.names)
        return effect and old.promise.compare(new.promise, {}) and effect

    def line_of(self, steps: Steps) -> int:
        """The line of a key in the work tree."""
        return self.after.tree.line(steps)

    def change(self, message: str, line: int, **details: Unpack[Details]) -> Change:
        """A change at a line of the work tree."""
        return Change(self.old.product, message, Place(self.after.path, line), **details)

    def gone(self, message: str, was: int, **details: Unpack[Details]) -> Change:
        """A change of something of the base that is not there any more."""
        return self.change(message, self.line_now(was), **details)

    def line_now(self, line: int) -> int:
        """The line of the work tree at which a line of the base is, or was before it went."""
        for low, high, start, end in self._blocks:
            if low <= line <= high:
                return max(1, min(start + line - low, max(end, start)))
        return max(1, min(line, self.after.text.count("\n") + 1))

    @cached_property
    def _blocks(self) -> list[tuple[int, int, int, int]]:
        texts = (self.before.text.splitlines(), self.after.text.splitlines())
        return [
            (low + 1, high, start + 1, end)
            for _, low, high, start, end in difflib.SequenceMatcher(
                None, *texts, autojunk=False
            ).get_opcodes()
            if high > low
        ]


def _rule_of(contract: Contract, name: str) -> RowRule | TableRule | None:
    every: tuple[RowRule | TableRule, ...] = (*contract.row_rules(), *contract.table_rules())
    return next((one for one in every if one.id == name), None)


def _matched(
    old: Sequence[T], new: Sequence[T], again: Callable[[T, T], bool]
) -> list[tuple[T | None, T | None]]:
    """Pairs in the order of the old ones, then what is new. again: where no id helps."""
    by_id, known = {one.id: one for one in new}, {one.id for one in old}
    left = [one for one in new if one.id not in known]
    pairs: list[tuple[T | None, T | None]] = []
    for was in old:
        now = by_id.get(was.id) or next((one for one in left if again(was, one)), None)
        if now in left:
            left.remove(now)
        pairs.append((was, now))
    return pairs + [(None, one) for one in left]
