"""Student's t in SQL: engines have neither its quantiles nor its tails.

Both are expansions around the normal distribution; `tests/test_students_t.py` holds them against
the distribution itself.
"""

from __future__ import annotations

from sqlglot import exp, parse_one
from sqlmesh import macro

FEW = {1: 12.706204736174694, 2: 4.302652729749462, 3: 3.182446305283708}
"""Degrees of freedom, and how many standard errors a 95 % interval reaches with them."""


@macro()
def t_limit(evaluator, degrees: exp.Expression) -> exp.Expression:
    """How many standard errors a two-sided 95 % interval reaches to each side.

    degrees: of freedom, whole or not; what is less than 1 counts as 1. The series of Cornish and
    Fisher up to the third power, right to the second digit from 4 on. It would be too narrow below,
    where the exact number of the whole degrees stands.
    """
    z = 1.959963984540054
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    n = degrees.sql("bigquery")
    few = " ".join(f"WHEN {n} < {least + 1} THEN {exact}" for least, exact in FEW.items())
    series = f"{z} + ({first} + ({second} + {third} / ({n})) / ({n})) / ({n})"
    return parse_one(f"CASE {few} ELSE {series} END", dialect="bigquery")


@macro()
def t_tails(evaluator, t: exp.Expression, degrees: exp.Expression) -> exp.Expression:
    """How likely a t at least that far from 0 is by chance: the p-value, on both sides.

    t, degrees: columns. Wallace's normal deviate for t, and the normal tail by formula 26.2.17 of
    Abramowitz and Stegun, within 0.0000001 of the right one.
    """
    n = f"GREATEST({degrees.sql('bigquery')}, 1)"
    square = f"POW({t.sql('bigquery')}, 2)"
    z = f"((8 * {n} + 1) / (8 * {n} + 3) * SQRT({n} * LN(1 + {square} / {n})))"
    share = f"(1 / (1 + 0.2316419 * {z}))"
    series = "1.330274429"
    for step in (-1.821255978, 1.781477937, -0.356563782, 0.319381530):
        series = f"({step} + {share} * {series})"
    return parse_one(
        f"LEAST(1.0, 0.7978845608028654 * EXP(-POW({z}, 2) / 2) * {share} * {series})",
        dialect="bigquery",
    )
