"""What SQLGlot hands from GoogleSQL to DuckDB in the same words, which means something else there.

The left values are those of Google's reference; what DuckDB makes of the words is run here. Where
one day both agree, the refusal has no reason any more.
"""

from __future__ import annotations

import duckdb
import pytest
from sqlglot import parse_one

from mesh.contracts.engines import told_apart
from mesh.contracts.sql import parse_rule
from mesh.contracts.translation import install

# GoogleSQL, and its value on BigQuery as text.
APART = [
    ("EXTRACT(DAYOFWEEK FROM DATE '2024-01-07')", "1"),
    ("EXTRACT(WEEK FROM DATE '2023-01-01')", "1"),
    ("EXTRACT(MICROSECOND FROM TIMESTAMP '2024-01-07 10:00:01.5+00:00')", "500000"),
    ("EXTRACT(MILLISECOND FROM TIMESTAMP '2024-01-07 10:00:01.5+00:00')", "500"),
    ("DATE_TRUNC(DATE '2024-01-08', WEEK)", "2024-01-07"),
    (
        "TIMESTAMP_DIFF(TIMESTAMP '2024-01-01 10:01:00+00:00', "
        "TIMESTAMP '2024-01-01 09:59:00+00:00', HOUR)",
        "0",
    ),
    ("REGEXP_EXTRACT('abc', 'x')", "None"),
]
ALIKE = [
    ("DATE_DIFF(DATE '2024-01-07', DATE_TRUNC(DATE '2024-01-07', WEEK(MONDAY)), DAY)", "6"),
    ("DATE_TRUNC(DATE '2024-01-08', WEEK(MONDAY))", "2024-01-08"),
    ("EXTRACT(HOUR FROM TIMESTAMP '2024-01-07 10:00:01+00:00')", "10"),
    ("EXTRACT(DAY FROM DATE '2024-01-07')", "7"),
    ("NULLIF(REGEXP_EXTRACT('abc', 'x'), '')", "None"),
    (
        "DIV(UNIX_MICROS(TIMESTAMP '2024-01-01 10:01:00+00:00') - "
        "UNIX_MICROS(TIMESTAMP '2024-01-01 09:59:00+00:00'), 3600000000)",
        "0",
    ),
]


def on_duckdb(text: str) -> str:
    install()
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    query = parse_one(f"SELECT {text}", dialect="bigquery").sql("duckdb")
    (value,) = connection.execute(query).fetchone() or ("no row",)
    return str(value).removesuffix(" 00:00:00")


@pytest.mark.parametrize(("text", "value"), APART)
def test_what_is_another_value_on_duckdb_is_told(text: str, value: str) -> None:
    assert on_duckdb(text) != value
    assert len(list(told_apart(parse_one(text, dialect="bigquery")))) == 1


@pytest.mark.parametrize(("text", "value"), ALIKE)
def test_what_to_write_instead_is_the_same_on_both(text: str, value: str) -> None:
    assert on_duckdb(text) == value
    assert list(told_apart(parse_one(text, dialect="bigquery"))) == []


@pytest.mark.parametrize(
    "blank", ["\t", "\n", "\r", "\xa0", "\u1680", "\u2009", "\u2029", "\u3000"], ids=ascii
)
def test_a_trim_takes_the_blanks_of_every_script_as_on_bigquery(blank: str) -> None:
    """Of a text alone DuckDB takes spaces, so a rule would stop a plan on BigQuery alone."""
    rule = parse_rule("SELECT COUNT(*) FROM ${table} WHERE NOT (name = TRIM(name))")
    assert rule.condition is not None
    condition = rule.condition.sql("duckdb")
    with duckdb.connect() as connection:
        rows = "SELECT UNNEST(?::TEXT[]) AS name"
        texts = [f"{blank}a", f"a{blank}", f"a{blank}b", "a", ""]
        found = connection.execute(f"SELECT {condition} FROM ({rows})", [texts]).fetchall()
    assert [kept for (kept,) in found] == [False, False, True, True, True]
