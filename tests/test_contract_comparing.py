"""A rule in SQL that became another is looser, tighter, or of something else."""

from __future__ import annotations

import pytest

from mesh.contracts.comparing import compare_queries
from mesh.contracts.constraints.base import Effect

OFTEN = "SELECT COUNT(*) FROM (SELECT k FROM ${table} GROUP BY k HAVING COUNT(*) > %s) AS x"


@pytest.mark.parametrize(
    ("old", "new", "effect"), [(2, 3, Effect.LOOSER), (3, 2, Effect.TIGHTER), (2, 2, None)]
)
def test_a_rule_that_finds_more_is_tighter(old: int, new: int, effect: Effect | None) -> None:
    assert compare_queries(OFTEN % old, OFTEN % new, {}) is effect


WITHIN = (
    # What a CTE, a query in FROM or one in the condition computes, and a limit.
    "WITH a AS (SELECT k, {} AS x FROM ${{table}}) SELECT k FROM a WHERE x > {}",
    "SELECT k FROM (SELECT k, SUM({}) AS x FROM ${{table}} GROUP BY k) AS a"
    " GROUP BY k HAVING MAX(x) > {}",
    "WITH a AS (SELECT {} AS x FROM b.c) SELECT k FROM ${{table}} AS own"
    " WHERE NOT k IN (SELECT x FROM a) AND own.w > {}",
    "SELECT k FROM ${{table}} AS own"
    " WHERE EXISTS (SELECT 1 FROM b.c AS c WHERE c.k = own.k AND c.{} > 0) AND own.w > {}",
)


@pytest.mark.parametrize("query", WITHIN)
def test_a_rule_on_what_is_computed_otherwise_is_another(query: str) -> None:
    whole = f"SELECT COUNT(*) FROM ({query}) AS offending"
    was = whole.format("v", 3)
    assert compare_queries(was, whole.format("v", 3), {}) is None
    assert compare_queries(was, whole.format("v", 4), {}) is Effect.LOOSER
    assert compare_queries(was, whole.format("w", 3), {}) is Effect.OTHER


def test_a_rule_on_the_other_side_of_a_join_is_another() -> None:
    query = (
        "SELECT COUNT(*) FROM (SELECT own.k FROM ${{table}} AS own"
        " INNER JOIN ${{table}} AS next ON next.k = own.k + 1 WHERE {}) AS offending"
    )
    was = query.format("next.v > own.v")
    assert compare_queries(was, query.format("own.v < next.v"), {}) is None
    assert compare_queries(was, query.format("own.v > next.v"), {}) is Effect.OTHER
    assert compare_queries(was, query.format("next.v > own.v AND own.k < 9"), {}) is Effect.LOOSER
