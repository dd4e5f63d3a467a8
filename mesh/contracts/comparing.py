"""Two versions of a rule in SQL: the same, tighter, looser, or another rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TypeVar

from sqlglot import exp

from mesh.contracts.conditions import implies
from mesh.contracts.constraints.base import Effect
from mesh.contracts.queries import read_query
from mesh.contracts.relation import digest
from mesh.contracts.sql import TABLE, RuleSqlError, parse_rule

E = TypeVar("E", bound=exp.Expr)
_OPPOSITE: Mapping[Effect | None, Effect] = {
    Effect.TIGHTER: Effect.LOOSER,
    Effect.LOOSER: Effect.TIGHTER,
}


def compare_queries(old: str, new: str, renamed: Mapping[str, str]) -> Effect | None:
    """What became of a rule, None for the same. renamed: from old names of columns to new ones."""
    try:
        was, now = parse_rule(old), parse_rule(new)
    except RuleSqlError:
        return None if old.split() == new.split() else Effect.OTHER
    if was.condition is not None and now.condition is not None:
        return _conditions(with_names(was.condition, renamed), now.condition)
    left, right = with_names(was.offending, renamed), now.offending
    if _rows(left) == _rows(right):
        return None
    return _offending(left, right)


def together_say(new: Collection[exp.Expr], old: exp.Expr) -> bool:
    """Whether several queries of offending rows find all that one found.

    Understood where they differ in nothing but the WHERE, or the HAVING, of the offenders.
    """
    was, now = _innermost(old), [one for one in map(_innermost, new) if one is not None]
    if was is None:
        return False
    for clause in ("where", "having"):
        rows = _rows_without(was, clause)
        alike = [_asked(one, clause) for one in now if _rows_without(one, clause) == rows]
        if alike and implies(_asked(was, clause), exp.or_(*alike)):
            return True
    return False


def with_names(node: E, renamed: Mapping[str, str]) -> E:
    """A copy in which columns have their new names."""
    node = node.copy()
    for column in node.find_all(exp.Column):
        if column.name in renamed and column.table in ("", TABLE):
            column.set("this", exp.to_identifier(renamed[column.name]))
    return node


def _conditions(was: exp.Expr, now: exp.Expr) -> Effect | None:
    """A row must keep the condition: the stricter one is the tighter rule."""
    stricter, looser = implies(now, was), implies(was, now)
    if stricter and looser:
        return None
    return Effect.TIGHTER if stricter else Effect.LOOSER if looser else Effect.OTHER


def _offending(before: exp.Expr, after: exp.Expr) -> Effect | None:
    """Queries of offending rows: one that finds more is the tighter rule.

    Understood where the two differ in nothing but one WHERE or HAVING of the query of offenders.
    """
    old, new = _innermost(before), _innermost(after)
    if old is None or new is None:
        return Effect.OTHER
    for clause in ("where", "having"):
        if _rows_without(old, clause) != _rows_without(new, clause):
            continue
        effect = _conditions(_asked(old, clause), _asked(new, clause))
        return _OPPOSITE.get(effect, effect)
    return Effect.OTHER


# A rule is held against each of the others, and each query takes a moment to read.
@lru_cache(maxsize=512)
def _rows_without(query: exp.Select, clause: str) -> str:
    """Which rows a query finds without a clause."""
    return _rows(_without(query, clause))


def _without(query: exp.Select, *clauses: str) -> exp.Select:
    rest = query.copy()
    for clause in clauses:
        rest.set(clause, None)
    return rest


@lru_cache(maxsize=512)
def _asked(query: exp.Select, clause: str) -> exp.Expr:
    """The condition in a clause, on one name for each way to compute a column, count or subquery.

    By the names that a query gives them, two conditions are the same on columns that a CTE computes
    otherwise, or that are of the other side of a join.
    """
    stated = query.args.get(clause)
    if not stated:
        return exp.true()
    condition = stated.this.copy()
    around = exp.paren(condition, copy=False)
    leaves = [node for node in condition.walk(prune=_is_leaf) if _is_leaf(node)]
    later = ("group", "having", "qualify", "distinct", "order", "limit")
    rest = _without(query, clause, *(later if clause == "where" else ()))
    asked = {f"leaf_{number}": leaf for number, leaf in enumerate(leaves)}
    selected = rest.select(*(exp.alias_(leaf, name) for name, leaf in asked.items()), append=False)
    known = read_query(selected).columns
    for name, leaf in asked.items():
        # What is not understood is known by its text.
        leaf.replace(exp.column(digest(known.get(name, leaf).sql())))
    return around.this


def _is_leaf(node: exp.Expr) -> bool:
    """Whether it is one value to a condition: a column, an aggregate, or what asks a query."""
    if isinstance(node, exp.Column | exp.AggFunc | exp.Window | exp.Subquery):
        return True
    return isinstance(node.this, exp.Query) or isinstance(node.args.get("query"), exp.Query)


def _rows(query: exp.Expr) -> str:
    """Which rows a query finds: a rule counts them, and shows whichever columns it likes."""
    return read_query(query).rows


def _innermost(query: exp.Expr) -> exp.Select | None:
    """The query of the offenders: what a `SELECT * FROM (…)` around it selects from."""
    while isinstance(query, exp.Select):
        source = query.args.get("from_")
        inner = source.this if source else None
        others = (arg for key, arg in query.args.items() if key not in ("expressions", "from_"))
        if any(others) or not isinstance(inner, exp.Subquery):
            return query
        query = inner.this
    return None
