"""Rules that no row can break are told from those that some row can."""

from __future__ import annotations

import pytest

from mesh.contracts.idle import finds_nothing
from mesh.contracts.sql import parse_rule

IDLE_CONDITIONS = (
    *("TRUE", "1 = 1", "NULL", "x <= x", "x = x", "x IN (x, 1)", "x BETWEEN x AND x"),
    *("NOT x <> x", "x = 1 OR TRUE", "x >= 0 OR x < 0", "x = 1 OR x <> 1", "x >= y OR y > x"),
    *("x IS NULL OR x IS NOT NULL", "x > NULL", "LENGTH(x) >= 0", "LENGTH(x) > -1"),
    *("ABS(x) >= 0 AND x = x", "COALESCE(x, 0) = COALESCE(x, 0)", "(x <= x) AND (y >= y)"),
    *("EXTRACT(DAY FROM m) BETWEEN 1 AND 31", "IF(x > 1, TRUE, TRUE)"),
)
CONDITIONS = (
    *("FALSE", "x <= y", "x IS NOT NULL", "LENGTH(x) > 0", "ABS(x) > 0", "x IN (1, 2)"),
    *("x >= 0 OR x < -1", "x = 1 OR y = 2", "COALESCE(x <= x, FALSE)", "(x = x) IS NOT NULL"),
    "EXTRACT(DAY FROM m) = 1",
)
IDLE_QUERIES = (
    "SELECT 1 FROM ${table} WHERE FALSE",
    "SELECT x FROM ${table} WHERE x > 5 AND x < 3",
    "SELECT x FROM ${table} LIMIT 0",
    "SELECT x FROM ${table} GROUP BY x HAVING COUNT(*) < 1",
    "SELECT COUNT(*) AS n FROM ${table} HAVING COUNT(*) < 0",
    "SELECT a.x FROM ${table} AS a JOIN shop.b AS b ON 1 = 0",
    "SELECT x FROM ${table} WHERE FALSE UNION ALL SELECT x FROM ${table} WHERE x < x",
    "SELECT * FROM (SELECT x FROM ${table} WHERE 1 = 0) AS i",
    "WITH n AS (SELECT x FROM ${table} WHERE 1 = 2) SELECT * FROM n",
    "SELECT a.x FROM (SELECT x FROM ${table} WHERE FALSE) AS a CROSS JOIN shop.b AS b",
)
QUERIES = (
    "SELECT COUNT(*) AS n FROM ${table} HAVING COUNT(*) < 1",
    "SELECT COUNT(*) AS n FROM ${table} WHERE FALSE",
    "SELECT x FROM ${table} GROUP BY x HAVING COUNT(*) > 1",
    "SELECT a.x FROM ${table} AS a LEFT JOIN shop.b AS b ON FALSE",
    "SELECT x FROM ${table} WHERE FALSE UNION ALL SELECT x FROM ${table} WHERE x < 0",
)


def rows(condition: str) -> str:
    return f"SELECT COUNT(*) FROM ${{table}} WHERE NOT ({condition})"


def table(query: str) -> str:
    return f"SELECT COUNT(*) FROM ({query}) AS offending"


@pytest.mark.parametrize("query", [*map(rows, IDLE_CONDITIONS), *map(table, IDLE_QUERIES)])
def test_what_no_row_can_break_is_idle(query: str) -> None:
    assert finds_nothing(parse_rule(query).offending)


@pytest.mark.parametrize("query", [*map(rows, CONDITIONS), *map(table, QUERIES)])
def test_what_some_row_can_break_is_not(query: str) -> None:
    assert not finds_nothing(parse_rule(query).offending)
