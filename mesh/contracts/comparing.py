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
    """Which rows a query finds without a clause, and the condition in it."""
    stated = query.args.get(clause)
    rest = query.copy()
    rest.set(clause, None)
    return _rows(rest), stated.this if stated else exp.true()


def _rows(query: exp.Expr) -> str:
    """Which rows a query finds: a rule counts them, and shows whichever columns it likes."""
    return read_query(query).rows


def _innermost(query: exp.Expr) -> exp.Select | None:
    """The query of the offenders: what a `SELECT * FROM (…)` around it selects from."""
    while isinstance(query, exp.Select):
        source = query.args.get("from_") or query.args.get("from")
        inner = source.this if source else None
        plain = not query.args.get("where") and not query.args.get("joins")
        if not (plain and isinstance(inner, exp.Subquery)):
            return query
        query = inner.this
    return None
