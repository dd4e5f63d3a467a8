"""Rules that would notice what no rule of the contract does: tried, before they are suggested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import duckdb
from sqlglot import exp, parse_one

from mesh.bite.copy import Copy, Prepared
from mesh.bite.reconcile import reconciliations
from mesh.bite.shapes import MOST_OF_CHANCE, Proposal, proposals
from mesh.bite.ways import POSITION, Damage
from mesh.contracts import Column, Contract
from mesh.contracts.constraints import table_kind
from mesh.contracts.rules import RowRule, Rule, Scope, TableRule
from mesh.contracts.sql import DIALECT, TABLE, RuleSqlError

# So many rows are asked which pairs of columns can be meant, before all are.
FIRST = 1000


_Candidate = tuple[Proposal, Prepared]
"""A rule that holds on the rows as they are, ready to be asked."""


@dataclass
class Suggestions:
    """Finds rules for one product. sources: the contracts of what it is made from; asked:
    conditions that its queries ask of their rows."""

    copy: Copy
    sources: Sequence[Contract]
    asked: Sequence[str] = ()
    found: dict[Column | None, list[_Candidate]] = field(default_factory=dict)
    used: list[_Candidate] = field(default_factory=list)

    def that_notices(self, damage: Damage) -> Proposal | None:
        """A rule that holds on the product's rows and is broken by the damaged ones, if any.

        One that was suggested before goes first: few rules are better than many.
        """
        candidates = self._candidates(damage.column if damage.changed else None)
        self.copy.damage(damage)
        for one in (*self.used, *candidates):
            proposal, ready = one
            if damage.changed and not damage.changed & ready.columns:
                continue
            with suppress(duckdb.Error):
                if self.copy.memory.rows(ready.query):
                    if one not in self.used:
                        self.used.append(one)
                    return proposal
        return None

    def _candidates(self, column: Column | None) -> list[_Candidate]:
        """Those for a column, or for rows that come and go."""
        if column not in self.found:
            self.copy.restore()
            self.found[column] = list(self._that_hold(column))
        return self.found[column]

    def _that_hold(self, column: Column | None) -> Iterator[_Candidate]:
        known = {rule.id for rule in self.copy.contract.rules}
        # Of one value alone its own rows tell nothing.
        own = not (column and self._is_constant(column.name))
        every = (
            *reconciliations(self.copy, self.sources, column, self.asked),
            *(proposals(self.copy.contract, column, self._pairs) if own else ()),
        )
        for proposal in every:
            if proposal.id in known or self._is_by_chance(proposal):
                continue
            rule = rule_of(self.copy.contract, proposal.rule)
            ready = rule and self.copy.prepared(rule)
            self.copy.broken.pop(proposal.id, None)
            if ready:
                yield proposal, ready

    def _is_constant(self, column: str) -> bool:
        """Whether all rows have the same value."""
        values = exp.Distinct(expressions=[exp.column(column, quoted=True)])
        query = exp.select(exp.Count(this=values)).from_(self.copy.rows.copy())
        ((count,),) = self.copy.memory.rows(query)
        return bool(count < 2)

    def _is_by_chance(self, proposal: Proposal) -> bool:
        """Whether too few rows could have broken it."""
        if proposal.of_rows is None:
            return False
        query = proposal.of_rows.transform(
            lambda n: self.copy.rows.copy() if isinstance(n, exp.Table) and n.name == TABLE else n
        )
        ((rows,),) = self.copy.memory.rows(query)
        return (rows or 0) < MOST_OF_CHANCE

    def _pairs(self, condition: str, column: str, numbers: Sequence[str]) -> set[tuple[str, str]]:
        """Those with which a condition holds in the first rows; asked at once, not one by one."""
        position = exp.column(POSITION, quoted=True)
        own = exp.select(position, exp.column(column)).from_(self.copy.rows)
        own = own.where(position <= FIRST)
        names = exp.array(*map(exp.Literal.string, numbers))
        values = exp.array(*(exp.cast(exp.column(name), "DOUBLE") for name in numbers))
        each = exp.select(
            position,
            exp.alias_(exp.Explode(this=names), "name"),
            exp.alias_(exp.Explode(this=values), "value"),
        ).from_(self.copy.rows)
        sides = {"c": (column, "own"), "a": ("value", "a"), "b": ("value", "b")}
        holds = parse_one(condition, dialect=DIALECT).transform(
            lambda n: exp.column(*sides[n.name]) if isinstance(n, exp.Column) else n
        )
        fails = exp.CountIf(this=exp.not_(holds))
        query = (
            exp.select("a.name", "b.name")
            .from_(own.subquery("own"))
            .join(each.subquery("a"), using=[position])
            .join(each.subquery("b"), using=[position])
            .group_by("a.name", "b.name")
            .having(fails.eq(0))
        )
        return set(self.copy.memory.rows(query))


def rule_of(contract: Contract, stated: dict[str, Any]) -> TableRule | None:
    """The rule that would be enforced if it stood so under `quality`; None where it cannot be."""
    kind = table_kind(stated)
    assert kind
    types = {column.name: column.logical_type for column in contract.columns}
    facts = Rule(
        stated["id"], kind.kind, stated["description"], stated["dimension"], stated["severity"], 1
    )
    try:
        rule = kind.read(stated).rule(facts, lambda name: types.get(name, ""))
    except RuleSqlError:
        return None
    if isinstance(rule, TableRule):
        return rule
    assert isinstance(rule, RowRule)
    query = exp.select("*").from_(exp.table_(TABLE)).where(rule.broken())
    return TableRule(**vars(facts), scope=Scope.INTERVAL, query=query, columns=rule.columns)
