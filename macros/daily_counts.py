"""The exact median of ratings that are counted in ten columns, one per half-star."""

from __future__ import annotations

from sqlglot import exp, parse_one
from sqlmesh import macro


@macro()
def median_of_counts(evaluator, table: exp.Expression) -> exp.Expression:
    """The exact median in stars: the mean of the two middle ratings when the count is even.

    table: the name of a table in the query that has the columns `rating_count` and `ratings_0_5`
    to `ratings_4_5`. NULL when there are no ratings.

    As in `median_of_histogram`: with c ratings of n at a threshold or below, the threshold moves
    the sum of the two middle ratings by SIGN(n - 2 c) + 1 half-stars. Here c is a running sum.
    """
    steps: list[str] = []
    at_most: list[str] = []
    for half_stars in range(1, 10):
        at_most.append(f"{table.name}.ratings_{half_stars // 2}_{half_stars % 2 * 5}")
        steps.append(f"SIGN({table.name}.rating_count - 2 * ({' + '.join(at_most)}))")
    return parse_one(f"(11 + {' + '.join(steps)}) / 4", dialect="bigquery")
