"""A copy of a product's rows in memory, its damages, and its rules on them.

A rule that reads other products reads copies of them too, and whatever of its query does not depend
on the damaged product is worked out once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import duckdb
from sqlglot import exp

from mesh.bite.ways import DIALECT, POSITION, Damage, before
from mesh.contracts import Contract
from mesh.contracts.rules import RowRule, Scope, TableRule
from mesh.verify.engine import EngineRefuses, setting

CATALOG = "mesh_bite_copy"
DAMAGED = exp.table_("damaged", db="main", catalog="temp", quoted=True)


@dataclass
class Memory:
    """A database in memory, attached to the connection that reads the environment.

    resolve: from a product to where the environment has it. copied: its tables by their queries.
    """

    connection: duckdb.DuckDBPyConnection
    resolve: Callable[[str], exp.Table]
    copied: dict[str, exp.Table] = field(default_factory=dict)
    copying: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def beside(self) -> Iterator[Memory]:
        """The same for another thread: with these tables, and damaged rows of its own."""
        with self.copying:
            cursor = self.connection.cursor()
        with cursor:
            yield replace(self, connection=cursor)

    def run(self, query: exp.Expr | str) -> duckdb.DuckDBPyConnection:
        return self.connection.execute(query if isinstance(query, str) else _text(query))

    def rows(self, query: exp.Expr | str) -> list[tuple]:
        return self.run(query).fetchall()

    def keep(self, query: exp.Query) -> exp.Table:
        """The result of a query as a table; of one that was asked before, that of then."""
        text = _text(query)
        with self.copying:
            if text not in self.copied:
                name = f"kept_{len(self.copied)}"
                table = exp.table_(name, db="main", catalog=CATALOG, quoted=True)
                self.run(f"CREATE TABLE {_text(table)} AS {text}")
                self.copied[text] = table
            return self.copied[text].copy()

    def product(self, name: str) -> exp.Table:
        """The copy of a product."""
        return self.keep(exp.select("*").from_(self.resolve(name)))


class Unchanged(Exception):
    """A damage leaves every row as it was."""


@contextmanager
def memory(
    connection: duckdb.DuckDBPyConnection, resolve: Callable[[str], exp.Table]
) -> Iterator[Memory]:
    """The database in memory, for a while.

    To share many small queries among threads takes longer than to run each on one.
    """
    connection.execute(f"ATTACH ':memory:' AS {CATALOG}")
    try:
        with setting(connection, "threads", 1):
            yield Memory(connection, resolve)
    finally:
        connection.execute(f"DROP VIEW IF EXISTS {_text(DAMAGED)}")
        connection.execute(f"DETACH {CATALOG}")


@dataclass(frozen=True)
class Prepared:
    """A rule with its query on the rows that were damaged. columns: that it reads."""

    rule: TableRule
    query: str
    columns: frozenset[str]


@dataclass
class Copy:
    """The rows of one product, and what its contract asks of them.

    broken: the rules that the undamaged rows break, or that cannot be asked; none of them notices
    a damage. ordered: by changed columns the rules about the table, as they are best asked.
    """

    memory: Memory
    contract: Contract
    broken: dict[str, str] = field(default_factory=dict)
    ordered: dict[frozenset[str], list[Prepared]] = field(default_factory=dict)

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
    def row_rules(self) -> list[tuple[RowRule, str]]:
        """Rules about rows, each with what is selected to know whether a row breaks it."""
        rules = []
        for rule in self.contract.row_rules():
            broken = exp.select("1").from_(self.rows).where(rule.broken()).limit(1)
            if not self._is_broken(rule.id, partial(self.memory.rows, broken)):
                rules.append((rule, _any(rule.broken())))
        return rules

    @cached_property
    def table_rules(self) -> list[Prepared]:
        """Those on the number of rows first, then those that read least."""
        self.restore()
        found = filter(None, map(self.prepared, self.contract.table_rules()))
        return sorted(
            found, key=lambda one: (one.rule.scope is not Scope.COUNT, len(one.rule.references))
        )

    def _is_broken(self, rule: str, ask: Callable[[], object]) -> bool:
        """Whether the undamaged rows break a rule, or it cannot be asked."""
        try:
            if ask():
                self.broken[rule] = "the rows break it as they are"
        except (duckdb.Error, EngineRefuses) as error:
            self.broken[rule] = str(error).partition("\n")[0]
        return rule in self.broken

    @property
    def undamaged(self) -> exp.Select:
        names = [exp.column(column.name) for column in self.contract.columns]
        return exp.select(*names).from_(self.rows)

    def prepared(self, rule: TableRule) -> Prepared | None:
        """A rule, ready to be asked; None when it is broken by the rows that are in place now."""
        made: list[Prepared] = []

        def ask() -> object:
            query = self._worked_out(rule.offending(DAMAGED, self.memory.product))
            columns = {column.name for column in rule.query.find_all(exp.Column)}
            text = _text(exp.select("1").from_(query.subquery("found")).limit(1))
            made.append(Prepared(rule, text, frozenset(columns | set(rule.columns))))
            return self.memory.rows(text)

        return None if self._is_broken(rule.id, ask) else made[0]

    def _worked_out(self, query: exp.Select) -> exp.Select:
        """The same, with what does not depend on the damaged rows as tables."""
        names = {cte.alias for cte in query.find_all(exp.CTE)}
        kept: dict[str, exp.Table] = {}

        def depends(node: exp.Expr) -> bool:
            tables = list(node.find_all(exp.Table))
            damaged = any(t.catalog == DAMAGED.catalog for t in tables)
            return not tables or damaged or any(_step(t) in names - kept.keys() for t in tables)

        # Steps, one side of a union, as what a product is compared with, and derived tables.
        for part in list(query.find_all(exp.Select, exp.SetOperation)):
            around = part.parent
            derived = isinstance(around, exp.Subquery) and around.parent
            free = isinstance(around, exp.CTE | exp.Union) or (
                isinstance(derived, exp.From | exp.Join) and derived.this is around
            )
            if free and part.root() is query and not depends(part):
                for table in list(part.find_all(exp.Table)):
                    if _step(table) in kept:
                        found = kept[_step(table)].copy()
                        table.replace(exp.alias_(found, table.alias_or_name, table=True))
                # What looks at rows around it cannot stand alone.
                with suppress(duckdb.BinderException):
                    found = self.memory.keep(part)
                    part.replace(exp.select("*").from_(found))
                    if isinstance(around, exp.CTE):
                        kept[around.alias] = found
        return query

    def restore(self) -> None:
        """Put the rows as they are in the place that the rules look at."""
        self._show(_text(self.undamaged))

    def damage(self, damage: Damage) -> None:
        """Put the damaged rows in that place."""
        self._show(self._damaged(damage))

    def _show(self, rows: str) -> None:
        self.memory.run(f"CREATE OR REPLACE TEMP VIEW {_text(DAMAGED)} AS {rows}")

    def _damaged(self, damage: Damage, only: frozenset[str] | None = None) -> str:
        """The query of the damaged rows; the values that it picks from the rows are picked once."""
        query = damage.query(self.rows, only)
        for picked in list(query.find_all(exp.Subquery)):
            if picked.root() is query:
                picked.replace(exp.select("*").from_(self.memory.keep(picked.this)).subquery())
        return _text(query, copy=False)

    def noticed_by(self, damage: Damage) -> str | None:
        """Put the damaged rows in that place: a rule that they break, if there is one.

        Rules about rows are asked together; then those about the table, one by one, first the one
        that noticed the last damage of these columns. Raises Unchanged where nothing is different.
        """
        changed = damage.changed
        if changed:
            # Where rows come or go, each that is there keeps the rules about rows.
            rules = [one for one in self.row_rules if changed & set(one[0].columns)]
            rows = self._damaged(damage, changed.union(*(rule.columns for rule, _ in rules)))
            others = [
                exp.NullSafeNEQ(this=exp.column(name), expression=exp.column(before(name)))
                for name in sorted(changed)
            ]
            asked = [*(broken for _, broken in rules), _any(exp.or_(*others))]
            *found, differs = self.memory.rows(f"SELECT {', '.join(asked)} FROM ({rows})")[0]
            for (rule, _), is_broken in zip(rules, found, strict=True):
                if is_broken:
                    return rule.id
            if not differs:
                raise Unchanged
        speaking = [one for one in self.table_rules if not changed or changed & one.columns]
        table_rules = self.ordered.setdefault(changed, speaking)
        self.damage(damage)
        for number, one in enumerate(table_rules):
            with suppress(duckdb.Error):
                if self.memory.rows(one.query):
                    table_rules.insert(0, table_rules.pop(number))
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


def _any(condition: exp.Expr) -> str:
    return _text(exp.LogicalOr(this=condition), copy=False)


def _step(table: exp.Table) -> str:
    """The name of a step of the query, where a table is one."""
    return "" if table.db else table.name


def _text(query: exp.Expr, *, copy: bool = True) -> str:
    return query.sql(dialect=DIALECT, identify=True, copy=copy)
