"""Ratings as histograms of half-stars, and their exact medians.

A rating has ten possible values, 0.5 to 5.0 in half-stars. A group of ratings is kept as its count
and nine cumulative counts: how many ratings are at most 0.5, at most 1.0, … at most 4.5 stars. The
nine stand packed in three INT64 of three fields of 21 bits: `low` (0.5, 1.0, 1.5), `mid` (2.0, 2.5,
3.0) and `high` (3.5, 4.0, 4.5). Both are sums over the ratings, so that histograms add up over
months, genres and users as long as a group has at most 2,097,151 ratings.
"""

from __future__ import annotations

from sqlglot import exp, parse_one
from sqlmesh import macro

HIGH_ABOVE = 4
"""A rating of more stars is a high one, in the contracts of both domains."""


@macro()
def histogram_part(evaluator, rating: exp.Expression, part: exp.Expression) -> exp.Expression:
    """The packed integer that one rating (in stars) adds to the part `low`, `mid` or `high`.

    A rating above all thresholds of the part adds 0.
    """
    bits, fields = 21, {"low": (1, 2, 3), "mid": (4, 5, 6), "high": (7, 8, 9)}
    thresholds = fields[part.name]
    steps = exp.Case()
    for position, half_stars in enumerate(thresholds):
        packed = sum(1 << (bits * field) for field in range(position, len(thresholds)))
        limit = exp.Literal.number(f"{half_stars / 2:.1f}")
        steps = steps.when(rating.copy() <= limit, exp.Literal.number(packed))
    return steps.else_(exp.Literal.number(0))


@macro()
def median_of_histogram(evaluator, table: exp.Expression) -> exp.Expression:
    """The exact median in stars: the mean of the two middle ratings when the count is even.

    table: the name of a table in the query that has the columns of a histogram.
    """
    return _median(f"{table.name}.{{}}", "{}")


@macro()
def median_of_histograms(evaluator, table: exp.Expression) -> exp.Expression:
    """The exact median in stars of all histograms of a group, for a query with GROUP BY.

    table: the name of a table in the query that has the columns of a histogram.
    """
    return _median(f"SUM({table.name}.{{}})::INT64", "{}")


@macro()
def median_of_many_histograms(evaluator, table: exp.Expression) -> exp.Expression:
    """As `median_of_histograms`, for groups of any size: counts are unpacked before they are added.

    table: the name of a table in the query that has the columns of a histogram.
    """
    return _median(f"{table.name}.{{}}", "SUM({})")


def _median(column: str, count: str) -> exp.Expression:
    """The median of the histogram whose columns `column` makes of their names, and whose counts
    `count` makes of theirs.

    With c ratings of n at a threshold or below, the lower middle one is above it if 2 c < n, the
    upper one if 2 c <= n. So each of the nine thresholds moves the sum of both, in half-stars, by
    SIGN(n - 2 c) + 1 from its least value 2, and the median is a quarter of that sum in stars.
    """
    n = count.format(column.format("rating_count"))
    at_most = (count.format(_at_most(column, half_stars)) for half_stars in range(1, 10))
    steps = " + ".join(f"SIGN({n} - 2 * {c})" for c in at_most)
    return parse_one(f"(11 + {steps}) / 4", dialect="bigquery")


def _at_most(column: str, half_stars: int) -> str:
    """How many ratings of a histogram are at most so many half-stars, 1 to 10.

    The first field of a packed integer needs no shift, the last no mask.
    """
    if half_stars == 10:
        return column.format("rating_count")
    bits = 21
    part, position = divmod(half_stars - 1, 3)
    packed = column.format(f"histogram_{('low', 'mid', 'high')[part]}")
    shifted = f"({packed} >> {bits * position})" if position else packed
    return shifted if position == 2 else f"({shifted} & {(1 << bits) - 1})"


@macro()
def is_high(evaluator, rating: exp.Expression) -> exp.Expression:
    """Whether a rating of so many stars is a high one."""
    return parse_one(f"{rating.sql('bigquery')} > {HIGH_ABOVE}", dialect="bigquery")


@macro()
def high_ratings_of(evaluator, table: exp.Expression) -> exp.Expression:
    """How many ratings of a histogram are high; table: as `ratings_of` takes it."""
    up_to = _at_most(f"{table.name}.{{}}", HIGH_ABOVE * 2)
    return parse_one(f"({table.name}.rating_count - {up_to})", dialect="bigquery")


@macro()
def ratings_of(evaluator, table: exp.Expression, stars: exp.Expression) -> exp.Expression:
    """How many ratings of a histogram have exactly that many stars.

    table: the name of a table in the query that has the columns of a histogram.
    """
    column, half_stars = f"{table.name}.{{}}", round(float(stars.name) * 2)
    below = f" - {_at_most(column, half_stars - 1)}" if half_stars > 1 else ""
    return parse_one(_at_most(column, half_stars) + below, dialect="bigquery")
