"""Reads of a table that needs a filter on its partition column: `s.events`, by `at`."""

from __future__ import annotations

SINCE = "at >= TIMESTAMP '2024-01-01'"

FILTERED = {
    "beside the read": f"SELECT id FROM s.events WHERE {SINCE}",
    "beside an array in a cross join": (
        f"SELECT e.id, i.sku FROM s.events AS e CROSS JOIN UNNEST(e.items) AS i WHERE e.{SINCE}"
    ),
    "beside an array after a comma": (
        f"SELECT e.id, i.sku FROM s.events AS e, UNNEST(e.items) AS i WHERE e.{SINCE}"
    ),
    "beside an array without UNNEST": (
        f"SELECT e.id, i.sku FROM s.events AS e, e.items AS i WHERE e.{SINCE}"
    ),
    "beside an array that may be empty": (
        f"SELECT e.id, i.sku FROM s.events AS e LEFT JOIN UNNEST(e.items) AS i WHERE e.{SINCE}"
    ),
    "beside an array that is counted": (
        "SELECT e.id, place FROM s.events AS e CROSS JOIN UNNEST(e.items) AS i "
        f"WITH OFFSET AS place WHERE e.{SINCE}"
    ),
    "beside an array in a subquery": (
        "SELECT e.id, (SELECT SUM(i.quantity) FROM UNNEST(e.items) AS i) AS n FROM s.events AS e "
        f"WHERE e.{SINCE}"
    ),
    "whatever is known": "SELECT id FROM s.events WHERE at IS NOT NULL",
    "what is not known": "SELECT id FROM s.events WHERE at IS NULL",
    "by its month": (
        "SELECT id FROM s.events WHERE DATETIME_TRUNC(at, MONTH) = DATETIME '2024-01-01'"
    ),
    "outside of a WITH": (
        f"WITH a AS (SELECT * FROM s.events) SELECT a.id FROM a WHERE a.{SINCE}"
    ),
    "outside, under another name": (
        "SELECT id FROM (SELECT id, at AS moment FROM s.events) "
        "WHERE moment >= TIMESTAMP '2024-01-01'"
    ),
    "two steps further out": (
        "WITH a AS (SELECT * EXCEPT (id) FROM s.events AS e), b AS (SELECT a.* FROM a WHERE n > 1) "
        f"SELECT n FROM b, UNNEST(b.items) WHERE {SINCE}"
    ),
    "outside of a union": (
        "SELECT id FROM (SELECT id, at FROM s.events UNION ALL SELECT n, at FROM s.events) "
        f"WHERE {SINCE}"
    ),
    "under the name of a union's first branch": (
        "SELECT id FROM (SELECT id, seen AS moment FROM s.visits UNION ALL "
        "SELECT id, at FROM s.events) WHERE moment >= TIMESTAMP '2024-01-01'"
    ),
    "in each step that reads it": (
        f"WITH a AS (SELECT id, at FROM s.events) SELECT id FROM a WHERE {SINCE} "
        f"UNION ALL SELECT id FROM a WHERE {SINCE}"
    ),
}  # fmt: skip

UNFILTERED = {
    "not at all": "SELECT id FROM s.events",
    "not at all, beside an array": "SELECT e.id FROM s.events AS e CROSS JOIN UNNEST(e.items) AS i",
    "by another column": "SELECT id FROM s.events AS e, UNNEST(e.items) AS i WHERE i.sku = 'a'",
    "by what is no constant": "SELECT id FROM s.events WHERE at >= (SELECT MIN(at) FROM s.visits)",
    "or else": f"SELECT id FROM s.events WHERE {SINCE} OR id = 1",
    "all but one": "SELECT id FROM s.events WHERE NOT at = TIMESTAMP '2024-01-01'",
    "outside of a LIMIT": (
        f"SELECT id FROM (SELECT * FROM s.events LIMIT 9) WHERE {SINCE}"
    ),
    "outside of a count": (
        "WITH a AS (SELECT at, COUNT(*) AS n FROM s.events GROUP BY at) "
        f"SELECT n FROM a WHERE {SINCE}"
    ),
    "outside of a window": (
        f"SELECT n FROM (SELECT at, ROW_NUMBER() OVER () AS n FROM s.events) WHERE {SINCE}"
    ),
    "outside, by what is made of it": (
        "SELECT id FROM (SELECT id, TIMESTAMP_ADD(at, INTERVAL 1 DAY) AS at FROM s.events) "
        f"WHERE {SINCE}"
    ),
    "outside of what writes it anew": (
        f"SELECT id FROM (SELECT * REPLACE (CURRENT_TIMESTAMP() AS at) FROM s.events) WHERE {SINCE}"
    ),
    "outside of a PIVOT": (
        "SELECT paid FROM (SELECT at, status FROM s.events) "
        f"PIVOT(COUNT(*) FOR status IN ('paid' AS paid)) WHERE {SINCE}"
    ),
    "in one of two steps that read it": (
        f"WITH a AS (SELECT id, at FROM s.events) SELECT id FROM a WHERE {SINCE} "
        "UNION ALL SELECT id FROM a"
    ),
    "outside of a union of what is distinct": (
        "SELECT id FROM (SELECT id, at FROM s.events UNION DISTINCT SELECT id, seen FROM s.visits) "
        f"WHERE {SINCE}"
    ),
    "outside of a difference": (
        "SELECT id FROM (SELECT id, seen AS at FROM s.visits EXCEPT DISTINCT "
        f"SELECT id, at FROM s.events) WHERE {SINCE}"
    ),
}  # fmt: skip
