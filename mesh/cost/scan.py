"""Which columns and which partitions of which stored tables a query reads.

What is wanted of a result is asked of what it is made from, from the outermost query down to the
tables: first all that a SELECT wants of its sources, then each of these in turn. So a query that
others name is asked once, for all of them. A table that stands twice is counted once, with all
columns and partitions that either place needs. What is asked of a view is kept: many queries ask
the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple

from sqlglot import exp

from mesh.cost.days import column_of, days
from mesh.cost.sizes import Scan, TableSize


class Left(NamedTuple):
    """The days of a column that a condition leaves, from the first to the last; None: open."""

    column: str
    first: date | None
    last: date | None


@dataclass
class Read:
    """What all places together read of a table; a bound that one of them lacks, all lack."""

    columns: set[str]
    first: date | None
    last: date | None

    def add(self, other: Read) -> None:
        """Another place."""
        self.columns |= other.columns
        self.first = min(self.first, other.first) if self.first and other.first else None
        self.last = max(self.last, other.last) if self.last and other.last else None


class Reads(dict[str, Read]):
    """By `schema.name` of the table."""

    def add(self, name: str, read: Read) -> None:
        """A place where a table is read."""
        if name in self:
            self[name].add(read)
        else:
            self[name] = Read(set(read.columns), read.first, read.last)


@dataclass(frozen=True)
class Relations:
    """All that a query may read, by `schema.name`.

    schemas: columns and BigQuery types. views: the queries of those that are views. sizes: of
    the stored ones.
    """

    schemas: Mapping[str, Mapping[str, str]]
    views: Mapping[str, exp.Expr]
    sizes: Mapping[str, TableSize]
    _of_views: dict[tuple[str, frozenset[str], frozenset[Left]], Reads] = field(
        default_factory=dict, compare=False, repr=False
    )

    @cached_property
    def columns(self) -> dict[str, list[str]]:
        """Of all of them, in small letters."""
        return {name: [column.lower() for column in known] for name, known in self.schemas.items()}

    def ask(self, name: str, wanted: set[str], left: Collection[Left], found: Reads) -> None:
        """Note what one place reads of a table, or of the tables behind a view."""
        if name in self.views:
            key = (name, frozenset(wanted), frozenset(left))
            if key not in self._of_views:
                self._of_views[key] = Reads()
                _query(self.views[name], self).ask(wanted, left, self._of_views[key])
            for table, read in self._of_views[key].items():
                found.add(table, read)
        elif name in self.sizes:
            column = (self.sizes[name].partition_column or "").lower()
            first = max((x.first for x in left if x.column == column and x.first), default=None)
            last = min((x.last for x in left if x.column == column and x.last), default=None)
            found.add(name, Read(wanted.intersection(self.columns.get(name, ())), first, last))


def scan(query: exp.Expr, relations: Relations) -> Scan:
    """The bytes that BigQuery would count for a query."""
    tables = {}
    for name, read in reads(query, relations).items():
        size = relations.sizes[name]
        rows = size.rows_between(read.first, read.last)
        tables[name] = rows * sum(size.columns.get(column, 8.0) for column in sorted(read.columns))
    return Scan(tables)


def reads(query: exp.Expr, relations: Relations) -> Reads:
    """What a query reads of each stored table."""
    found = Reads()
    whole = _query(query, relations)
    whole.ask(set(whole.names), (), found)
    return found


class _Source:
    """What stands in a FROM: a query, the name of a table or view, or `""`: elements of arrays."""

    def __init__(
        self, relations: Relations, of: _Select | _Union | str, names: Collection[str]
    ) -> None:
        self.names = names
        self.wanted: set[str] = set()
        self.places: list[Collection[Left]] = []
        self._relations = relations
        self._of = of

    def finish(self, found: Reads) -> None:
        """Ask for all that is wanted; each of several places may leave other days."""
        left = self.places[0] if len(self.places) == 1 else ()
        if isinstance(self._of, str):
            self._relations.ask(self._of, self.wanted, left, found)
        elif self.places:
            self._of.ask(self.wanted, left, found)


def _query(
    query: exp.Expr,
    relations: Relations,
    known: Mapping[str, _Source] | None = None,
    outer: _Select | None = None,
) -> _Select | _Union:
    """known: common table expressions around it. outer: the SELECT whose columns it can name."""
    query = query.unnest()
    known = dict(known or {})
    own = []
    for cte in query.args["with_"].expressions if query.args.get("with_") else ():
        inner = _query(cte.this, relations, known)
        source = _Source(relations, inner, inner.names)
        known[cte.alias.lower()] = source
        own.append(source)
    if isinstance(query, exp.SetOperation):
        sides = [_query(side, relations, known, outer) for side in (query.left, query.right)]
        return _Union(query, sides, own)
    return _Select(query, relations, known, own, outer)


class _Union:
    """Queries whose rows are put together, or compared: columns that stand at the same place."""

    def __init__(
        self, query: exp.SetOperation, sides: list[_Select | _Union], own: list[_Source]
    ) -> None:
        self.names: list[str] = sides[0].names
        self._sides = sides
        self._own = own
        self._compares = not isinstance(query, exp.Union) or bool(query.args.get("distinct"))
        self._is_cut = bool(query.args.get("limit"))

    def ask(self, wanted: set[str], left: Collection[Left], found: Reads) -> None:
        """See `_Select.ask`."""
        places = [n for n, name in enumerate(self.names) if self._compares or name in wanted]
        around = () if self._is_cut else left
        for side in self._sides:
            there = dict(zip(self.names, side.names, strict=False))
            kept = [one._replace(column=there[one.column]) for one in around]
            side.ask({side.names[n] for n in places}, kept, found)
        for source in reversed(self._own):
            source.finish(found)


class _Select:
    """One SELECT and its sources."""

    def __init__(
        self,
        select: exp.Expr,
        relations: Relations,
        known: Mapping[str, _Source],
        own: list[_Source],
        outer: _Select | None,
    ) -> None:
        self._select = select
        self._relations = relations
        self._known = known
        self._own = own
        self._outer = outer
        self._joins: list[tuple[exp.Join, _Source]] = []
        self._sources: dict[str, _Source] = {}
        self._in_from: list[exp.Expr] = []
        if select.args.get("from_"):
            self._add(select.args["from_"].this)
        self._add_joins(select)
        self._results = [*self._named_results()]
        self.names: list[str] = [name for name, _ in self._results]

    def ask(self, wanted: set[str], left: Collection[Left], found: Reads) -> None:
        """Ask the sources for what these columns of the result need.

        left: what conditions around this query leave of the result's days.
        """
        if self._select.args.get("distinct"):
            wanted = set(self.names)
        results = [result for name, result in self._results if name in wanted]
        asked: list[object] = [*results]
        for name, clause in self._select.args.items():
            if name in ("group", "having", "qualify", "order") and clause:
                asked += self._results_in(clause)
            if name not in ("with_", "expressions", "from_", "joins"):
                asked += clause if isinstance(clause, list) else [clause]
        asked += [join.args.get("on") for join, _ in self._joins]
        for one in (*asked, *self._in_from):
            if isinstance(one, exp.Expr):
                self._want(one, found)
        kept = [*self._left_here()]
        if self._keeps_rows(results):
            kept += self._left_around(left)
        for source in self._sources.values():
            source.places.append([days for of, days in kept if of is source])
            if source not in self._known.values():
                source.finish(found)
        for source in reversed(self._own):
            source.finish(found)

    def _add(self, node: exp.Expr) -> _Source:
        """A source of a FROM or a JOIN."""
        inner = node.unnest() if isinstance(node, exp.Subquery) else node
        alias = node.alias_or_name.lower()
        if isinstance(inner, exp.Query):
            query = _query(inner, self._relations, self._known)
            source = _Source(self._relations, query, query.names)
        elif isinstance(inner, exp.Table):
            alias = alias or inner.alias_or_name.lower()
            name = f"{inner.db}.{inner.name}"
            shared = self._known.get(inner.name.lower()) if not inner.db else None
            columns = self._relations.columns.get(name, ())
            source = shared or _Source(self._relations, name, columns)
        else:
            names = [*inner.alias_column_names, inner.text("offset")]
            alias = alias or names[0].lower()
            source = _Source(self._relations, "", [name.lower() for name in names])
            self._in_from.append(inner)
        self._sources[alias or str(len(self._sources))] = source
        self._add_joins(inner)
        if inner.args.get("pivots"):
            source.wanted.update(source.names)
        return source

    def _add_joins(self, node: exp.Expr) -> None:
        for join in node.args.get("joins") or ():
            self._joins.append((join, self._add(join.this)))
            for column in join.args.get("using") or ():
                for source in self._sources.values():
                    source.wanted.update({column.name.lower()}.intersection(source.names))

    def _named_results(self) -> Iterator[tuple[str, exp.Expr]]:
        """Name and expression of each column of the result."""
        for selection in self._select.expressions:
            if not selection.is_star:
                yield selection.alias_or_name.lower(), selection
                continue
            star = selection.this if isinstance(selection, exp.Column) else selection
            except_ = {one.name.lower() for one in star.args.get("except_") or ()}
            replaced = {one.alias.lower(): one for one in star.args.get("replace") or ()}
            for alias, source in self._sources.items():
                if isinstance(selection, exp.Column) and selection.table.lower() != alias:
                    continue
                for name in source.names:
                    if name not in except_:
                        yield name, replaced.get(name) or exp.column(name, alias)

    def _results_in(self, clause: exp.Expr) -> Iterator[exp.Expr]:
        """The columns of the result that a clause names, or tells by their places."""
        results = dict(self._results)
        for part in clause.walk(prune=_is_apart):
            if isinstance(part, exp.Column) and not part.table and part.name.lower() in results:
                yield results[part.name.lower()]
        for part in clause.expressions:
            place = part.this if isinstance(part, exp.Ordered) else part
            if isinstance(place, exp.Literal) and place.is_int:
                yield self._results[int(place.name) - 1][1]

    def _want(self, expression: exp.Expr, found: Reads) -> None:
        """All columns of an expression, and what queries in it need."""
        for part in expression.walk(prune=_is_apart):
            if isinstance(part, exp.Query):
                inner = _query(part, self._relations, self._known, self)
                inner.ask(set(inner.names), (), found)
            elif isinstance(part, exp.Column):
                of, name = self._find(part)
                if of:
                    of.wanted.add(name)

    def _find(self, column: exp.Column) -> tuple[_Source | None, str]:
        """The source of a column and its name there; the rest of its parts are fields of it."""
        parts = [part.name.lower() for part in column.parts]
        for place, part in enumerate(parts[:-1]):
            source = self._named(part)
            if source:
                return source, parts[place + 1]
        return self._with(parts[0]), parts[0]

    def _named(self, alias: str) -> _Source | None:
        return self._sources.get(alias) or (self._outer._named(alias) if self._outer else None)

    def _with(self, column: str) -> _Source | None:
        for source in self._sources.values():
            if column in source.names:
                return source
        return self._outer._with(column) if self._outer else None

    def _left_here(self) -> Iterator[tuple[_Source | None, Left]]:
        """What the conditions of this SELECT leave of the days of its sources."""
        conditions: list[tuple[exp.Expr, _Source | None]] = [
            (join.args["on"], source)
            for join, source in self._joins
            if join.args.get("on") and join.side in ("", "LEFT")
        ]
        if self._select.args.get("where"):
            conditions.append((self._select.args["where"].this, None))
        for condition, only in conditions:
            for column, *left in days(condition):
                source, name = self._find(column)
                if only in (None, source):
                    yield source, Left(name, *left)

    def _left_around(self, left: Iterable[Left]) -> Iterator[tuple[_Source | None, Left]]:
        """The same of what is left of the days of the result."""
        results = dict(self._results)
        for one in left:
            column = column_of(results[one.column].unalias())
            if column:
                source, name = self._find(column)
                yield source, one._replace(column=name)

    def _keeps_rows(self, results: Iterable[exp.Expr]) -> bool:
        """Whether no row of these results depends on others, so that conditions can move in."""
        apart = any(self._select.args.get(name) for name in ("group", "limit", "qualify"))
        return not apart and not any(result.find(exp.Window) for result in results)


def _is_apart(part: exp.Expr) -> bool:
    """Whether what stands below is not part of an expression: another query, a column's names."""
    return isinstance(part, (exp.Query, exp.Column))
