"""Medians in the expressions of a rule are exact, and say which values there are."""

from __future__ import annotations

from collections import Counter
from statistics import median

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.contracts.medians import expanded
from mesh.contracts.sql import RuleSqlError, parse_expression

STARS = [half / 2 for half in range(1, 11)]


def asked(connection: duckdb.DuckDBPyConnection, text: str, rows: str) -> object:
    query = expanded(parse_expression(text).node).sql("duckdb")
    found = connection.execute(f"SELECT {query} FROM {rows}").fetchone()
    return found and found[0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(STARS), min_size=1, max_size=30))
def test_a_median_of_values_or_of_their_counts_is_that_of_sorting(ratings: list[float]) -> None:
    counts = Counter(ratings)
    with duckdb.connect() as connection:
        rows = ", ".join(f"({rating}::DOUBLE)" for rating in ratings)
        of_values = asked(
            connection, "MEDIAN_OF(rating, 0.5, 5.0, 0.5)", f"(VALUES {rows}) AS t (rating)"
        )
        columns = ", ".join(f"ratings_{star:.1f}".replace(".", "_") for star in STARS)
        # In two rows, as two days are.
        one = ", ".join(str(counts[star] // 2) for star in STARS)
        two = ", ".join(str(counts[star] - counts[star] // 2) for star in STARS)
        of_counts = asked(
            connection,
            "MEDIAN_OF_COUNTS(ratings, 0.5, 5.0, 0.5)",
            f"(VALUES ({one}), ({two})) AS t ({columns})",
        )
    assert float(str(of_values)) == float(str(of_counts)) == median(ratings)


def test_the_median_of_nothing_is_nothing() -> None:
    with duckdb.connect() as connection:
        rows = "(SELECT NULL::DOUBLE AS rating) AS t"
        assert asked(connection, "MEDIAN_OF(rating, 1, 5, 1)", rows) is None


@pytest.mark.parametrize(
    "text",
    [
        "MEDIAN_OF(rating)",
        "MEDIAN_OF(rating, 5, 1, 1)",
        "MEDIAN_OF(rating, 1, 5, 0)",
        "MEDIAN_OF(rating, 1, 5, 3)",
        "MEDIAN_OF(rating, 0, 1000, 1)",
        "MEDIAN_OF(rating + 1, 1, 5, 1)",
        "MEDIAN_OF_COUNTS('ratings', 1, 5, 1)",
    ],
)
def test_a_median_that_does_not_say_its_values_is_refused(text: str) -> None:
    with pytest.raises(RuleSqlError, match="does not say which values there are") as error:
        parse_expression(text)
    assert "(<column>, <least>, <greatest>, <step>)" in error.value.fix
