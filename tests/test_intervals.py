"""Intervals of shares: limits that hold the share, also where rounding would put them beside it."""

from __future__ import annotations

from math import sqrt

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.dashboards.drawing.evidence import share
from tests.rendered import on_duckdb

QUERY = on_duckdb(
    "SELECT @wilson(s.p, s.n, s.t, 'low')::FLOAT64 AS low, "
    "@wilson(s.p, s.n, s.t, 'high')::FLOAT64 AS high FROM scratch.s AS s"
)


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA scratch")
    return connection


def wilson(
    database: duckdb.DuckDBPyConnection, p: float, n: float, t: float = 1.96
) -> tuple[float, float]:
    database.execute(
        "CREATE OR REPLACE TABLE scratch.s AS SELECT ?::DOUBLE p, ?::DOUBLE n, ?::DOUBLE t",
        [p, n, t],
    )
    (found,) = database.execute(QUERY).fetchall()
    return found


def test_limits_are_those_of_the_published_formula(database: duckdb.DuckDBPyConnection) -> None:
    # 10 of 50 by hand: (0.2 + 0.0384 ± 1.96 * sqrt(0.0032 + 0.000384)) / 1.0768.
    low, high = wilson(database, 0.2, 50)
    assert (round(low, 4), round(high, 4)) == (0.1124, 0.3304)


@given(part=st.integers(0, 500), rest=st.integers(0, 500), errors=st.floats(1.9, 5))
def test_a_share_lies_between_its_limits_and_none_and_all_are_a_limit(
    database: duckdb.DuckDBPyConnection, part: int, rest: int, errors: float
) -> None:
    if not part + rest:
        return
    of = part + rest
    p = part / of
    drawn = share(p, of)
    for low, high in (wilson(database, p, of, errors), (drawn.low, drawn.high)):
        assert 0 <= low <= p <= high <= 1
        assert high - low > 0.5 * sqrt(p * (1 - p) / of)
        assert (part > 0 or low == 0) and (rest > 0 or high == 1)
