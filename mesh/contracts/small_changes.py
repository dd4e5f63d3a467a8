"""Small changes of a query: who says that two queries are alike must tell these from them.

A limit ten times as large, a condition less, `>` for `>=`, the largest for the sum: what a slip of
the hand, or a quiet weakening, makes of a rule.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

Change = Callable[[exp.Expr], exp.Expr | None]


def small_changes(query: exp.Select, most: int) -> list[exp.Select]:
    """So many changed copies at most, spread over the query and each of one change."""
    found: dict[str, exp.Select] = {}
    for number, node in enumerate(query.walk()):
        for change in _CHANGES:
            if node is not query and (other := change(node)) is not None:
                copy = query.copy()
                [*copy.walk()][number].replace(other)
                found.setdefault(copy.sql(), copy)
    step = max(1, -(-len(found) // most))
    return [*found.values()][::step]


def _compares(swapped: type[exp.Binary], into: type[exp.Binary]) -> Change:
    def change(node: exp.Expr) -> exp.Expr | None:
        if type(node) is not swapped:
            return None
        return into(this=node.left.copy(), expression=node.right.copy())

    return change


def _sums(swapped: type[exp.AggFunc], into: type[exp.AggFunc]) -> Change:
    def change(node: exp.Expr) -> exp.Expr | None:
        whole = node.this if type(node) is swapped else None
        return None if whole is None or isinstance(whole, exp.Distinct) else into(this=whole.copy())

    return change


def _limit(node: exp.Expr) -> exp.Expr | None:
    if not isinstance(node, exp.Literal) or node.is_string:
        return None
    if not isinstance(node.find_ancestor(exp.Predicate, exp.Select), exp.Predicate):
        return None  # As in `EXISTS (SELECT 1 …)`.
    return exp.Literal.number(int(node.name) * 10 if node.is_int else float(node.name) * 10)


def _without(side: str) -> Change:
    def change(node: exp.Expr) -> exp.Expr | None:
        return node.args[side].copy() if isinstance(node, exp.And | exp.Or) else None

    return change


_CHANGES: tuple[Change, ...] = (
    *(_without("this"), _without("expression"), _limit),
    *(_compares(exp.GTE, exp.GT), _compares(exp.GT, exp.GTE), _compares(exp.NEQ, exp.GT)),
    *(_compares(exp.LTE, exp.LT), _compares(exp.LT, exp.LTE), _compares(exp.EQ, exp.GTE)),
    *(_sums(exp.Sum, exp.Max), _sums(exp.Max, exp.Min), _sums(exp.Min, exp.Max)),
)
