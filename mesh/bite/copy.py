"""A copy of a product's rows in memory, its damages, and its rules on them.

A rule that reads other products reads copies of them too, and whatever of its query does not depend
on the damaged product is worked out once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property

import duckdb
from sqlglot import exp

from mesh.bite.ways import DIALECT, POSITION, Damage
from mesh.contracts import Contract
from mesh.contracts.rules import RowRule, Scope, TableRule

CATALOG = "bite"
DAMAGED = exp.table_("damaged", db="main", catalog="temp", quoted=True)


@dataclass
class Memory:
    """A database in memory, attached to the connection that reads the environment.

    resolve: from a product to where the environment has it.
    """

    connection: duckdb.DuckDBPyConnection
    resolve: Callable[[str], exp.Table]
    copied: dict[str, exp.Table] = field(default_factory=dict)

    def run(self, query: exp.Expr | str) -> duckdb.DuckDBPyConnection:
        return self.connection.execute(query if isinstance(query, str) else _text(query))

    def rows(self, query: exp.Expr | str) -> list[tuple]:
        return self.run(query).fetchall()

    def keep(self, query: exp.Query) -> exp.Table:
        """The result of a query as a table; of one that was asked before, that of then."""
        text = _text(query)
        if text not in self.copied:
            table = exp.table_(
                f"kept_{len(self.copied)}", db="main", catalog=CATALOG, quoted=True
            )
            self.run(f"CREATE TABLE {_text(table)} AS {text}")
            self.copied[text] = table
        return self.copied[text].copy()

    def product(self, name: str) -> exp.Table:
        """The copy of a product."""
        return self.keep(exp.select("*").from_(self.resolve(name)))


@contextmanager
def memory(
    connection: duckdb.DuckDBPyConnection, resolve: Callable[[str], exp.Table]
) -> Iterator[Memory]:
    connection.execute(f"ATTACH ':memory:' AS {CATALOG}")
    try:
        yield Memory(connection, resolve)
    finally:
        connection.execute(f"DROP TABLE IF EXISTS {_text(DAMAGED)}")
        connection.execute(f"DETACH {CATALOG}")


@dataclass
class Prepared:
    """A rule with its query on the damaged rows. columns: that it reads; None for all."""

    rule: TableRule
    query: str
    columns: frozenset[str] | None
    seconds: float = 0.0


@dataclass
class Copy:
    """The rows of one product, and what its contract asks of them.

    broken: the rules that the undamaged rows break, or that cannot be asked; none of them notices
    a damage.
    """

    memory: Memory
    contract: Contract
    broken: dict[str, str] = field(default_factory=dict)

    @cached_property
    def rows(self) -> exp.Table:
        """The rows, numbered in the order of the key."""
        names = [column.name for column in self.contract.columns]
        order = [*self.contract.grain, *(n for n in names if n not in self.contract.grain)]
        number = exp.Window(
            this=exp.RowNumber(), order=exp.Order(expressions=[exp.column(n) for n in order])
        )
        columns = [*map(exp.column, names), exp.alias_(number, POSITION)]
        place = self.memory.resolve(self.contract.product)
        return self.memory.keep(exp.select(*columns).from_(place))

    @cached_property
    def count(self) -> int:
        return self.memory.rows(exp.select("COUNT(*)").from_(self.rows))[0][0]

    @cached_property
    def row_rules(self) -> list[RowRule]:
        return [rule for rule in self.contract.row_rules() if rule.id not in self.broken]

    @cached_property
    def table_rules(self) -> list[Prepared]:
        """The quick ones first, by what they took on the undamaged rows."""
        found = [self.prepared(rule) for rule in self.contract.table_rules()]
        self.damage(self.undamaged)
        for one in found:
            started = time.perf_counter()
            try:
                if self.memory.rows(one.query):
                    self.broken[one.rule.id] = "the rows break it as they are"
            except duckdb.Error as error:
                self.broken[one.rule.id] = str(error).partition("\n")[0]
            one.seconds = time.perf_counter() - started
        kept = [one for one in found if one.rule.id not in self.broken]
        return sorted(kept, key=lambda one: one.rule.scope is not Scope.COUNT)

    @property
    def undamaged(self) -> exp.Select:
        names = [exp.column(column.name) for column in self.contract.columns]
        return exp.select(*names).from_(self.rows)

    def prepared(self, rule: TableRule) -> Prepared:
        query = rule.offending(DAMAGED, self.memory.product)
        query = self._worked_out(query)
        columns = {column.name for column in query.find_all(exp.Column)} | set(rule.columns)
        return Prepared(
            rule,
            _text(exp.select("1").from_(query.subquery("found")).limit(1)),
            frozenset(columns),
        )

    def _worked_out(self, query: exp.Select) -> exp.Select:
        """The same, with what does not depend on the damaged rows as tables."""
        names = {cte.alias for cte in query.find_all(exp.CTE)}

        def depends(node: exp.Expr) -> bool:
            return any(
                table.catalog == "temp" or (not table.db and table.name in names)
                for table in node.find_all(exp.Table)
            )

        for cte in query.find_all(exp.CTE):
            if not depends(cte.this):
                cte.set("this", exp.select("*").from_(self.memory.keep(cte.this)))
        for part in list(query.find_all(exp.Subquery)):
            inside = part.find_ancestor(exp.From, exp.Join, exp.Select)
            free = isinstance(inside, exp.From | exp.Join) and part.root() is query
            if free and inside.this is part and isinstance(part.this, exp.Query) and not depends(part):
                table = self.memory.keep(part.this)
                table.set("alias", part.args.get("alias"))
                part.replace(table)
        return query

    def damage(self, query: exp.Query) -> None:
        """Put these rows in the place that the rules look at."""
        self.memory.run(f"CREATE OR REPLACE TEMP TABLE {_text(DAMAGED)} AS {_text(query)}")

    def noticed_by(self, damage: Damage | None) -> str | None:
        """The first rule that the rows in that place break."""
        changed = damage.changed if damage else frozenset()
        rules = [r for r in self.row_rules if not changed or changed & set(r.columns)]
        if rules:
            broken = [exp.Coalesce(this=_any(rule), expressions=[exp.false()]) for rule in rules]
            found = self.memory.rows(exp.select(*broken).from_(DAMAGED))[0]
            for rule, is_broken in zip(rules, found, strict=True):
                if is_broken:
                    return rule.id
        for one in self.table_rules:
            if changed and one.columns is not None and not changed & one.columns:
                continue
            with suppress(duckdb.Error):
                if self.memory.rows(one.query):
                    return one.rule.id
        return None

    def is_equal(self) -> bool:
        """Whether the rows in that place are those of the product after all."""
        damaged = exp.select(*self.undamaged.expressions).from_(DAMAGED)
        count = self.memory.rows(exp.select("COUNT(*)").from_(DAMAGED))[0][0]
        if count != self.count:
            return False
        left = exp.except_(damaged, self.undamaged, distinct=False)
        return not self.memory.rows(left.limit(1))


def _any(rule: RowRule) -> exp.Expr:
    return exp.LogicalOr(this=rule.broken())


def _text(query: exp.Expr) -> str:
    return query.sql(dialect=DIALECT, identify=True)
