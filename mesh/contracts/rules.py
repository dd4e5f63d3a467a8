"""What a contract asks of its rows and of its table, as SQLGlot expressions in BigQuery's dialect.

Row rules are conditions on one row; like a CHECK constraint, a condition that is NULL counts as
kept, and `required` alone decides about NULL. Table rules are queries of offending rows. Ids are
stable: a derived rule is called `<column id>.<kind>`, the grain `grain.unique`, and a stated rule
by its own id, which holds no dot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from sqlglot import exp

from mesh.contracts.sql import DIALECT, TABLE

Resolve = Callable[[str], exp.Table]
"""From the qualified name of a product to the table or view that holds it in an environment."""


class Scope(StrEnum):
    """Which rows the query of a table rule has to read when an interval was built.

    Those of the interval, all of the table, all that share the first column of their key with the
    interval (only rows that share a key can stand beside a copy), or no more than their number.
    Where groups of a time are compared with another product's, those of the interval on both sides.
    """

    INTERVAL = "interval"
    WHOLE = "table"
    KEYS = "keys"
    COUNT = "count"
    GROUPS = "groups"


@dataclass(frozen=True)
class Rule:
    """What both kinds of rules have. kind: of the promise; line: where it stands."""

    id: str
    kind: str
    description: str
    dimension: str
    severity: str
    line: int


@dataclass(frozen=True)
class RowRule(Rule):
    """A condition that must hold for each row.

    columns: the names of all columns that the condition speaks of.
    condition: a boolean expression over these columns, BigQuery dialect; treat it as read-only.
    """

    columns: tuple[str, ...]
    condition: exp.Expr = field(compare=False, repr=False)

    def broken(self) -> exp.Expr:
        """TRUE for a row that breaks the rule, FALSE or NULL for one that keeps it."""
        return exp.not_(self.condition.copy())

    def sql(self, dialect: str = DIALECT) -> str:
        """The condition as text."""
        return self.condition.sql(dialect=dialect)


@dataclass(frozen=True)
class TableRule(Rule):
    """A query that must find no offending row.

    columns: of a rule on keys, the columns that are unique together.
    references: the other products that the query reads, `<domain>.<product>`.
    minimum, maximum: of a rule on the number of rows alone, whose scope is COUNT, its bounds.
    sides: of a rule that compares two, what either says, from which the query is made.
    """

    scope: Scope
    query: exp.Select = field(compare=False, repr=False)
    columns: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    sides: exp.Union | None = field(default=None, compare=False, repr=False)

    def is_kept_by(self, rows: int) -> bool:
        """Whether a table with so many rows keeps a rule on their number."""
        return (self.minimum or 0) <= rows and (self.maximum is None or rows <= self.maximum)

    def offending(self, table: exp.Expr, resolve: Resolve | None = None) -> exp.Select:
        """The query of the offending rows of `table` (a table or a subquery).

        resolve: where the referenced products are; by default at their own names. BigQuery dialect
        in meaning; write it with `.sql(dialect=…)` for either engine.
        """
        return bind(self.query, table, resolve)


def bind(query: exp.Select, table: exp.Expr, resolve: Resolve | None = None) -> exp.Select:
    """Put real tables in the place of `${table}` and of the referenced products."""
    bound = query.copy()
    for node in list(bound.find_all(exp.Table)):
        alias = node.alias or ("this_table" if node.name == TABLE else node.name)
        if node.name == TABLE and not node.db:
            target = table.copy()
        elif node.db:
            product = f"{node.db}.{node.name}"
            target = resolve(product).copy() if resolve else exp.to_table(product, dialect=DIALECT)
        else:
            continue
        if isinstance(target, exp.Query) and not isinstance(target, exp.Subquery):
            target = target.subquery()
        target.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
        node.replace(target)
    for column in bound.find_all(exp.Column):
        if column.table == TABLE:
            column.set("table", exp.to_identifier("this_table"))
    return bound
