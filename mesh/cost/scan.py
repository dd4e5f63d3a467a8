"""Which columns and which partitions of which stored tables a query reads.

What is wanted of a result is asked of what it is made from, from the outermost query down to the
tables: first all that a SELECT wants of its sources, then each of these in turn. SQLGlot says of
which source a column is. A query that others name is asked once, for all of them. A table that
stands twice is counted once, with all columns and partitions that either place needs. What is asked
of a view is kept: many queries ask the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple

from sqlglot import exp
from sqlglot.dialects import BigQuery
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from mesh.cost.days import column_of, days
from mesh.cost.sizes import Scan, TableSize

# Nobody asks for types here, and to infer them takes SQLGlot longer than all else.
DIALECT = BigQuery()
DIALECT.ANNOTATE_ALL_SCOPES = False


class Left(NamedTuple):
    """The days of a column that a condition leaves, from the first to the last; None: open."""

    column: str
    first: date | None
    last: date | None


@dataclass
class Asked:
    """What others want of a table or a query: its columns, and what each place leaves of their
    days."""

    wanted: set[str] = field(default_factory=set)
    places: list[list[Left]] = field(default_factory=list)

    def add(self, columns: Iterable[str], places: Iterable[list[Left]]) -> None:
        """Other places."""
        self.wanted.update(columns)
        self.places += places

    @property
    def left(self) -> list[Left]:
        """Of several places each may leave other days."""
        return self.places[0] if len(self.places) == 1 else []

    def days_of(self, column: str | None) -> tuple[date | None, date | None]:
        """The first and the last day that any place leaves; a bound that one lacks, all lack."""
        column = (column or "").lower()
        own = [[one for one in place if one.column == column] for place in self.places]
        firsts = [max((x.first for x in place if x.first), default=None) for place in own]
        lasts = [min((x.last for x in place if x.last), default=None) for place in own]
        return (
            min((x for x in firsts if x), default=None) if all(firsts) else None,
            max((x for x in lasts if x), default=None) if all(lasts) else None,
        )


@dataclass(frozen=True)
class Relations:
    """All that a query may read, by `schema.name`.

    schemas: columns and BigQuery types. views: the queries of those that are views. sizes: of
    the stored ones.
    """

    schemas: Mapping[str, Mapping[str, str]]
    views: Mapping[str, exp.Expr]
    sizes: Mapping[str, TableSize]
    _of_views: dict[tuple[str, frozenset[str], frozenset[Left]], dict[str, Asked]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @cached_property
    def _schema(self) -> MappingSchema:
        schema = MappingSchema(dialect=DIALECT)
        for name, columns in self.schemas.items():
            schema.add_table(exp.to_table(name, dialect=DIALECT), dict(columns), match_depth=False)
        return schema

    def qualified(self, query: exp.Expr) -> exp.Expr:
        """With the source of each column before it."""
        return qualify(
            query.copy(),
            dialect=DIALECT,
            schema=self._schema,
            infer_schema=True,
            validate_qualify_columns=False,
            quote_identifiers=False,
        )

    @cached_property
    def _qualified_views(self) -> dict[str, exp.Expr]:
        return {name: self.qualified(query) for name, query in self.views.items()}

    def ask(
        self, name: str, columns: set[str], left: list[Left], found: defaultdict[str, Asked]
    ) -> None:
        """Note what one place reads of a table, or of the tables behind a view."""
        if name not in self.views:
            found[name].add(columns, [left])
            return
        key = (name, frozenset(columns), frozenset(left))
        if key not in self._of_views:
            query = self._qualified_views[name]
            self._of_views[key] = _reads(query, self, Asked(columns, [left]))
        for table, asked in self._of_views[key].items():
            found[table].add(asked.wanted, asked.places)


def scan(query: exp.Expr, relations: Relations) -> Scan:
    """The bytes that BigQuery would count for a query."""
    tables = {}
    for name, asked in _reads(relations.qualified(query), relations).items():
        if size := relations.sizes.get(name):
            rows = size.rows_between(*asked.days_of(size.partition_column))
            known = asked.wanted.intersection(map(str.lower, relations.schemas[name]))
            tables[name] = rows * sum(size.columns.get(column, 8.0) for column in sorted(known))
    return Scan(tables)


def _reads(query: exp.Expr, relations: Relations, whole: Asked | None = None) -> dict[str, Asked]:
    """What a qualified query reads of each table, by `schema.name`; whole: what is asked of it."""
    found: defaultdict[str, Asked] = defaultdict(Asked)
    scopes = traverse_scope(query)
    of = {id(scope.expression): scope for scope in scopes}
    asked: dict[Scope, Asked] = defaultdict(Asked)
    asked[scopes[-1]] = whole or Asked({*_names(scopes[-1])})
    # Backwards, what names a query comes before it.
    for scope in reversed(scopes):
        if scope not in asked:
            continue
        if isinstance(scope.expression, exp.SetOperation):
            for side, one in _sides(scope, asked[scope]):
                asked[side].add(one.wanted, one.places)
        elif isinstance(scope.expression, exp.Select):
            select = _Select(scope, asked[scope])
            for inner in (of[id(query)] for query in select.subqueries):
                asked[inner].add(_names(inner), [[]])
                for column in inner.external_columns:
                    select.columns[column.table].add(column.name)
            for alias, (_, source) in scope.selected_sources.items():
                columns, left = select.columns[alias], select.left(alias)
                if isinstance(source, Scope):
                    asked[source].add(_names(source) if scope.pivots else columns, [left])
                else:
                    name = f"{source.db}.{source.name}"
                    every = {column.lower() for column in relations.schemas.get(name, ())}
                    relations.ask(name, every if scope.pivots else columns, left, found)
    return found


def _sides(scope: Scope, asked: Asked) -> Iterator[tuple[Scope, Asked]]:
    """Queries whose rows are put together, or compared: columns that stand at the same place."""
    query, names = scope.expression, _names(scope)
    compares = not isinstance(query, exp.Union) or query.args.get("distinct")
    left = [] if query.args.get("limit") else asked.left
    for side in scope.union_scopes:
        there = dict(zip(names, _names(side), strict=False))
        wanted = {there[name] for name in names if compares or name in asked.wanted}
        yield side, Asked(wanted, [[one._replace(column=there[one.column]) for one in left]])


def _names(scope: Scope) -> list[str]:
    """What the columns of a query's result are called."""
    return scope.expression.named_selects if isinstance(scope.expression, exp.Query) else []


