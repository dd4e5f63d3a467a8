"""What is written in BigQuery's words means the same on DuckDB."""

from __future__ import annotations

import duckdb
import pytest
from sqlglot import parse_one

from mesh.contracts.translation import install


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("DIV(7 + 5, 4)", 3),
        ("DIV(7, 5 - 3)", 3),
        ("DIV(100, 2 * 5)", 10),
        ("20 / DIV(9, 2)", 5),
        ("DIV(DIV(100, 7), 3)", 4),
        ("DIV(100, DIV(7, 3))", 50),
        ("MOD(DIV(100, 7), 4) * 3", 6),
        ("10 - DIV(9, 2)", 6),
        ("3 * MOD(7, 4)", 9),
        ("MOD(7, 4) * 3", 9),
        ("7 - MOD(7, 4) * 2", 1),
        ("100 / MOD(14, 5)", 25),
        ("MOD(MOD(17, 10), 4)", 3),
        ("MOD(17, MOD(14, 5))", 1),
        ("MOD(2 + 9, 2 * 3)", 5),
    ],
)
def test_whole_numbers_are_divided_as_they_stand_in_the_function(query: str, value: int) -> None:
    install()
    assert duckdb.sql(parse_one(f"SELECT {query}", "bigquery").sql("duckdb")).fetchall() == [
        (value,)
    ]
