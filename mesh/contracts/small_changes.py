"""Small changes of a query: who says that two queries are alike must tell these from them.

A limit ten times as large, a condition less, `>` for `>=`, the largest for the sum: what a slip of
the hand, or a quiet weakening, makes of a rule.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

# What becomes of a comparison, and of an aggregate.
_INTO: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GTE: exp.GT,
    exp.GT: exp.GTE,
    exp.LTE: exp.LT,
    exp.LT: exp.LTE,
    exp.NEQ: exp.GT,
    exp.EQ: exp.GTE,
    exp.Sum: exp.Max,
    exp.Max: exp.Min,
    exp.Min: exp.Max,
}


def small_changes(query: exp.Select, most: int) -> list[exp.Select]:
    """So many changed copies at most, spread over the query and each of one change."""
    found: dict[str, exp.Select] = {}
    for number, node in enumerate(query.walk()):
        for other in _changed(node) if node is not query else ():
            copy = query.copy()
            [*copy.walk()][number].replace(other)
            found.setdefault(copy.sql(), copy)
    step = max(1, -(-len(found) // most))
    return [*found.values()][::step]


def _changed(node: exp.Expr) -> Iterator[exp.Expr]:
    into = _INTO.get(type(node))
    if isinstance(node, exp.And | exp.Or):
        yield from (node.left.copy(), node.right.copy())
    elif isinstance(node, exp.Literal) and not node.is_string:
        # Not as in `EXISTS (SELECT 1 …)`.
        if isinstance(node.find_ancestor(exp.Predicate, exp.Select), exp.Predicate):
            limit = int(node.name) if node.is_int else float(node.name)
            yield exp.Literal.number(limit * 10)
    elif into and isinstance(node, exp.Binary):
        yield into(this=node.left.copy(), expression=node.right.copy())
    elif into and isinstance(node.this, exp.Expr) and not isinstance(node.this, exp.Distinct):
        yield into(this=node.this.copy())
