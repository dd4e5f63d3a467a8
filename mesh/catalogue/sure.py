"""What a query says of its columns whatever rows there are, where the rows that are there may lie.

A join that keeps rows without a match leaves columns empty, and counts zero, on the day on which
the first such row comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

# Ways to group by several sets of columns at once, or by whatever is there.
_SEVERAL = ("grouping_sets", "cube", "rollup", "totals", "all")
_ONE_SIDE = {"LEFT": (False, True), "RIGHT": (True, False), "FULL": (True, True)}


@dataclass(frozen=True)
class Sure:
    """may_be_empty: whether some row may have no value. is_counted: whether it is a number of rows
    of which there is one at least, or what stands in a table."""

    may_be_empty: bool = False
    is_counted: bool = True


@dataclass(frozen=True)
class Made:
    """columns: of the query, by name. unmatched: the tables, as `schema.name`, that need not have
    a row for each of the result. key: the columns that it has one row of each time
    that it is run, as its GROUP BY says."""

    columns: Mapping[str, Sure] = field(default_factory=dict)
    unmatched: frozenset[str] = frozenset()
    key: tuple[str, ...] = ()


_Known = dict[int, list[tuple[str, Sure]]]
"""The columns of queries within a query, in their order."""


def made_by(query: exp.Query | None) -> Made:
    """What a query with qualified columns makes of its tables; nothing where there is none."""
    known: _Known = {}
    unmatched: set[str] = set()
    for scope in traverse_scope(query) if query is not None else ():
        known[id(scope.expression)] = list(_columns(scope, known))
        for alias in _unmatched(scope.expression):
            source = scope.sources.get(alias)
            read = source.expression if isinstance(source, Scope) else source
            tables = read.find_all(exp.Table) if read is not None else ()
            unmatched |= {f"{table.db}.{table.name}" for table in tables}
    return Made(dict(known.get(id(query), ())), frozenset(unmatched), _key(query))


def _key(query: exp.Query | None) -> tuple[str, ...]:
    """What a query groups by, where all of it stands in the result as it is."""
    group = query.args.get("group") if query is not None else None
    if query is None or group is None or any(group.args.get(key) for key in _SEVERAL):
        return ()
    named = {_as_it_is(one.unalias()): one.alias_or_name for one in query.selects}
    keys = [named.get(_as_it_is(one)) for one in group.expressions]
    return tuple(filter(None, keys)) if all(keys) else ()


def _as_it_is(node: exp.Expr) -> exp.Expr:
    """Without casts to the type that it has."""
    while isinstance(node, exp.Cast) and node.this.type == node.to:
        node = node.this
    return node


def _columns(scope: Scope, known: _Known) -> Iterator[tuple[str, Sure]]:
    if isinstance(scope.expression, exp.SetOperation):
        sides = [known.get(id(one.expression), []) for one in scope.union_scopes]
        for parts in zip(*sides, strict=False):
            may_be_empty = any(sure.may_be_empty for _, sure in parts)
            is_counted = all(sure.is_counted for _, sure in parts)
            yield parts[0][0], Sure(may_be_empty, is_counted)
        return
    columns = {
        alias: dict(known.get(id(source.expression), ()))
        for alias, source in scope.sources.items()
        if isinstance(source, Scope)
    }
    grouped = {
        alias
        for alias, source in scope.sources.items()
        if isinstance(source, Scope) and source.expression.args.get("group")
    }
    select = scope.expression
    asked = _Select(columns, _unmatched(select), bool(select.args.get("group")), grouped)
    for one in select.expressions:
        yield one.alias_or_name, Sure(asked.may_be_empty(one), asked.is_counted(one))


def _unmatched(query: exp.Expr) -> set[str]:
    """The aliases of what an outer join of a query may leave without a row."""
    first = query.args.get("from_")
    seen = [first.alias_or_name] if first else []
    found: set[str] = set()
    for join in query.args.get("joins") or ():
        before, here = _ONE_SIDE.get(join.side, (False, False))
        found |= {*seen} if before else set()
        seen.append(join.alias_or_name)
        found |= {seen[-1]} if here else set()
    return found


@dataclass(frozen=True)
class _Select:
    """sources: the columns of those that are queries. grouped: whether it has a row per group;
    grouped_sources: those of the sources that have."""

    sources: Mapping[str, Mapping[str, Sure]]
    unmatched: set[str]
    grouped: bool
    grouped_sources: set[str]

    def may_be_empty(self, node: exp.Expr) -> bool:
        if isinstance(node, exp.Column):
            # What is looked up is there as a rule; what is added up may be of nothing.
            is_sum = node.table in self.grouped_sources or node.find_ancestor(exp.AggFunc)
            nothing = node.table in self.unmatched and bool(is_sum)
            return nothing or self._of(node).may_be_empty
        if isinstance(node, exp.Count | exp.CountIf):
            return False
        if isinstance(node, exp.Coalesce):
            return all(self.may_be_empty(one) for one in (node.this, *node.expressions))
        if isinstance(node, exp.Case | exp.If):
            answers = [one.args["true"] for one in node.args.get("ifs") or [node]]
            answers += filter(None, (node.args.get("default"), node.args.get("false")))
            return any(map(self.may_be_empty, answers))
        if isinstance(node, exp.Filter):
            return not isinstance(node.this, exp.Count)
        return any(map(self.may_be_empty, node.iter_expressions()))

    def is_counted(self, node: exp.Expr) -> bool:
        if isinstance(node, exp.Alias | exp.Cast | exp.Paren):
            return self.is_counted(node.this)
        if isinstance(node, exp.Column):
            return node.table not in self.unmatched and self._of(node).is_counted
        if isinstance(node, exp.Count):
            return self.grouped and isinstance(node.this, exp.Star)
        return isinstance(node, exp.Sum | exp.Max | exp.Min) and self.is_counted(node.this)

    def _of(self, column: exp.Column) -> Sure:
        return self.sources.get(column.table, {}).get(column.name, Sure())
