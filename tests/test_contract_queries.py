"""What a query means: other ways to write one thing are the same, another thing is not."""

from __future__ import annotations

import pytest
from sqlglot import parse_one

from mesh.contracts.queries import read_query
from tests.meanings import meaning

RANKED = "SELECT k, MAX(v) OVER (PARTITION BY k) AS n FROM t"
JOINED = "SELECT a.k AS k, {} AS x FROM t AS a {} JOIN t AS b ON b.k = a.k + 1"
NUMBER = "ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC)"
FIRST = f"SELECT k, v, {NUMBER} AS n FROM t"
TOP = "SELECT k, {} AS s FROM t GROUP BY k ORDER BY {} DESC LIMIT 10"
SAME = [
    ("SELECT k FROM t WHERE v > 1 AND w = 2", "SELECT k FROM t WHERE 2 = w AND NOT v <= 1"),
    ("SELECT DISTINCT k, v FROM t", "SELECT k, v FROM t GROUP BY v, k"),
    ("SELECT k FROM t WHERE v > 1", "SELECT k FROM (SELECT * FROM t WHERE v > 1) AS s"),
    ("SELECT k FROM t WHERE v NOT IN (1, 2)", "SELECT k FROM t WHERE v <> 1 AND v <> 2"),
    ("SELECT IF(v > 1, 1, 0) AS x FROM t", "SELECT CASE WHEN v > 1 THEN 1 ELSE 0 END AS x FROM t"),
    (
        "SELECT IF(k NOT IN (1, 2), 1, IF(v > 1, 2, NULL)) AS x FROM t",
        "SELECT CASE WHEN k <> 1 AND k <> 2 THEN 1 WHEN v > 1 THEN 2 END AS x FROM t",
    ),
    (
        "SELECT k, COUNTIF(NOT v IN (1, 2)) AS x FROM t GROUP BY k",
        "SELECT k, COUNTIF(v <> 1 AND v <> 2) AS x FROM t GROUP BY k",
    ),
    ("SELECT DISTINCT k, 'all' AS x FROM t", "SELECT k, 'all' AS x FROM t GROUP BY k"),
    (
        f"SELECT k, v FROM ({FIRST}) AS r WHERE r.n = 1 AND v > 2",
        f"SELECT k, v FROM (SELECT k, v FROM t QUALIFY {NUMBER} = 1) AS r WHERE v > 2",
    ),
    (
        f"SELECT k, v FROM ({FIRST}) AS r WHERE r.n = 1 AND v > 2",
        f"SELECT k, v FROM ({FIRST} QUALIFY n = 1) AS r WHERE v > 2",
    ),
    (
        f"SELECT k, v FROM ({FIRST}) AS r WHERE r.n = 1 AND v > 2",
        f"SELECT k, v FROM (SELECT * FROM ({FIRST}) AS q WHERE v > 2) AS r WHERE r.n = 1",
    ),
    (
        f"SELECT k FROM ({TOP.format('SUM(v)', 's')})",
        f"SELECT k FROM ({TOP.format('SUM(v)', '2')})",
    ),
    ("SELECT k, COUNT(*) AS n FROM t GROUP BY ALL", "SELECT k, COUNT(*) AS n FROM t GROUP BY k"),
    (
        "SELECT a.k FROM t AS a WHERE a.v = (SELECT MAX(b.v) FROM t AS b WHERE b.k = a.k)",
        "SELECT o.k FROM t AS o WHERE (SELECT MAX(i.v) FROM t AS i WHERE o.k = i.k) = o.v",
    ),
    # Whichever rows a look-up is joined to, and with another name.
    (
        f"SELECT r.a FROM ({FIRST}) AS r (a, b, c) LEFT JOIN u ON u.k = r.a WHERE c = 1",
        f"SELECT r.k AS a FROM (SELECT k FROM t QUALIFY {NUMBER} = 1) AS r "
        "LEFT JOIN u ON u.k = r.k",
    ),
    (
        "SELECT k FROM (SELECT k, COUNT(*) AS n FROM t GROUP BY k) AS g WHERE n > 2",
        "SELECT k FROM t GROUP BY k HAVING COUNT(*) > 2",
    ),
    (
        "SELECT k, n FROM (SELECT k, n, RANK() OVER (ORDER BY n) AS r FROM "
        "(SELECT k, SUM(v) AS n FROM t GROUP BY k) AS g) AS o WHERE r <= 10",
        "SELECT k, SUM(v) AS n FROM t GROUP BY k QUALIFY RANK() OVER (ORDER BY SUM(v)) <= 10",
    ),
    (
        f"SELECT k FROM (SELECT DISTINCT k FROM ({RANKED})) WHERE k > 1",
        f"SELECT k FROM (SELECT k FROM ({RANKED}) GROUP BY k) WHERE k > 1",
    ),
    (
        "SELECT s.a.x FROM (SELECT STRUCT(v AS x, w AS y) AS a FROM t) AS s",
        "SELECT s.a.x FROM (SELECT STRUCT(v AS x, w + 1 AS y) AS a FROM t) AS s",
    ),
    (
        "SELECT s.a.x FROM (SELECT k, ARRAY_AGG(STRUCT(v AS x, w AS y) LIMIT 1)[OFFSET(0)] AS a "
        "FROM t GROUP BY k) AS s",
        "SELECT s.a.x FROM (SELECT k, ARRAY_AGG(STRUCT(v AS x, k AS y) LIMIT 1)[OFFSET(0)] AS a "
        "FROM t GROUP BY k) AS s",
    ),
    ("SELECT v + w AS x FROM t", "SELECT w + v AS x FROM t"),
    (
        "SELECT t.k FROM t INNER JOIN u ON u.k = t.k WHERE u.v > 1",
        "WITH s AS (SELECT * FROM u WHERE v > 1) SELECT t.k FROM s CROSS JOIN t WHERE t.k = s.k",
    ),
    (
        "SELECT k FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k)",
        "SELECT a.k FROM t AS a WHERE EXISTS (SELECT 1 FROM u AS b WHERE a.k = b.k)",
    ),
    ("SELECT v + 0 AS x, 0 + w + k AS y FROM t", "SELECT v AS x, k + w AS y FROM t"),
    ("SELECT v * 1 * w AS x FROM t", "SELECT w * v AS x FROM t"),
    (
        "SELECT k, s.v FROM t INNER JOIN u USING (k) LEFT JOIN s USING (k) WHERE k > 1",
        "SELECT t.k AS k, s.v FROM t INNER JOIN u ON u.k = t.k LEFT JOIN s ON s.k = t.k "
        "WHERE t.k > 1",
    ),
    (
        "SELECT k FROM t LEFT JOIN u USING (k) LEFT JOIN s USING (k)",
        "SELECT t.k AS k FROM t LEFT JOIN u ON t.k = u.k LEFT JOIN s ON t.k = s.k",
    ),
]
WINDOW = "SELECT k, SUM(v) OVER {} AS x FROM t{}"
FRAME = "PARTITION BY w ORDER BY k ROWS BETWEEN 11 PRECEDING AND CURRENT ROW"
SAME += [
    (WINDOW.format(f"({FRAME})", ""), WINDOW.format("a", f" WINDOW a AS ({FRAME})")),
    (WINDOW.format("b", f" WINDOW b AS ({FRAME})"), WINDOW.format("a", f" WINDOW a AS ({FRAME})")),
    (
        WINDOW.format("(a ROWS BETWEEN 11 PRECEDING AND CURRENT ROW)", " WINDOW a AS (b ORDER BY k)"
                      ).replace("WINDOW a", "WINDOW b AS (PARTITION BY w), a"),
        WINDOW.format(f"({FRAME})", ""),
    ),
    (
        "SELECT t.k FROM t LEFT JOIN u ON u.k = t.k ORDER BY t.k",
        "SELECT t.k FROM t LEFT JOIN (SELECT k FROM u ORDER BY v) AS b ON b.k = t.k",
    ),
]  # fmt: skip
SAME += [
    ("SELECT k, COUNTIF(v > 1) AS x FROM t GROUP BY k", f"SELECT k, {other} AS x FROM t GROUP BY k")
    for other in ("COUNT(CASE WHEN v > 1 THEN 1 END)", "COUNT(IF(v > 1, TRUE, NULL))")
]
SAME.append(("SELECT LEAST(k, v, w) AS x FROM t", "SELECT LEAST(w, v, k) AS x FROM t"))
SAME.append(
    (
        "SELECT k, RANK() OVER (PARTITION BY k, v ORDER BY w) AS x FROM t",
        "SELECT k, RANK() OVER (PARTITION BY v, k ORDER BY w) AS x FROM t",
    )
)
SAME.append(
    (
        "SELECT t.k FROM t LEFT JOIN u ON u.k = t.k LEFT JOIN s ON s.k = t.k AND s.v > 1",
        "SELECT t.k FROM t LEFT JOIN s ON s.v > 1 AND t.k = s.k LEFT JOIN u ON u.k = t.k",
    )
)
SAME.append(("SELECT SAFE_DIVIDE(k, v) AS x FROM t", "SELECT k / NULLIF(v, 0) AS x FROM t"))
OTHER_ROWS = [
    (
        "SELECT s.k FROM (SELECT * FROM t WHERE v > 1) AS s FULL JOIN u ON u.k = s.k",
        "SELECT t.k FROM t FULL JOIN u ON u.k = t.k WHERE t.v > 1",
    ),
    ("SELECT k FROM t", "SELECT k FROM u"),
    ("SELECT k FROM t", "SELECT DISTINCT k FROM t"),
    (
        f"SELECT k FROM ({FIRST}) AS r WHERE r.n = 1 AND v > 2",
        f"SELECT k FROM t WHERE v > 2 QUALIFY {NUMBER} = 1",
    ),
    (
        f"SELECT k FROM ({FIRST}) AS r WHERE r.n = 1",
        f"SELECT k FROM ({FIRST.replace('v DESC', 'v')}) AS r WHERE r.n = 1",
    ),
    (
        f"SELECT k FROM ({TOP.format('SUM(v)', 's')})",
        f"SELECT k FROM ({TOP.format('SUM(w)', 's')})",
    ),
    (
        f"SELECT k FROM ({TOP.format('SUM(v)', '2')})",
        f"SELECT k FROM ({TOP.format('COUNT(*)', '2')})",
    ),
    (
        "SELECT k, v AS o FROM t UNION ALL SELECT k, v AS o FROM u ORDER BY o LIMIT 3",
        "SELECT k, v AS o FROM t UNION ALL SELECT k, v AS o FROM u ORDER BY k LIMIT 3",
    ),
    (
        "SELECT DISTINCT k FROM t ORDER BY k LIMIT 5",
        "SELECT DISTINCT k FROM (SELECT k FROM t ORDER BY k LIMIT 5)",
    ),
    (
        "SELECT k FROM (SELECT k, COUNT(*) AS n FROM t GROUP BY ALL)",
        "SELECT k FROM (SELECT k, v, COUNT(*) AS n FROM t GROUP BY ALL)",
    ),
    # Which of two copies of a table is the one outside.
    (
        "SELECT a.k FROM t AS a WHERE a.v = (SELECT MAX(b.v) FROM t AS b WHERE b.k = a.k)",
        "SELECT a.k FROM t AS a WHERE a.v = (SELECT MAX(b.v) FROM t AS b WHERE b.k = b.k)",
    ),
    (
        "SELECT a.k FROM t AS a WHERE NOT EXISTS "
        "(SELECT 1 FROM t AS b WHERE b.k = a.k AND b.v > a.v)",
        "SELECT a.k FROM t AS a WHERE NOT EXISTS "
        "(SELECT 1 FROM t AS b WHERE b.k = a.k AND a.v > b.v)",
    ),
    # A window sees the rows that are there before a join drops some.
    (
        f"SELECT r.k FROM ({FIRST}) AS r JOIN u ON u.k = r.k WHERE r.n = 1",
        f"SELECT r.k FROM (SELECT t.k, {NUMBER.replace(' k', ' t.k').replace(' v', ' t.v')} AS n "
        "FROM t JOIN u ON u.k = t.k) AS r WHERE r.n = 1",
    ),
    (
        "SELECT k FROM t GROUP BY k HAVING COUNT(*) > 2",
        "SELECT k FROM t GROUP BY k HAVING SUM(v) > 2",
    ),
    (
        "SELECT MAX(k) AS k FROM t",
        "SELECT FIRST_VALUE(k IGNORE NULLS) OVER (ORDER BY v) AS k FROM t",
    ),
    ("SELECT k FROM t WHERE v > 1", "SELECT k FROM t WHERE v > 1 OR w > 1"),
    ("SELECT k FROM t UNION ALL SELECT k FROM u", "SELECT k FROM t UNION DISTINCT SELECT k FROM u"),
    (
        "SELECT k FROM t EXCEPT DISTINCT SELECT k FROM u",
        "SELECT k FROM u EXCEPT DISTINCT SELECT k FROM t",
    ),
    ("SELECT k FROM t ORDER BY v LIMIT 5", "SELECT k FROM t ORDER BY w LIMIT 5"),
    ("SELECT k, COUNT(*) AS n FROM t GROUP BY k", "SELECT k, COUNT(*) AS n FROM t GROUP BY k, v"),
    ("SELECT t.k FROM t LEFT JOIN u ON u.k = t.k", "SELECT t.k FROM u LEFT JOIN t ON u.k = t.k"),
    (
        "SELECT t.k FROM t LEFT JOIN u ON u.k = t.k LEFT JOIN s ON s.k = t.k",
        "SELECT t.k FROM t LEFT JOIN u ON u.k = t.k LEFT JOIN s ON s.k = u.k",
    ),
    (
        "SELECT t.k FROM t LEFT JOIN u ON u.k = t.k RIGHT JOIN s ON s.k = t.k",
        "SELECT t.k FROM t RIGHT JOIN s ON s.k = t.k LEFT JOIN u ON u.k = t.k",
    ),
    (
        "SELECT t.k FROM t LEFT JOIN u ON u.k = t.k WHERE u.v > 1",
        "SELECT t.k FROM t LEFT JOIN u ON u.k = t.k AND u.v > 1",
    ),
    (
        "SELECT k FROM (SELECT k, RANK() OVER (ORDER BY v) AS r FROM t WHERE w > 1) WHERE r = 1",
        "SELECT k FROM (SELECT k, w, RANK() OVER (ORDER BY v) AS r FROM t) WHERE r = 1 AND w > 1",
    ),
    (
        "SELECT k FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k)",
        "SELECT k FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.v = t.k)",
    ),
    (
        "SELECT t.k AS k, n.x FROM t LEFT JOIN u ON t.k = u.k CROSS JOIN "
        "(SELECT COALESCE(t.k, u.k) AS x FROM t RIGHT JOIN u ON t.k = u.k) AS n",
        "SELECT t.k AS k, n.x FROM t LEFT JOIN u ON t.k = u.k CROSS JOIN "
        "(SELECT t.k AS x FROM t RIGHT JOIN u ON t.k = u.k) AS n",
    ),
]
# What a reader of queries could pass over.
OTHER_ROWS += [
    ("SELECT k FROM t", "SELECT k FROM t TABLESAMPLE SYSTEM (10 PERCENT)"),
    ("SELECT k FROM t", "SELECT k FROM t FOR SYSTEM_TIME AS OF '2020-01-01'"),
    (
        "SELECT k FROM (SELECT k FROM t) AS s",
        "SELECT k FROM (SELECT k FROM t) AS s TABLESAMPLE SYSTEM (5 PERCENT)",
    ),
    ("SELECT k FROM (SELECT k FROM t)", "SELECT k FROM ((SELECT k FROM t) LIMIT 3)"),
    (
        "SELECT k FROM ((SELECT k FROM t) LIMIT 3)",
        "SELECT k FROM ((SELECT k FROM t) LIMIT 3 OFFSET 3)",
    ),
    (
        "SELECT k FROM t UNION ALL SELECT k FROM u",
        "SELECT k FROM t UNION ALL SELECT k FROM u LIMIT 9",
    ),
    (
        "SELECT k FROM t UNION ALL SELECT k FROM u ORDER BY k LIMIT 9",
        "SELECT k FROM t UNION ALL SELECT k FROM u ORDER BY k DESC LIMIT 9",
    ),
    (
        "SELECT t.k FROM t CROSS JOIN UNNEST([t.v]) AS x",
        "SELECT t.k FROM t LEFT JOIN UNNEST([t.v]) AS x",
    ),
    ("SELECT t.k FROM t CROSS JOIN u", "SELECT t.k FROM t NATURAL JOIN u"),
    ("SELECT k FROM t LIMIT 3", "SELECT k FROM t LIMIT 3 OFFSET 3"),
]  # fmt: skip
COUNTED = (
    "SELECT t.k AS k, {}.n AS x FROM t "
    "INNER JOIN (SELECT k, COUNT(*) AS n FROM u GROUP BY k) AS a ON a.k = t.k "
    "INNER JOIN (SELECT k, v, COUNT(*) AS n FROM u GROUP BY k, v) AS b ON b.k = t.k"
)
OTHER_VALUES = [
    (
        "SELECT k, COUNTIF(v > 1) AS x FROM t GROUP BY k",
        "SELECT k, COUNT(IF(v > 1, w, NULL)) AS x FROM t GROUP BY k",
    ),
    ("SELECT k, LEAST(k, v) AS x FROM t", "SELECT k, GREATEST(k, v) AS x FROM t"),
    ("SELECT k, SAFE_DIVIDE(k, v) AS x FROM t", "SELECT k, v / NULLIF(k, 0) AS x FROM t"),
    ("SELECT k, SAFE_DIVIDE(k, v) AS x FROM t", "SELECT k, k / v AS x FROM t"),
    *(
        (
            WINDOW.format("a", f" WINDOW a AS ({FRAME})"),
            WINDOW.format("a", f" WINDOW a AS ({other})"),
        )
        for other in (
            FRAME.replace("11", "12"),
            FRAME.replace("w", "v"),
            FRAME.replace("BY k", "BY v"),
        )
    ),
    (
        "SELECT k, ARRAY(SELECT v FROM u ORDER BY v) AS x FROM t",
        "SELECT k, ARRAY(SELECT v FROM u ORDER BY v DESC) AS x FROM t",
    ),
    (COUNTED.format("a"), COUNTED.format("b")),
    ("SELECT k, (v + w) * 2 AS x FROM t", "SELECT k, v * 2 + w AS x FROM t"),
    (JOINED.format("a.v", "INNER"), JOINED.format("b.v", "INNER")),
    (JOINED.format("a.v - b.v", "LEFT"), JOINED.format("b.v - a.v", "LEFT")),
    ("SELECT k, (v + w) * 2 AS x FROM t", "SELECT k, v + w * 2 AS x FROM t"),
    ("SELECT k, v - w AS x FROM t", "SELECT k, w - v AS x FROM t"),
    ("SELECT k, SUM(v) AS x FROM t GROUP BY k", "SELECT k, SUM(DISTINCT v) AS x FROM t GROUP BY k"),
    (
        "SELECT k, (SELECT MAX(v) FROM u) AS x FROM t",
        "SELECT k, (SELECT MAX(k) FROM u) x FROM t",
    ),
    ("SELECT k, v * 0 AS x FROM t", "SELECT k, v AS x FROM t"),
    ("SELECT k, v + 1 AS x FROM t", "SELECT k, v AS x FROM t"),
    (
        "SELECT k, FIRST_VALUE(v IGNORE NULLS) OVER (ORDER BY w) AS x FROM t",
        "SELECT k, v AS x FROM t",
    ),
    (
        "SELECT k, COUNT(*) OVER () AS x FROM t LIMIT 9",
        "SELECT k, COUNT(*) OVER () AS x FROM (SELECT k FROM t LIMIT 9)",
    ),
    (
        "SELECT t.v AS k, COALESCE(t.k, u.k) AS x FROM t RIGHT JOIN u ON t.k = u.k",
        "SELECT t.v AS k, t.k AS x FROM t RIGHT JOIN u ON t.k = u.k",
    ),
    (
        "SELECT t.v AS k, k AS x FROM t FULL JOIN u USING (k)",
        "SELECT t.v AS k, t.k AS x FROM t FULL JOIN u ON t.k = u.k",
    ),
    (
        "SELECT t.v AS k, COALESCE(t.k, u.k) AS x FROM t LEFT JOIN u ON t.v = u.v",
        "SELECT t.v AS k, t.k AS x FROM t LEFT JOIN u ON t.v = u.v",
    ),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_another_way_to_write_it_means_the_same(one: str, other: str) -> None:
    was, now = meaning(one), meaning(other)
    assert was.rows == now.rows and was.texts == now.texts


@pytest.mark.parametrize(("one", "other"), OTHER_ROWS)
def test_other_rows_are_other_rows(one: str, other: str) -> None:
    assert meaning(one).rows != meaning(other).rows


@pytest.mark.parametrize(("one", "other"), OTHER_VALUES)
def test_other_values_are_other_values(one: str, other: str) -> None:
    was, now = meaning(one), meaning(other)
    assert was.rows == now.rows and was.texts["k"] == now.texts["k"]
    assert was.texts["x"] != now.texts["x"]


def test_a_query_says_what_it_reads_and_asks_for() -> None:
    read = meaning("SELECT t.v + 1 AS x FROM t INNER JOIN u ON u.k = t.k WHERE u.v IN (7, 8)")
    assert read.origins_of("x") == {("t", "v")}
    assert read.filters == {("u", "k"), ("t", "k"), ("u", "v")}
    assert {c for c in read.compared if c[0] == "u"} == {("u", "v", "7"), ("u", "v", "8")}


COUNTING = (
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + {} FROM r JOIN t ON t.k = n) "
    "SELECT n FROM r"
)


def test_a_step_that_reads_itself_means_all_that_it_says() -> None:
    one, other = (meaning(COUNTING.format(step)) for step in (1, 2))
    assert one.rows == meaning(COUNTING.format(1)).rows
    assert one.rows != other.rows and one.texts != other.texts
    assert ("t", "k") in one.origins_of("n") & one.filters


def test_a_field_of_a_struct_of_a_step_is_known_as_it_was_written() -> None:
    """As a text that is read again, `s.a.y` looks like a column of a table in a dataset."""
    query = (
        "WITH s AS (SELECT STRUCT(t.v AS x, t.w + {} AS y) AS a FROM t) SELECT s.a.{} AS n FROM s"
    )
    one, two = (read_query(parse_one(query.format(n, "y"), dialect="bigquery")) for n in (1, 2))
    assert one.texts != two.texts and one.origins_of("n") == {("t", "w")}
    one, two = (read_query(parse_one(query.format(n, "x"), dialect="bigquery")) for n in (1, 2))
    assert one.texts == two.texts
