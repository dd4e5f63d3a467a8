"""Made-up rows tell rules that no row can break, and rules that say the same as others."""

from __future__ import annotations

import duckdb
import pytest
from sqlglot import exp, parse_one

from mesh.contracts.made_up import pools_of
from mesh.contracts.sql import parse_rule
from mesh.contracts.tried import compared, is_idle
from mesh.database import trying

TYPES = {"x": "INT64", "y": "INT64", "f": "FLOAT64", "s": "STRING", "t": "STRING"}
TYPES |= {"d": "DATE", "m": "TIMESTAMP", "b": "BOOL"}

IDLE_CONDITIONS = (
    *("TRUE", "1 = 1", "NULL", "x <= x", "x = x", "x IN (x, 1)", "x BETWEEN x AND x"),
    *("NOT x <> x", "x = 1 OR TRUE", "x >= 0 OR x < 0", "x = 1 OR x <> 1", "x >= y OR y > x"),
    *("x IS NULL OR x IS NOT NULL", "x > NULL", "LENGTH(s) >= 0", "LENGTH(s) > -1"),
    *("ABS(x) >= 0 AND x = x", "COALESCE(x, 0) = COALESCE(x, 0)", "(x <= x) AND (y >= y)"),
    *("EXTRACT(DAY FROM d) BETWEEN 1 AND 31", "IF(x > 1, TRUE, TRUE)", "x - x = 0"),
    *("COALESCE(x, x) = x", "x + 1 > x", "s LIKE '%'", "EXTRACT(DAY FROM d) < 32"),
    *("EXTRACT(MONTH FROM m) <= 12", "x * 0 = 0", "b OR NOT b", "b IN (TRUE, FALSE)"),
    *("UPPER(s) = UPPER(s)", "GREATEST(x, y) >= x", "LEAST(x, y) <= x", "SIGN(x) IN (-1, 0, 1)"),
    *("CONCAT(s, '') = s", "SUBSTR(s, 1, 3) = SUBSTR(s, 1, 3)", "x + y = y + x", "-x = -x"),
    *("MOD(ABS(x), 7) < 7", "ROUND(f) = ROUND(f)", "FLOOR(f) <= CEIL(f)", "x > y OR x <= y"),
    *("STARTS_WITH(s, '')", "LENGTH(TRIM(s)) <= LENGTH(s)", "NULLIF(x, x) IS NULL"),
    *("d >= CAST('0001-01-01' AS DATE)", "COALESCE(s, 'a') IS NOT NULL", "x <> x + 1"),
    "CASE WHEN x > 5 THEN y = y ELSE TRUE END",
)
CONDITIONS = (
    *("FALSE", "x <= y", "x IS NOT NULL", "LENGTH(s) > 0", "ABS(x) > 0", "x IN (1, 2)"),
    *("x >= 0 OR x < -1", "x = 1 OR y = 2", "COALESCE(x <= x, FALSE)", "(x = x) IS NOT NULL"),
    *("EXTRACT(DAY FROM d) = 1", "EXTRACT(DAY FROM d) < 31", "d <= CURRENT_DATE()"),
    *("NOT (s = 'rare' AND t = 'other' AND x > 777 AND b)", "s <> 'Q7' OR x IS NOT NULL"),
    *("s LIKE 'a%'", "NOT s LIKE '%needle%hay%'", "x <> 918273", "f < 1000000 OR f > 1000001"),
    *("MOD(x, 7) <> 3", "SUBSTR(s, 1, 4) <> 'abcd'", "LENGTH(s) <= 5000", "x + y <> 12345"),
    *("d <> CAST('2016-02-29' AS DATE)", "DATE_TRUNC(d, MONTH) = d OR x <> 4"),
    "NOT (s = 'a' AND t = 'b' AND x = 10 AND y = 20 AND b AND f > 0.5)",
)
IDLE_QUERIES = (
    "SELECT 1 FROM ${table} WHERE FALSE",
    "SELECT x FROM ${table} WHERE x > 5 AND x < 3",
    "SELECT x FROM ${table} LIMIT 0",
    "SELECT x FROM ${table} GROUP BY x HAVING COUNT(*) < 1",
    "SELECT x FROM ${table} GROUP BY x HAVING MIN(y) > MAX(y)",
    "SELECT x FROM ${table} WHERE NOT EXISTS (SELECT 1)",
    "SELECT COUNT(*) AS n FROM ${table} HAVING COUNT(*) < 0",
    "SELECT a.x FROM ${table} AS a JOIN shop.b AS b ON 1 = 0",
    "SELECT x FROM ${table} WHERE FALSE UNION ALL SELECT x FROM ${table} WHERE x < x",
    "SELECT * FROM (SELECT x FROM ${table} WHERE 1 = 0) AS i",
    "WITH n AS (SELECT x FROM ${table} WHERE 1 = 2) SELECT * FROM n",
    "SELECT x FROM ${table} WHERE x IS NOT NULL AND x NOT IN (SELECT x FROM ${table})",
    "SELECT x, ROW_NUMBER() OVER (ORDER BY x) AS n FROM ${table} LIMIT 0",
)
QUERIES = (
    "SELECT COUNT(*) AS n FROM ${table} HAVING COUNT(*) < 1",
    "SELECT COUNT(*) AS n FROM ${table} WHERE FALSE",
    "SELECT x FROM ${table} GROUP BY x HAVING COUNT(*) > 1",
    "SELECT x FROM ${table} GROUP BY x HAVING COUNT(*) > 40",
    "SELECT a.x FROM ${table} AS a LEFT JOIN shop.b AS b ON FALSE",
    "SELECT x FROM ${table} WHERE FALSE UNION ALL SELECT x FROM ${table} WHERE x < 0",
    "SELECT x FROM ${table} WHERE s = 'open' AND x NOT IN (SELECT x FROM shop.b WHERE x > 0)",
    "SELECT a.x FROM ${table} AS a JOIN shop.b AS b ON b.x = a.x AND b.s = 'gold' "
    "WHERE a.d > b.d AND a.t = 'paid'",
    "SELECT a.x FROM ${table} AS a WHERE a.y > (SELECT SUM(b.y) FROM shop.b AS b WHERE b.x = a.x)",
    "SELECT a.x FROM (SELECT x, y, LAG(y) OVER (PARTITION BY s ORDER BY x) AS before "
    "FROM ${table}) AS a WHERE a.y < a.before",
    "SELECT a.x FROM ${table} AS a JOIN ${table} AS n ON n.s = a.s AND n.x = a.x + 1 "
    "WHERE DATE_DIFF(n.d, a.d, DAY) > 30",
    # Several large groups are not made up by chance, so nothing is said of them.
    "SELECT COUNT(*) AS months FROM ${table} AS own JOIN (SELECT d, COUNT(DISTINCT x) AS people "
    "FROM shop.b GROUP BY d) AS known ON known.d = own.d "
    "HAVING SUM(IF(own.y IS NULL AND known.people >= 5, 1, 0)) > 1",
    # Of more rows than are made up nothing is known.
    "SELECT x FROM ${table} GROUP BY x HAVING COUNT(*) > 1000000",
)


