"""Intervals and p-values by Student's t, worked out in SQL, against the distribution itself."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from rendered import on_duckdb, tails_of_t

QUERY = """
SELECT degrees, t, @t_limit(degrees)::FLOAT64 AS reach, @t_tails(t, degrees)::FLOAT64 AS p
FROM cases
"""
CASES = [(n, t) for n in (9, 10, 14, 29, 99, 1_000, 100_000) for t in (0, 0.5, 1, 2, 3, 4.5, -2)]


@pytest.fixture(scope="module")
def worked_out() -> list[tuple[int, float, float, float]]:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE cases (degrees BIGINT, t DOUBLE)")
        connection.executemany("INSERT INTO cases VALUES (?, ?)", [*CASES, (0, 1.0)])
        return connection.execute(on_duckdb(QUERY)).fetchall()


def test_outside_of_an_interval_are_five_of_a_hundred(worked_out):
    for degrees, _, reach, _ in worked_out[:-1]:
        assert tails_of_t(reach, degrees) == pytest.approx(0.05, abs=0.0001)


def test_a_p_value_is_that_of_the_distribution(worked_out):
    for degrees, t, _, p in worked_out[:-1]:
        assert p == pytest.approx(tails_of_t(t, degrees), rel=0.03, abs=0.000001)


@pytest.mark.parametrize("degrees", [1, 1.5, 2, 2.5, 3, 3.9, 4, 4.5, 5, 7, 8])
def test_an_interval_of_few_is_not_too_narrow(degrees):
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE cases AS SELECT ?::DOUBLE AS degrees, 1 AS t", [degrees])
        ((_, _, reach, _),) = connection.execute(on_duckdb(QUERY)).fetchall()
    outside = tails_of_t(reach, degrees)
    assert outside < 0.0504
    assert degrees % 1 or outside == pytest.approx(0.05, abs=0.0004)


def test_no_degrees_of_freedom_divide_by_nothing(worked_out):
    assert np.isfinite(worked_out[-1]).all()
