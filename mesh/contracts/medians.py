"""Exact medians in the expressions of a rule, of values that are a few known numbers.

    MEDIAN_OF(score, 0.5, 5.0, 0.5)          of a column that is 0.5, 1.0, … or 5.0
    MEDIAN_OF_COUNTS(scores, 0.5, 5.0, 0.5)  of columns scores_0_5, scores_1_0, … scores_5_0,
                                             each of which says how often its value is there

BigQuery has no median of a group, and to sort it would take longer. With c of n at most a value,
the lower middle one is above it if 2 c < n, the upper one if 2 c <= n: each value but the last
moves their mean from the least value by half a step times SIGN(n - 2 c) + 1.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar, cast

from sqlglot import exp, parse_one

Node = TypeVar("Node", bound=exp.Expr)
MEDIANS = ("MEDIAN_OF", "MEDIAN_OF_COUNTS")
# So many values are written out at most.
MOST = 100


def is_median(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.upper() in MEDIANS


def values_of(node: exp.Expr) -> list[Decimal] | None:
    """The values that a median is of; None when it does not say a column and from, to, step."""
    column, *numbers = node.expressions or [None]
    if not isinstance(column, exp.Column) or len(numbers) != 3:
        return None
    if not all(isinstance(one, exp.Literal) and not one.is_string for one in numbers):
        return None
    low, high, step = (Decimal(one.name) for one in numbers)
    if not step or low >= high or (high - low) % step or (high - low) / step >= MOST:
        return None
    return [low + step * number for number in range(int((high - low) / step) + 1)]


def expanded(node: Node, *, copy: bool = True) -> Node:
    """The same in words of the engines."""
    made = node.transform(lambda one: _written(one) if is_median(one) else one, copy=copy)
    return cast(Node, made)


def _written(node: exp.Expr) -> exp.Expr:
    values = values_of(node) or []
    column, _, _, step = (one.sql() for one in node.expressions)
    if node.name.upper() == "MEDIAN_OF":
        count = f"COUNT({column})"
        at_most = [f"COUNTIF({column} <= {value})" for value in values[:-1]]
    else:
        places = max(0, *(-int(value.as_tuple().exponent) for value in values))
        names = [f"{column}_{value:.{places}f}".replace(".", "_") for value in values]
        sums = [f"SUM({name})" for name in names]
        count = _sum(sums)
        at_most = [_sum(sums[:number]) for number in range(1, len(values))]
    of = f"NULLIF({count}, 0)"
    signs = _sum([f"SIGN({of} - 2 * {one})" for one in at_most])
    middle = (values[0] + values[-1]) / 2
    return parse_one(f"({middle} + {step} / 2 * {signs})", dialect="bigquery")


def _sum(parts: list[str]) -> str:
    """Added in halves: one by one, many parts lie deeper in each other than engines go."""
    half = len(parts) // 2
    return f"({_sum(parts[:half])} + {_sum(parts[half:])})" if half else f"({parts[0]})"
