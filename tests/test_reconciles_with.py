"""A product agrees with what it is made from, group by group, seen from both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from mesh.contracts.audits import within
from mesh.contracts.constraints.base import Effect
from mesh.contracts.constraints.reconciles_with import ReconcilesWith
from mesh.contracts.reconciling import differences, of_interval
from mesh.contracts.rules import Rule, Scope, TableRule

TYPES = {"genre": "string", "day": "date", "plays": "integer", "share": "number"}
FACTS = Rule("r", "reconciles_with", "", "completeness", "error", 1)
ROWS = [("Drama", "2018-09-01", 2, 0.5), ("Comedy", "2018-09-02", 3, 0.25)]
Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA shop; SET TimeZone = 'UTC'")
        for table in ("mart", "shop.events"):
            columns = "genre VARCHAR, day DATE, plays BIGINT, share DOUBLE"
            seen = "seen TIMESTAMPTZ"
            connection.execute(f"CREATE TABLE {table} ({columns}, {seen})")
        yield connection


def promise(**said: Any) -> ReconcilesWith:
    made: dict[str, Any] = {"by": (("genre", "genre"),), "measures": (("SUM(plays)",) * 2,)}
    return ReconcilesWith(source="shop.events", **(made | said))


def rule(one: ReconcilesWith) -> TableRule:
    made = one.rule(FACTS, lambda name: TYPES.get(name, ""))
    assert isinstance(made, TableRule)
    return made


def found(
    database: duckdb.DuckDBPyConnection,
    one: ReconcilesWith,
    here: list[Row],
    there: list[Row],
    query: exp.Select | None = None,
    rows: exp.Expr | None = None,
) -> list[tuple]:
    """What the rule finds of these rows of the product and of its source."""
    for table, values in (("mart", here), ("shop.events", there)):
        database.execute(f"DELETE FROM {table}")
        for row in values:
            moment = f"{row[1]} 23:59:59+00"
            database.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)", (*row, moment))
    made = rule(one)
    bound = (query and TableRule(**(vars(made) | {"query": query}))) or made
    offending = bound.offending(rows or exp.to_table("mart"))
    return sorted(database.execute(offending.sql(dialect="duckdb")).fetchall(), key=str)


def test_a_product_that_agrees_breaks_nothing(database: duckdb.DuckDBPyConnection) -> None:
    assert found(database, promise(), ROWS, ROWS) == []
    assert found(database, promise(), [], []) == []


def test_a_product_without_rows_lacks_all_that_its_source_has(
    database: duckdb.DuckDBPyConnection,
) -> None:
    told = "missing; SUM(plays) is nothing, in shop.events SUM(plays) is"
    assert found(database, promise(), [], ROWS) == [("Comedy", f"{told} 3"), ("Drama", f"{told} 2")]
    assert found(database, promise(by=()), [], ROWS) == [(f"{told} 5",)]


def test_a_group_too_many_is_found(database: duckdb.DuckDBPyConnection) -> None:
    [(genre, told)] = found(database, promise(), ROWS, ROWS[:1])
    assert genre == "Comedy"
    assert told.startswith("not in shop.events; SUM(plays) is 3, in shop.events")


def test_a_measure_that_differs_is_told_with_both_values(
    database: duckdb.DuckDBPyConnection,
) -> None:
    both = promise(measures=(("SUM(plays)", "COUNT(*)"), ("COUNT(*)", "COUNT(*)")))
    assert found(database, both, ROWS[:1], ROWS[:1]) == [
        ("Drama", "differs; SUM(plays) is 2, in shop.events COUNT(*) is 1")
    ]


def test_nothing_is_a_group_and_a_value_of_its_own(database: duckdb.DuckDBPyConnection) -> None:
    nobody, unknown = (None, "2018-09-01", 1, 0.5), ("Drama", "2018-09-01", None, 0.5)
    assert found(database, promise(), [nobody, unknown], [nobody, unknown]) == []
    assert found(database, promise(), [nobody], [("", *nobody[1:])]) != []
    [(_, told)] = found(database, promise(), [unknown], ROWS[:1])
    assert told == "differs; SUM(plays) is nothing, in shop.events SUM(plays) is 2"


@pytest.mark.parametrize(
    ("here", "there", "agree"),
    [
        (0.1 + 0.2, 0.3, True),
        (1e12 + 0.0001, 1e12, True),
        (0.5, 0.5001, False),
        (0.0, 0.25, False),
        (float("inf"), 1e300, False),
        (1.0, float("inf"), False),
        (float("nan"), 1.0, False),
    ],
)
def test_floating_point_numbers_may_differ_by_their_rounding(
    database: duckdb.DuckDBPyConnection, here: float, there: float, agree: bool
) -> None:
    shares = promise(measures=(("SUM(share)", "SUM(share)"),))
    sides = [("Drama", "2018-09-01", 1, here)], [("Drama", "2018-09-01", 1, there)]
    assert (found(database, shares, *sides) == []) is agree


def test_a_count_is_compared_to_the_last_one(database: duckdb.DuckDBPyConnection) -> None:
    many = 10**15
    sides = [("Drama", "2018-09-01", many, 0.5)], [("Drama", "2018-09-01", many + 1, 0.5)]
    assert len(found(database, promise(), *sides)) == 1


def test_groups_that_are_hidden_here_may_be_left_out_and_not_shown(
    database: duckdb.DuckDBPyConnection,
) -> None:
    hiding = promise(source_having="SUM(plays) >= 3")
    assert found(database, hiding, ROWS[1:], ROWS) == []
    [(genre, told)] = found(database, hiding, ROWS, ROWS)
    assert genre == "Drama" and told.startswith("not in shop.events")
    assert found(database, hiding, [], ROWS)[0][0] == "Comedy"


def test_conditions_hold_on_their_own_side(database: duckdb.DuckDBPyConnection) -> None:
    here = promise(where="genre = 'Drama'", source_where="plays < 3")
    assert found(database, here, ROWS, ROWS) == []
    assert found(database, promise(where="genre = 'Drama'"), ROWS, ROWS)[0][0] == "Comedy"


def test_a_list_of_the_source_counts_in_each_of_its_elements(
    database: duckdb.DuckDBPyConnection,
) -> None:
    each = promise(by=(("genre", "one"),), each=("one", "SPLIT(genre, '|')"))
    listed = [("Drama|Comedy", "2018-09-01", 2, 0.5), ("Comedy", "2018-09-01", 1, 0.5)]
    assert found(database, each, ROWS, listed) == []
    assert [genre for genre, _ in found(database, each, ROWS, listed[:1])] == ["Comedy"]


def test_a_pattern_of_the_source_is_replaced_wherever_it_is_found(
    database: duckdb.DuckDBPyConnection,
) -> None:
    one = promise(by=(("genre", "REGEXP_REPLACE(genre, '[^\\\\pL]+', '')"),))
    spelled = [(f"-{'-'.join(genre)}!", *more) for genre, *more in ROWS]
    assert found(database, one, ROWS, spelled) == []
    assert found(database, promise(), ROWS, spelled) != []


@pytest.mark.parametrize(
    ("own", "other"),
    [
        ("DATE_TRUNC(day, MONTH)", "DATE_TRUNC(day, MONTH)"),
        ("day", "DATE(seen)"),
        ("DATE_TRUNC(day, MONTH)", "DATE_TRUNC(DATE(seen), MONTH)"),
    ],
)
def test_of_an_interval_both_sides_are_read(
    database: duckdb.DuckDBPyConnection, own: str, other: str
) -> None:
    monthly = promise(by=((own, other),))
    assert rule(monthly).scope is Scope.GROUPS
    rows = within(
        exp.to_table("mart"), "day", exp.DataType.build("DATE"), [("2018-09-01", "2018-09-30")]
    )
    august = ("Drama", "2018-08-31", 7, 0.5)
    assert len(found(database, monthly, ROWS, [august, *ROWS])) == 1
    made = rule(monthly)
    assert made.sides is not None
    # SQLMesh keeps the two sides with a version, in SQLGlot's own dialect.
    stored = parse_one(made.sides.sql())
    assert isinstance(stored, exp.Union)
    for asked in (made.query, differences(stored)):
        held = of_interval(asked, rows)
        assert held is not None
        assert found(database, monthly, ROWS, [august, *ROWS], held, rows) == []
        told = found(database, monthly, [august], [august, *ROWS], held, rows)
        assert {str(day) for day, _ in told} <= {"2018-09-01", "2018-09-02"} and told


@pytest.mark.parametrize("is_stored", [False, True])
def test_a_month_is_told_as_a_day_whichever_side_makes_it(
    database: duckdb.DuckDBPyConnection, is_stored: bool
) -> None:
    """DuckDB makes moments of the months of one side, and so of what stands beside them."""
    first = [("Drama", "2018-09-01", 1, 0.5)]
    monthly = promise(
        by=(("day", "DATE_TRUNC(DATE(seen), MONTH)"),),
        measures=(("MAX(day)", "MAX(DATE_TRUNC(DATE(seen), MONTH))"),),
    )
    made = rule(monthly)
    assert made.sides is not None
    asked = differences(parse_one(made.sides.sql())) if is_stored else None  # type: ignore[arg-type]
    [(day, told)] = found(database, monthly, [], first, asked)
    assert str(day) == "2018-09-01"
    assert "MAX(day) is nothing" in told and told.endswith(" is 2018-09-01")


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        ("genre", "SELECT * FROM mart WHERE day BETWEEN '2018-09-01' AND '2018-09-30'"),
        ("day", "SELECT * FROM mart"),
        ("day", "SELECT * FROM mart WHERE seen BETWEEN '2018-09-01' AND '2018-09-30'"),
    ],
)
def test_where_groups_are_of_no_interval_the_whole_is_read(by: str, rows: str) -> None:
    assert of_interval(rule(promise(by=((by, by),))).query, parse_one(rows)) is None
    assert rule(promise()).scope is Scope.WHOLE
    # A week or a year holds days of other intervals.
    for longer in ("DATE_TRUNC(day, WEEK(MONDAY))", "DATE_TRUNC(day, YEAR)"):
        assert rule(promise(by=((longer, longer),))).scope is Scope.WHOLE


def test_it_reads_its_source_and_what_its_expressions_look_up() -> None:
    newest = "day > (SELECT MAX(day) FROM shop.days)"
    made = rule(promise(source_where=newest))
    assert made.references == ("shop.events", "shop.days")
    assert promise(source_where=newest).text() == (
        "SUM(plays) of shop.events, for each genre, where there "
        "day > (SELECT MAX(day) FROM shop.days)"
    )


def test_a_change_of_it_is_told_by_what_is_compared() -> None:
    one, other = ("SUM(plays)", "SUM(plays)"), ("COUNT(*)", "COUNT(*)")
    old = promise(measures=(one,))
    assert old.compare(promise(measures=(("sum( plays )", "SUM(plays)"),)), {}) is None
    assert old.compare(promise(measures=(one, other)), {}) is Effect.TIGHTER
    assert promise(measures=(one, other)).compare(old, {}) is Effect.LOOSER
    assert old.compare(promise(measures=(other,)), {}) is Effect.OTHER
    assert old.compare(promise(measures=(one,), where="plays > 1"), {}) is Effect.OTHER
    assert old.compare(promise(measures=(one,), by=()), {}) is Effect.OTHER
    renamed = promise(by=(("kind", "genre"),), measures=(one,))
    assert old.compare(renamed, {"genre": "kind"}) is None


GENRES = st.sampled_from(["Drama", "Comedy", "War", None])
EVENTS = st.lists(st.tuples(GENRES, st.integers(1, 5)), max_size=8)


@settings(max_examples=60, deadline=None)
@given(here=EVENTS, there=EVENTS)
def test_it_finds_just_the_groups_that_differ(
    database: duckdb.DuckDBPyConnection, here: list[Row], there: list[Row]
) -> None:
    sides = [[(genre, "2018-09-01", plays, 0.5) for genre, plays in s] for s in (here, there)]
    sums = []
    for side in (here, there):
        total: Counter[str | None] = Counter()
        for genre, plays in side:
            total[genre] += plays
        sums.append(total)
    differ = {g for g in sums[0].keys() | sums[1].keys() if sums[0].get(g) != sums[1].get(g)}
    assert {genre for genre, _ in found(database, promise(), *sides)} == differ