def rows(condition: str) -> str:
    return f"SELECT COUNT(*) FROM ${{table}} WHERE NOT ({condition})"


def table(query: str) -> str:
    return f"SELECT COUNT(*) FROM ({query}) AS offending"


def idle(offending: exp.Select, types: dict[str, str] = TYPES) -> bool:
    pools = pools_of(types, offending, {})
    return pools is not None and is_idle(offending, {"shop.a": pools, "shop.b": pools})


def parsed(query: str) -> exp.Select:
    if "DATE_TRUNC" in query or "DATE_DIFF" in query:
        text = query.replace("${table}", "__contract_table__")
        return parse_one(text.replace("COUNT(*)", "1", 1), into=exp.Select, dialect="bigquery")
    return parse_rule(query).offending


@pytest.mark.parametrize("query", [*map(rows, IDLE_CONDITIONS), *map(table, IDLE_QUERIES)])
def test_what_no_row_can_break_is_idle(query: str) -> None:
    assert idle(parsed(query))


@pytest.mark.parametrize("query", [*map(rows, CONDITIONS), *map(table, QUERIES)])
def test_what_some_row_can_break_is_not(query: str) -> None:
    assert not idle(parsed(query))


@pytest.mark.parametrize("query", [rows("SUBSTR(s, 1) = s"), table("SELECT x FROM ${table}")])
def test_columns_of_unknown_types_are_not_judged(query: str) -> None:
    assert not idle(parsed(query), {"s": "ARRAY<STRING>", "x": "STRUCT<a INT64>"})


def test_what_does_not_run_on_duckdb_is_not_judged() -> None:
    assert not idle(parsed(rows("CAST(s AS INT64) = CAST(s AS INT64)")))


def test_what_makes_texts_too_long_is_not_judged() -> None:
    """No limit of the engine's counts what one function makes of a text, and none stops it."""
    nested = "REPLACE(" * 12 + "s" + ", 'a', 'aaaaaaaaaaaaaaaaaaaa')" * 12
    assert not idle(parsed(rows(f"LENGTH({nested}) >= 0")))
    steps = ", ".join(
        f"c{n} AS (SELECT CONCAT(s, s, s, s) AS s FROM {f'c{n - 1}' if n else 't'})"
        for n in range(15)
    )
    query = f"WITH t AS (SELECT s FROM ${{table}}), {steps} SELECT s FROM c14 WHERE LENGTH(s) < 0"
    assert not idle(parsed(table(query)))
    assert idle(parsed(rows("LENGTH(REPLACE(CONCAT(s, '-', s), 'a', 'bc')) >= 0")))


