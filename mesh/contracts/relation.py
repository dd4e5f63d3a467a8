"""The rows of a table or a query as what decides on them, and its columns as how they are made."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from sqlglot import exp

Origin = tuple[str, str]
"""A table, by the name that the query gives it, and one of its columns."""
# What stands for rows that are no table's, as of an array; of copies it has a number.
MADE = "made"
# A value of the one row that is found for another.
LOOKED_UP = "looked_up"
# A value of windows, with the rows that they see.
SEEN = "seen"


@dataclass(frozen=True)
class Relation:
    """The rows of a table, a query or a part of one, and its columns.

    tables: whose rows are joined; conditions: which of them are kept; joins: outer ones.
    columns: each from columns of the tables; a table itself does not know its own.
    deciding: all that ever decided about rows.
    made: what the rows are made from that are no table's: whatever has no name is a column of it.
    key: columns that no two rows have the same values of. by: how one row of it is found for each
    of others, or none, where it adds no rows to them: its values depend on that.
    """

    tables: tuple[str, ...]
    conditions: tuple[exp.Expr, ...] = ()
    joins: tuple[str, ...] = ()
    columns: dict[str, exp.Expr] = field(default_factory=dict)
    deciding: tuple[exp.Expr, ...] = ()
    made: exp.Expr | None = None
    key: tuple[str, ...] = ()
    by: tuple[exp.Expr, ...] = ()

    @cached_property
    def rows(self) -> str:
        """One text for the rows; the name of a table for a table."""
        if len(self.tables) == 1 and not self.conditions and not self.joins:
            return self.tables[0]
        conditions = sorted({one.sql() for one in self.conditions})
        return digest(*sorted(self.tables), "where", *conditions, "join", *sorted(self.joins))

    def column(self, name: str) -> exp.Expr:
        """How a column is computed."""
        if known := self.columns.get(name):
            found = known.copy()
        else:
            found = one_of(self.made, name) if self.made else exp.column(name, table=self.tables[0])
        if not self.by:
            return found
        return exp.Anonymous(this=LOOKED_UP, expressions=[found, *(one.copy() for one in self.by)])

    def renamed(self, names: Sequence[str]) -> Relation:
        """The same where its first columns go by other names."""
        every = [*names, *[*self.columns][len(names) :]]
        called = dict(zip(self.columns, every, strict=False))
        return replace(
            self,
            columns=dict(zip(every, self.columns.values(), strict=False)),
            key=tuple(called.get(name, name) for name in self.key),
        )

    @property
    def names(self) -> set[str]:
        """The tables by which its columns are known; what rows are made from is of others."""
        if self.made:
            return {*self.tables}
        return {*self.tables, *(table for table, _ in origins(*self.columns.values()) if table)}

    @cached_property
    def texts(self) -> dict[str, str]:
        """One text for each column."""
        return {name: value.sql() for name, value in self.columns.items()}

    @cached_property
    def blurred(self) -> dict[str, str]:
        """The same, whichever of several copies of a table a column is of.

        Copies are counted in the order of their rows: other rows may change the count alone.
        """
        return {name: blur(text) for name, text in self.texts.items()}

    def origins_of(self, name: str) -> set[Origin]:
        """The columns of tables that the values of a column come from."""
        return set(origins(self.columns[name]))

    @property
    def filters(self) -> set[Origin]:
        """The columns that decide about the rows."""
        return set(origins(*self.deciding))

    @property
    def compared(self) -> set[tuple[str, str, str]]:
        """Columns of tables, and the texts and numbers that they are compared with."""
        found = set()
        for node in (*self.deciding, *self.columns.values()):
            for test in node.find_all(exp.EQ, exp.NEQ):
                for literal in test.find_all(exp.Literal):
                    found |= {(*origin, literal.name) for origin in origins(test)}
        return found

    def closed(self, *why: str) -> Relation:
        """The same as one table, whose rows are not looked into; why: what else decides."""
        return replace(self, tables=(digest(self.rows, *why),), conditions=(), joins=())

    def copied(self, number: int) -> Relation:
        """Another copy of the same rows, as in a join of a table with itself."""

        def other(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Column) and node.table and not self.made:
                node = exp.column(node.name, table=f"{node.table}#{number}")
            elif isinstance(node, exp.Anonymous) and node.name == MADE:
                node.set("this", f"{MADE}#{number}")
            return node

        return replace(
            self,
            tables=tuple(f"{table}#{number}" for table in self.tables),
            conditions=tuple(one.transform(other) for one in self.conditions),
            columns={name: value.transform(other) for name, value in self.columns.items()},
            made=self.made and self.made.transform(other),
        )


def made_from(*parts: exp.Expr) -> exp.Anonymous:
    """What the rows of something are made from that is no table."""
    return exp.Anonymous(this=MADE, expressions=[*parts])


def one_of(made: exp.Expr, name: str, *more: exp.Expr) -> exp.Expr:
    """A column of it, by its name or its place."""
    column = made.copy()
    column.set("expressions", [*column.expressions, exp.Literal.string(name), *more])
    return column


def blur(text: str) -> str:
    return re.sub(r"#\d+", "", text)


def digest(*parts: str) -> str:
    return "_" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]


def origins(*nodes: exp.Expr) -> Iterator[Origin]:
    """The columns of tables that expressions read."""
    for node in nodes:
        for column in node.find_all(exp.Column):
            yield column.table.partition("#")[0], column.name