class _Select:
    """What a SELECT needs of its sources for what is asked of it.

    columns: by alias. subqueries: those within what is needed; all of their columns are.
    """

    def __init__(self, scope: Scope, asked: Asked) -> None:
        self.columns: dict[str, set[str]] = defaultdict(set)
        self.subqueries: list[exp.Expr] = []
        self._asked = asked
        self._args = scope.expression.args
        self._joins = list(scope.find_all(exp.Join))
        self._results = {one.alias_or_name: one for one in scope.expression.expressions}
        wanted = self._results if self._args.get("distinct") else asked.wanted
        self._wanted = [one for name, one in self._results.items() if name in wanted]
        self._unnamed = dict(self._results)
        needed: list[object] = [*self._wanted, *scope.udtfs]
        needed += [join.args.get("on") for join in self._joins]
        for name, clause in self._args.items():
            if name not in ("with_", "expressions", "from_", "joins"):
                needed += clause if isinstance(clause, list) else [clause]
        for one in needed:
            if isinstance(one, exp.Expr):
                self._need(one)

    def _need(self, expression: exp.Expr) -> None:
        """All columns of an expression; what names a result needs that."""
        for part in expression.walk(prune=_is_apart):
            if isinstance(part, exp.Query):
                self.subqueries.append(part.unnest())
            elif isinstance(part, exp.Column) and part.table:
                self.columns[part.table].add(part.name)
            elif isinstance(part, exp.Column | exp.Identifier) and part.name in self._unnamed:
                self._need(self._unnamed.pop(part.name))

    def left(self, alias: str) -> list[Left]:
        """What conditions leave of the days of a source: those of this SELECT and of others."""
        conditions = [
            join.args["on"]
            for join in self._joins
            if join.args.get("on") and join.side in ("", "LEFT") and join.alias_or_name == alias
        ]
        if self._args.get("where"):
            conditions.append(self._args["where"].this)
        found = [
            Left(column.name, first, last)
            for condition in conditions
            for column, first, last in days(condition)
            if column.table == alias
        ]
        # Where no row of the result depends on others, conditions on it can move in.
        apart = any(self._args.get(name) for name in ("group", "limit", "qualify"))
        if apart or any(one.find(exp.Window) for one in self._wanted):
            return found
        for one in self._asked.left:
            column = column_of(self._results[one.column].unalias())
            if column and column.table == alias:
                found.append(one._replace(column=column.name))
        return found


def _is_apart(part: exp.Expr) -> bool:
    """Whether what stands below is not part of an expression: another query, a column's names."""
    return isinstance(part, exp.Query | exp.Column)