def test_rules_are_tried_by_an_engine_that_reads_nothing_and_holds_little() -> None:
    with trying() as engine:
        with pytest.raises(duckdb.PermissionException):
            engine.execute("SELECT * FROM read_text('/etc/hostname')")
        held = "current_setting('memory_limit'), current_setting('max_temp_directory_size')"
        assert engine.execute(f"SELECT {held}").fetchone() == ("953.6 MiB", "0 bytes")


def test_what_takes_too_long_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesh.contracts.tried._SECONDS", 0.2)
    joined = " ".join(f"JOIN range(1000) AS r{one}(n) ON r{one}.n <> t0.x" for one in range(4))
    query = f"SELECT 1 FROM __contract_table__ AS t0 {joined} WHERE t0.x + r0.n + r3.n < -100000"
    slow = parse_one(query, into=exp.Select, dialect="duckdb")
    pools = pools_of(TYPES, slow, {})
    assert pools is not None
    assert not is_idle(slow, {"shop.a": pools})


OF_OTHERS = "SELECT COUNT(*) FROM ${table} AS own WHERE "
ALIKE = [
    (
        OF_OTHERS + "NOT EXISTS (SELECT 1 FROM shop.other AS o WHERE o.x = own.x)",
        "SELECT COUNT(*) FROM (SELECT own.x FROM ${table} AS own "
        "LEFT JOIN shop.other AS o ON o.x = own.x WHERE o.x IS NULL)",
    ),
    (
        "SELECT COUNT(*) FROM (SELECT x FROM ${table} GROUP BY x HAVING COUNT(*) > 1)",
        "SELECT COUNT(*) FROM (SELECT ROW_NUMBER() OVER (PARTITION BY x ORDER BY y) AS n "
        "FROM ${table}) WHERE n = 2",
    ),
    (
        "SELECT COUNT(*) FROM (SELECT x FROM ${table} GROUP BY x HAVING COUNT(DISTINCT s) > 1)",
        "SELECT COUNT(*) FROM (SELECT x FROM ${table} GROUP BY x HAVING MIN(s) < MAX(s))",
    ),
]
APART = [
    # Where the other has a NULL, NOT IN finds nothing.
    (
        OF_OTHERS + "x NOT IN (SELECT x FROM shop.other)",
        OF_OTHERS + "NOT EXISTS (SELECT 1 FROM shop.other AS o WHERE o.x = own.x)",
    ),
    (
        "SELECT COUNT(*) FROM (SELECT x FROM ${table} GROUP BY x HAVING COUNT(*) > 1)",
        "SELECT COUNT(*) FROM (SELECT x FROM ${table} GROUP BY x HAVING COUNT(*) > 2)",
    ),
    (
        "SELECT COUNT(*) FROM (SELECT x FROM ${table} GROUP BY x HAVING COUNT(*) > 1)",
        "SELECT COUNT(*) FROM (SELECT x, s FROM ${table} GROUP BY x, s HAVING COUNT(*) > 1)",
    ),
]


def worlds(pair):
    queries = [parse_rule(one).offending for one in pair]
    both = exp.Tuple(expressions=[one.copy() for one in queries])
    tables = {"shop.own": pools_of(TYPES, both, {}), "shop.other": pools_of(TYPES, both, {})}
    return compared(*queries, tables)


@pytest.mark.parametrize("pair", ALIKE)
def test_rules_that_say_the_same_find_as_many(pair):
    found = worlds(pair)
    assert not found.differ
    assert found.worlds > 300
    assert 50 < found.broken < found.worlds - 50
    assert found.noticed >= 0.9


@pytest.mark.parametrize("pair", APART)
def test_rules_that_say_more_or_less_do_not(pair):
    assert worlds(pair).differ
    assert worlds(pair[::-1]).differ


def test_small_changes_that_go_unseen_are_counted():
    # The values beside those that stand there are tried, too; what no value meets is not.
    assert worlds([OF_OTHERS + "x > 5"] * 2).noticed == 1.0
    unmet = OF_OTHERS + "s = 'a' AND t = 'b' AND x * 7919 = 31676 AND y * 7919 = 39595"
    assert worlds([unmet] * 2).noticed < 0.9


def test_rules_that_cannot_be_tried_are_not_compared():
    # As many rows as are seldom made up.
    many = "SELECT COUNT(*) FROM (SELECT x FROM ${table} GROUP BY x HAVING COUNT(*) > 90000)"
    assert worlds((many, many)).worlds == 0
    # And what the engine refuses.
    wrong = "SELECT COUNT(*) FROM (SELECT x FROM ${table} GROUP BY x HAVING MAX(no_column) > 1)"
    assert worlds((wrong, wrong)).worlds == 0
