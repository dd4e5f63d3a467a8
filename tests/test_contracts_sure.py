"""What a draft takes from a query: which columns can be empty, and which counts can be zero."""

from __future__ import annotations

import pytest
from sqlglot import parse_one
from sqlglot.optimizer.qualify import qualify

from mesh.catalogue.sure import Made, made_by

SCHEMA = {"shop": {"people": {"id": "int", "name": "text"}, "deals": {"id": "int", "value": "int"}}}
DEALS = "SELECT id, COUNT(*) AS deals, SUM(value) AS value FROM shop.deals GROUP BY id"


def of(query: str) -> Made:
    return made_by(qualify(parse_one(query, dialect="duckdb"), dialect="duckdb", schema=SCHEMA))


@pytest.mark.parametrize(
    ("column", "may_be_empty", "is_counted"),
    [
        ("people.id", False, True),
        ("COUNT(*)", False, True),
        ("COUNT(deals.id)", False, False),
        ("COUNT(*) FILTER (WHERE deals.value > 1)", False, False),
        ("SUM(deals.value)", True, False),
        ("COALESCE(SUM(deals.value), 0)", False, False),
        ("MAX(people.name)", False, True),
        ("MAX(CASE WHEN people.id > 1 THEN deals.value END)", True, False),
    ],
)
@pytest.mark.parametrize("side", ["LEFT", "FULL"])
def test_what_is_added_up_of_rows_that_may_not_be_there(
    side: str, column: str, may_be_empty: bool, is_counted: bool
) -> None:
    query = (
        f"SELECT {column} AS one FROM shop.people {side} JOIN shop.deals ON deals.id = people.id "
        "GROUP BY people.id"
    )
    if side == "FULL" and column != "COUNT(*)":
        is_counted = False
        may_be_empty = may_be_empty or column.startswith("MAX")
    made = of(query)
    assert (made.columns["one"].may_be_empty, made.columns["one"].is_counted) == (
        may_be_empty,
        is_counted,
    )
    assert "shop.deals" in made.unmatched


def test_sums_that_are_joined_may_be_missing_and_what_is_looked_up_is_there() -> None:
    made = of(
        f"WITH sums AS ({DEALS}) "
        "SELECT sums.deals, sums.value, COALESCE(sums.deals, 0) AS all_deals, people.name "
        "FROM shop.people LEFT JOIN sums ON sums.id = people.id"
    )
    empty = {name for name, sure in made.columns.items() if sure.may_be_empty}
    assert empty == {"deals", "value"}
    looked_up = of(
        "SELECT deals.id, people.name FROM shop.deals LEFT JOIN shop.people ON people.id = deals.id"
    )
    assert not looked_up.columns["name"].may_be_empty
    assert looked_up.unmatched == {"shop.people"}


def test_an_inner_join_and_a_union_keep_what_is_sure() -> None:
    made = of(
        f"WITH sums AS ({DEALS}) "
        "SELECT people.id, sums.deals FROM shop.people JOIN sums ON sums.id = people.id "
        "UNION ALL SELECT id, COUNT(value) FROM shop.deals GROUP BY id"
    )
    assert made.unmatched == set()
    assert [(s.may_be_empty, s.is_counted) for s in made.columns.values()] == [
        (False, True),
        (False, False),
    ]


@pytest.mark.parametrize(
    ("query", "key"),
    [
        (DEALS, ("id",)),
        ("SELECT value AS much, id, COUNT(*) AS n FROM shop.deals GROUP BY 2, 1", ("id", "much")),
        ("SELECT id::TEXT AS id, COUNT(*) AS n FROM shop.deals GROUP BY 1", ("id",)),
        ("SELECT COUNT(*) AS n FROM shop.deals GROUP BY id", ()),
        ("SELECT id + 1 AS id, COUNT(*) AS n FROM shop.deals GROUP BY deals.id", ()),
        ("SELECT id, value, COUNT(*) AS n FROM shop.deals GROUP BY ROLLUP (id, value)", ()),
        ("SELECT id, value FROM shop.deals", ()),
        (f"{DEALS} UNION ALL {DEALS}", ()),
    ],
)
def test_a_query_has_one_row_of_what_it_groups_by(query: str, key: tuple[str, ...]) -> None:
    assert of(query).key == key


def test_of_no_query_nothing_is_said() -> None:
    assert made_by(None) == Made()
