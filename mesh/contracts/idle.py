"""Conditions and queries that no row can meet: a rule that looks for such rows promises nothing.

SQLGlot's simplifier says it, with what holds of every value: that nothing is less than itself, that
no length is negative. Whatever is not understood may be met.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp
from sqlglot.optimizer.simplify import simplify

from mesh.contracts.conditions import plain
from mesh.contracts.sql import DIALECT

# TRUE of no value, for it is FALSE or NULL, where both sides are the same.
_NOT_OF_ITSELF = (exp.NEQ, exp.LT, exp.GT)
_KEPT_BY_ALL = (exp.EQ, exp.LTE, exp.GTE)
_NOT_NEGATIVE = (exp.Length, exp.Abs, exp.Count)
_PARTS = {"DAY": 31, "MONTH": 12}
_ANYTHING = re.compile(r"\^?(\(\?s\))?\(?(\.[*]|\[\\s\\S\][*])?\)?\$?")


def always(condition: exp.Expr) -> bool:
    """Whether every row keeps a condition; NULL counts as kept."""
    return never(exp.not_(condition))


def never(condition: exp.Expr, *, grouped: bool = False) -> bool:
    """Whether a condition is TRUE for no row. grouped: of the rows of a group, not of one row."""
    return _doubtful(condition) and _never(plain(condition).transform(_number), grouped)


def _doubtful(condition: exp.Expr) -> bool:
    """Whether it is worth a look: something is said twice, or of nothing, or has a limit."""
    seen: set[exp.Expr] = set()
    for leaf in _leaves(condition):
        things = [one for one in leaf.iter_expressions() if one.find(exp.Column)]
        if len(set(things)) < len(things) or leaf.find(exp.Column) is None:
            return True
        if not isinstance(leaf, exp.Is) and leaf.find(exp.Boolean, exp.Null):
            return True
        if leaf.find(*_NOT_NEGATIVE, exp.Extract, exp.Case, exp.RegexpLike) or not seen.isdisjoint(
            things
        ):
            return True
        seen.update(things)
    return False


def _leaves(node: exp.Expr) -> Iterator[exp.Expr]:
    node = node.unnest()
    if isinstance(node, exp.And | exp.Or | exp.Not):
        for part in node.iter_expressions():
            yield from _leaves(part)
    else:
        yield node


def _number(node: exp.Expr) -> exp.Expr:
    """A negative number as one literal: the simplifier compares those alone."""
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        return exp.Literal(this=f"-{node.this.name}", is_string=False)
    return node


def _never(node: exp.Expr, grouped: bool) -> bool:
    node = simplify(_decided(node), dialect=DIALECT).unnest()
    if isinstance(node, exp.Or):
        return all(_never(part, grouped) for part in node.flatten())
    parts = [part.unnest() for part in node.flatten()] if isinstance(node, exp.And) else [node]
    if any(part in (exp.false(), exp.null()) for part in parts):
        return True
    if any(isinstance(part, exp.Or) and _never(part, grouped) for part in parts):
        return True
    told = [*parts, *_facts(node, grouped)]
    return any(_contradict(one, other) for one in parts for other in told if one is not other)


def _contradict(one: exp.Expr, other: exp.Expr) -> bool:
    """Whether two conditions on one thing never hold together."""
    if not isinstance(one, exp.Binary) or not isinstance(other, exp.Binary):
        return plain(exp.not_(one)) == other
    if one.left != other.left:
        return False
    if isinstance(one, exp.LTE) and isinstance(other, exp.GTE):
        bounds = (one.right, other.right)
        if all(isinstance(bound, exp.Literal) and bound.is_number for bound in bounds):
            return float(bounds[0].name) < float(bounds[1].name)
    together = simplify(exp.and_(one, other, dialect=DIALECT), dialect=DIALECT)
    return together == exp.false() or plain(exp.not_(one)) == other


def _decided(node: exp.Expr) -> exp.Expr:
    """The condition with what compares a thing with itself, or with NULL, decided."""
    node = node.unnest()
    if isinstance(node, exp.And | exp.Or | exp.Not):
        node = node.copy()
        for key in ("this", "expression"):
            if node.args.get(key) is not None:
                node.set(key, exp.paren(_decided(node.args[key])))
        return node
    if isinstance(node, exp.Binary):
        if node.left == node.right and isinstance(node, _NOT_OF_ITSELF):
            return exp.false()
        if node.left == node.right and isinstance(node, _KEPT_BY_ALL):
            return exp.true()
        unknown = exp.null() in (node.left, node.right)
        if unknown and isinstance(node, _NOT_OF_ITSELF + _KEPT_BY_ALL):
            return exp.false()
    if isinstance(node, exp.RegexpLike) and _ANYTHING.fullmatch(node.expression.name):
        return exp.true()
    if isinstance(node, exp.Case):
        ways = {node.args.get("default"), *(one.args["true"] for one in node.args["ifs"])}
        if len(ways) == 1 and None not in ways:
            return _decided(ways.pop())
    return node.copy()


def _facts(node: exp.Expr, grouped: bool) -> Iterator[exp.Expr]:
    """What holds of the functions in a condition."""
    for call in dict.fromkeys(node.find_all(*_NOT_NEGATIVE)):
        whole = grouped and isinstance(call, exp.Count) and isinstance(call.this, exp.Star)
        yield exp.GTE(this=call.copy(), expression=exp.Literal.number(int(whole)))
    for part in dict.fromkeys(node.find_all(exp.Extract)):
        if part.name in _PARTS:
            yield exp.GTE(this=part.copy(), expression=exp.Literal.number(1))
            yield exp.LTE(this=part.copy(), expression=exp.Literal.number(_PARTS[part.name]))


def finds_nothing(query: exp.Expr, nothing: frozenset[str] = frozenset()) -> bool:
    """Whether a query has no rows, whatever its tables hold. nothing: names that stand for none."""
    query = query.unnest()
    if not isinstance(query, exp.Query):
        return False
    for cte in query.ctes:
        if finds_nothing(cte.this, nothing):
            nothing |= {cte.alias}
    if isinstance(query, exp.SetOperation):
        left, right = (finds_nothing(side, nothing) for side in (query.this, query.expression))
        if isinstance(query, exp.Except):
            return left
        return left or right if isinstance(query, exp.Intersect) else left and right
    if not isinstance(query, exp.Select):
        return False
    having, where, group = (query.args.get(key) for key in ("having", "where", "group"))
    limit = query.args.get("limit")
    if limit is not None and limit.expression.name == "0":
        return True
    if having is not None and never(having.this, grouped=group is not None):
        return True
    if group is None and any(_aggregates(one) for one in (*query.expressions, having) if one):
        return False  # One row, even of none.
    if where is not None and never(where.this):
        return True
    source = query.args.get("from_") or query.args.get("from")
    if source is not None and _empty(source.this, nothing):
        return True
    for join in query.args.get("joins") or []:
        inner = not join.side and join.kind in ("", "INNER", "CROSS")
        on = join.args.get("on")
        if inner and (_empty(join.this, nothing) or (on is not None and never(on))):
            return True
    return False


def _aggregates(node: exp.Expr) -> bool:
    inside = node.find_ancestor(exp.Query)
    return any(
        not isinstance(one.parent, exp.Window) and one.find_ancestor(exp.Query) is inside
        for one in node.find_all(exp.AggFunc)
    )


def _empty(source: exp.Expr, nothing: frozenset[str]) -> bool:
    if isinstance(source, exp.Table):
        return not source.db and source.name in nothing
    return finds_nothing(source, nothing)
