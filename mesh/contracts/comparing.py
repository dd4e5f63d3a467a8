"""Two versions of a rule in SQL: the same, tighter, looser, or another rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

from sqlglot import exp

from mesh.contracts.conditions import implies
from mesh.contracts.constraints.base import Effect
from mesh.contracts.queries import read_query
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
        rows, found = _apart(was, clause)
        parts = [_apart(one, clause) for one in now]
        alike = [condition for other, condition in parts if other == rows]
        if alike and implies(found, exp.or_(*alike)):
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
        (left, was), (right, now) = _apart(old, clause), _apart(new, clause)
        if left != right:
            continue
        effect = _conditions(was, now)
        return _OPPOSITE.get(effect, effect)
    return Effect.OTHER


def _apart(query: exp.Select, clause: str) -> tuple[str, exp.Expr]:
    """Which rows a query finds without a clause, and the condition in it, told by what it reads."""
    stated = query.args.get(clause)
    rest = query.copy()
    rest.set(clause, None)
    return _rows(rest), _told(rest, clause, stated.this.copy()) if stated else exp.true()


def _told(rest: exp.Select, clause: str, condition: exp.Expr) -> exp.Expr:
    """A condition with what its columns, counts and subqueries are computed from.

    By their names alone, two conditions are the same on columns that a CTE computes otherwise.
    rest: the query without it.
    """
    around = exp.paren(condition, copy=False)
    leaves = [node for node in condition.walk(prune=_is_leaf) if _is_leaf(node)]
    if clause == "where":
        for key in ("group", "having", "qualify", "distinct", "order", "limit"):
            rest.set(key, None)
    asked = {f"leaf_{number}": leaf for number, leaf in enumerate(leaves)}
    selected = rest.select(*(exp.alias_(leaf, name) for name, leaf in asked.items()), append=False)
    known = read_query(selected).columns
    for name, leaf in asked.items():
        leaf.replace(exp.paren(known[name]) if name in known else leaf)
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
        source = query.args.get("from_") or query.args.get("from")
        inner = source.this if source else None
        plain = not any(
            arg for key, arg in query.args.items() if key not in ("expressions", "from", "from_")
        )
        if not (plain and isinstance(inner, exp.Subquery)):
            return query
        query = inner.this
    return None
