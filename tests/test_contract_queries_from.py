"""What a query means by all that can stand in FROM, in any dialect."""

from __future__ import annotations

import pytest
from sqlglot import parse_one

from mesh.contracts.queries import read_query
from tests.meanings import meaning


def test_an_array_in_from_reads_columns_that_nobody_has_qualified() -> None:
    query = "SELECT a.k FROM (SELECT * FROM t) AS a CROSS JOIN UNNEST(GENERATE_ARRAY(k, {})) AS n"
    left, right, other = (
        read_query(parse_one(query.format(to), dialect="bigquery")).rows for to in ("v", "a.v", "1")
    )
    assert left == right != other


STANDING = [
    # A table, a value in what stands in FROM, and another: not to be followed must not hide it.
    ("duckdb", "SELECT i AS x FROM generate_series(1, {}) AS s(i)", "5", "500"),
    ("duckdb", "SELECT generate_series AS x FROM generate_series(1, {})", "5", "500"),
    ("duckdb", "SELECT n AS x FROM read_csv('{}', header = TRUE)", "a.csv", "b.csv"),
    ("duckdb", "SELECT n AS x FROM read_csv('a', columns = {{'n': '{}'}}) AS f", "INT", "TEXT"),
    ("duckdb", "SELECT n AS x FROM '{}'", "a.csv", "b.csv"),
    ("duckdb", "SELECT n AS x FROM query_table('{}')", "a", "b"),
    ("duckdb", "SELECT t.k AS x FROM t JOIN range({}) AS r(i) ON r.i = t.k", "5", "6"),
    ("duckdb", "SELECT g.x FROM t, LATERAL (SELECT u.v AS x FROM u WHERE u.k > {}) AS g", "1", "2"),
    ("duckdb", "SELECT g.x FROM t, LATERAL generate_series(1, t.{}) AS g(x)", "k", "v"),
    ("duckdb", "SELECT a AS x FROM (VALUES (1, {}), (3, 4)) AS s(a, b)", "2", "5"),
    ("duckdb", "SELECT x FROM UNNEST([1, 2]){} AS s(x)", "", " WITH ORDINALITY"),
    ("duckdb", "SELECT k AS x FROM t TABLESAMPLE {}%", "10", "20"),
    ("duckdb", "WITH c AS (SELECT k FROM t) SELECT k AS x FROM c TABLESAMPLE {}%", "10", "20"),
    ("duckdb", "SELECT k AS x FROM (SELECT k FROM t) AS c TABLESAMPLE {}%", "10", "20"),
    ("duckdb", "SELECT * FROM (PIVOT t ON w USING SUM({}))", "v", "k"),
    ("duckdb", "WITH c AS (PIVOT t ON w USING SUM({})) SELECT * FROM c", "v", "k"),
    ("duckdb", "SELECT a.k AS x FROM (t AS a JOIN u ON a.k = u.{})", "k", "v"),
    ("duckdb", "SELECT t.k AS x FROM t ASOF JOIN u ON t.k >= u.{}", "k", "v"),
    ("duckdb", "SELECT a AS x FROM t AS s({})", "a, b", "b, a"),
    ("bigquery", "SELECT x FROM t, UNNEST([v, {}]) AS x", "w", "k"),
    ("bigquery", "SELECT x FROM a.tvf({}, 2)", "1", "2"),
    ("bigquery", "SELECT x FROM {}.tvf(1)", "a", "b"),
    ("bigquery", "SELECT k AS x FROM ML.PREDICT(MODEL a.m, TABLE {})", "t", "u"),
    ("bigquery", "SELECT k AS x FROM t FOR SYSTEM_TIME AS OF '20{}-01-01'", "20", "21"),
    ("bigquery", "SELECT * FROM t PIVOT(SUM({}) FOR w IN (1, 2))", "v", "k"),
    ("bigquery", "SELECT * FROM (SELECT * FROM t) PIVOT(SUM(v) FOR w IN (1, {}))", "2", "3"),
    (
        "bigquery",
        "WITH c AS (SELECT * FROM t) SELECT * FROM c PIVOT(SUM(v) FOR w IN (1, {}))",
        "2",
        "3",
    ),
    ("bigquery", "SELECT * FROM t UNPIVOT(x FOR name IN (v, {}))", "w", "k"),
    ("snowflake", "SELECT f.value AS x FROM t, LATERAL FLATTEN(INPUT => t.{}) AS f", "v", "w"),
    ("snowflake", "SELECT f.value AS x FROM TABLE(FLATTEN(INPUT => PARSE_JSON('{}'))) f", "1", "2"),
    ("snowflake", "SELECT SEQ4() AS x FROM TABLE(GENERATOR(ROWCOUNT => {}))", "1", "2"),
    ("snowflake", "SELECT k AS x FROM t AT(OFFSET => -{})", "60", "61"),
    ("snowflake", "SELECT $1 AS x FROM @stage/{}", "a", "b"),
    ("databricks", "SELECT k AS x FROM t VERSION AS OF {}", "3", "4"),
    ("spark", "SELECT e.x FROM t LATERAL VIEW {} EXPLODE(t.v) e AS x", "", "OUTER"),
    ("postgres", "SELECT x FROM ROWS FROM (generate_series(1, {})) AS g(x)", "2", "3"),
    ("tsql", "SELECT g.x FROM t CROSS APPLY f(t.{}) AS g", "k", "v"),
]


