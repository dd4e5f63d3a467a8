"""Two states of one contract, and how lines of the one lead to lines of the other."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypedDict, Unpack

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
        return match_columns(self.old.columns, self.new.columns)

    @cached_property
    def kept(self) -> list[tuple[Column, Column]]:
        """The columns that both have."""
        return [(old, new) for old, new in self.columns if old and new]

    @cached_property
    def names(self) -> dict[str, str]:
        """From the old name of each column that is still there to its new name."""
        return {old.name: new.name for old, new in self.kept}

    @cached_property
    def rules(self) -> list[Versions]:
        """Rules of both: by id, and what only changed its id."""
        old, new = ({rule.id: rule for rule in c.rules} for c in (self.old, self.new))
        found = [
            Versions(old[key], new[key], self._effect(old[key], new[key]))
            for key in old
            if key in new
        ]
        added = [rule for key, rule in new.items() if key not in old]
        for rule in (rule for key, rule in old.items() if key not in new):
            again = next((one for one in added if self._effect(rule, one) is None), None)
            if again:
                added.remove(again)
                found.append(Versions(rule, again, None))
        return found

    @cached_property
    def rules_gone(self) -> list[StatedRule]:
        known = {one.old.id for one in self.rules}
        return [rule for rule in self.old.rules if rule.id not in known]

    @cached_property
    def rules_added(self) -> list[StatedRule]:
        known = {one.new.id for one in self.rules}
        return [rule for rule in self.new.rules if rule.id not in known]

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
        rules: tuple[RowRule | TableRule, ...] = (*contract.row_rules(), *contract.table_rules())
        rule = next((one for one in rules if one.id == name), None)
        if rule is None:
            return None
        if isinstance(rule, TableRule):
            query = rule.query
        else:
            query = exp.select("*").from_(exp.to_table(TABLE)).where(rule.broken())
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
        before = next((one for one in self.old.row_rules() if one.id == old.id), None)
        if before is None:
            return self._still_found(old)
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
        return tuple(one.id for one in alike if one.id in stated) or tuple(one.id for one in alike)

    def _still_found(self, old: StatedRule) -> tuple[str, ...]:
        """The same for a rule on the table."""
        before = next((one for one in self.old.table_rules() if one.id == old.id), None)
        if before is None:
            return ()
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

    def change(
        self, message: str, line: int, was: int | None = None, **details: Unpack[Details]
    ) -> Change:
        """A change at a line of the work tree; was: the line in the base."""
        base = Place(self.before.path, was) if was else None
        place, product = Place(self.after.path, line), self.old.product
        return Change(product=product, message=message, where=place, base=base, **details)

    def gone(self, message: str, was: int, **details: Unpack[Details]) -> Change:
        """A change of something of the base that is not there any more."""
        return self.change(message, self.line_now(was), was, **details)

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


def match_columns(
    old: tuple[Column, ...], new: tuple[Column, ...]
) -> list[tuple[Column | None, Column | None]]:
    """Pairs of columns in the order of the old ones, then what is new."""
    by_id = {column.id: column for column in new}
    old_ids = {column.id for column in old}
    taken: set[str] = set()
    pairs: list[tuple[Column | None, Column | None]] = []
    for column in old:
        match = by_id.get(column.id)
        if match is None:
            same_name = (c for c in new if c.name == column.name and c.id not in old_ids)
            match = next(same_name, None)
        if match is not None:
            taken.add(match.id)
        pairs.append((column, match))
    pairs += [(None, column) for column in new if column.id not in taken]
    return pairs