@pytest.mark.parametrize(("dialect", "query", "before", "after"), STANDING)
def test_whatever_stands_in_from_is_noticed(
    dialect: str, query: str, before: str, after: str
) -> None:
    was, again, now = (meaning(query.format(one), dialect).rows for one in (before, before, after))
    assert was == again != now


@pytest.mark.parametrize(
    ("dialect", "query", "before", "after"),
    [
        ("duckdb", "SELECT 1 AS k, s.{} AS x FROM (VALUES (1, 2)) AS s(a, b)", "a", "b"),
        ("duckdb", "SELECT 1 AS k, s.{} AS x FROM read_csv('a') AS s", "a", "b"),
        ("bigquery", "SELECT 1 AS k, {} AS x FROM UNNEST([3]) AS n WITH OFFSET AS o", "n", "o"),
        ("bigquery", "SELECT 1 AS k, {} AS x FROM UNNEST([STRUCT(1 AS a, 2 AS b)])", "a", "b"),
        (
            "duckdb",
            "SELECT 1 AS k, {} AS x FROM generate_series(1, 3) AS a(i), generate_series(1, 3) b(i)",
            "a.i - b.i",
            "b.i - a.i",
        ),
        (
            "bigquery",
            "SELECT 1 AS k, p.{} AS x FROM t PIVOT(SUM(v) FOR w IN (1 AS a, 2 AS b)) AS p",
            "a",
            "b",
        ),
    ],
)
def test_columns_of_what_stands_in_from_are_told_apart(
    dialect: str, query: str, before: str, after: str
) -> None:
    was, now = (meaning(query.format(one), dialect) for one in (before, after))
    assert was.rows == now.rows and was.texts["k"] == now.texts["k"]
    assert was.texts["x"] != now.texts["x"]


@pytest.mark.parametrize(
    ("dialect", "query"),
    [
        ("duckdb", "SELECT g.x FROM u, LATERAL (SELECT MAX(a.v) AS x FROM t AS a) AS g"),
        ("duckdb", "SELECT * FROM (PIVOT t ON w USING SUM(v))"),
        ("duckdb", "SELECT * FROM (PIVOT (SELECT * FROM t) ON w USING SUM(v))"),
        ("duckdb", "SELECT g.i FROM t, generate_series(1, t.v) AS g(i)"),
        ("bigquery", "SELECT * FROM t PIVOT(SUM(v) FOR w IN (1, 2))"),
        ("bigquery", "WITH c AS (SELECT * FROM t) SELECT * FROM c PIVOT(SUM(v) FOR w IN (1, 2))"),
        ("bigquery", "SELECT * FROM t UNPIVOT(x FOR name IN (v, w))"),
        ("bigquery", "SELECT k FROM ML.PREDICT(MODEL a.m, TABLE t)"),
        ("bigquery", "WITH c AS (SELECT v FROM t) SELECT k FROM ML.PREDICT(MODEL a.m, TABLE c)"),
    ],
)
def test_what_it_reads_counts_by_what_that_holds(dialect: str, query: str) -> None:
    """As of internal models: they have no promise of their own that a change would break."""
    one, other = (
        meaning(query, dialect, t=meaning(f"SELECT k, v + {n} AS v, w FROM s")) for n in (1, 2)
    )
    assert one.rows != other.rows


def test_a_query_that_nobody_can_look_into_means_its_text() -> None:
    query = "SELECT s.a FROM (PIVOT t ON w USING SUM({})) AS s"
    one, again, other = (
        read_query(parse_one(query.format(column), dialect="duckdb")) for column in "vvk"
    )
    assert one.rows == again.rows != other.rows


def test_names_of_what_stands_in_from_do_not_count() -> None:
    one, other = (
        meaning(f"SELECT {a}.{b} AS x FROM (VALUES (1, 2), (3, 4)) AS {a}({b}, c)", "duckdb")
        for a, b in ("ab", "de")
    )
    assert one.rows == other.rows and one.texts == other.texts
