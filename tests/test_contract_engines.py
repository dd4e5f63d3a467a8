"""What SQLGlot hands from GoogleSQL to DuckDB in the same words, which means something else there.

The left values are those of Google's reference; what DuckDB makes of the words is run here. Where
one day both agree, the refusal has no reason any more.
"""

from __future__ import annotations

import re

import duckdb
import pytest
from sqlglot import parse_one

from mesh.contracts.engines import told_apart
from mesh.contracts.sql import RuleSqlError, parse_expression, parse_rule
from mesh.contracts.translation import install

# GoogleSQL, and its value on BigQuery as text.
APART = [
    ("EXTRACT(DAYOFWEEK FROM DATE '2024-01-07')", "1"),
    ("EXTRACT(WEEK FROM DATE '2023-01-01')", "1"),
    ("EXTRACT(MICROSECOND FROM TIMESTAMP '2024-01-07 10:00:01.5+00:00')", "500000"),
    ("EXTRACT(MILLISECOND FROM TIMESTAMP '2024-01-07 10:00:01.5+00:00')", "500"),
    ("DATE_TRUNC(DATE '2024-01-08', WEEK)", "2024-01-07"),
    ("TIMESTAMP_TRUNC(TIMESTAMP '2024-01-08 10:00:00+00:00', WEEK)", "2024-01-07 00:00:00+00:00"),
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
    ("DATE_TRUNC(DATE(TIMESTAMP '2024-01-14 10:00:00+00:00'), WEEK(MONDAY))", "2024-01-08"),
    ("DATE_TRUNC(DATE '2024-01-10', WEEK(THURSDAY))", "2024-01-04"),
    ("DATE_DIFF(DATE '2024-01-14', DATE_TRUNC(DATE '2024-01-14', YEAR), WEEK(MONDAY))", "1"),
    ("DATE_DIFF(DATE '2024-01-15', DATE_TRUNC(DATE '2024-01-15', YEAR), WEEK(MONDAY))", "2"),
    ("MOD(UNIX_MICROS(TIMESTAMP '2024-01-07 10:00:01.5+00:00'), 1000000)", "500000"),
    ("DIV(MOD(UNIX_MICROS(TIMESTAMP '2024-01-07 10:00:01.5+00:00'), 1000000), 1000)", "500"),
    ("DIV(-7, 2)", "-3"),
    ("NULLIF(REGEXP_EXTRACT('abcd', '(b)c'), '')", "b"),
    ("EXTRACT(HOUR FROM TIMESTAMP '2024-01-07 10:00:01+00:00')", "10"),
    ("EXTRACT(DAY FROM DATE '2024-01-07')", "7"),
    ("NULLIF(REGEXP_EXTRACT('abc', 'x'), '')", "None"),
    (
        "DIV(UNIX_MICROS(TIMESTAMP '2024-01-01 10:01:00+00:00') - "
        "UNIX_MICROS(TIMESTAMP '2024-01-01 09:59:00+00:00'), 3600000000)",
        "0",
    ),
]

# How functions are called that take more, or another thing, than one value.
CALLS = {
    "CASE": "CASE WHEN x THEN 1 END",
    "CAST": "CAST(x AS INT64)",
    "CURRENT_DATE": "CURRENT_DATE()",
    "CURRENT_TIMESTAMP": "CURRENT_TIMESTAMP()",
    "DATE_ADD": "DATE_ADD(x, INTERVAL 1 DAY)",
    "DATE_DIFF": "DATE_DIFF(x, y, DAY)",
    "DATE_SUB": "DATE_SUB(x, INTERVAL 1 DAY)",
    "DATE_TRUNC": "DATE_TRUNC(x, MONTH)",
    "DIV": "DIV(x, y)",
    "EXTRACT": "EXTRACT(YEAR FROM x)",
    "IF": "IF(x, y, z)",
    "LAG": "LAG(x) OVER (ORDER BY y)",
    "LEAD": "LEAD(x) OVER (ORDER BY y)",
    "MEDIAN_OF": "MEDIAN_OF(x, 0, 5, 1)",
    "MOD": "MOD(x, y)",
    "NULLIF": "NULLIF(x, y)",
    "POW": "POW(x, y)",
    "REGEXP_EXTRACT": "NULLIF(REGEXP_EXTRACT(x, 'a'), '')",
    "REGEXP_REPLACE": "REGEXP_REPLACE(x, 'a', 'b')",
    "REPLACE": "REPLACE(x, 'a', 'b')",
    "ROW_NUMBER": "ROW_NUMBER() OVER (ORDER BY y)",
    "SAFE_DIVIDE": "SAFE_DIVIDE(x, y)",
    "SPLIT": "SPLIT(x, '|')",
    "STARTS_WITH": "STARTS_WITH(x, 'a')",
    "SUBSTR": "SUBSTR(x, 1, 2)",
    "TIMESTAMP_TRUNC": "TIMESTAMP_TRUNC(x, DAY)",
}


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
    assert parse_expression(text)


@pytest.mark.parametrize("text", [text for text, _ in APART])
def test_what_is_recommended_for_an_expression_is_allowed_in_one(text: str) -> None:
    with pytest.raises(RuleSqlError) as refused:
        parse_expression(text)
    recommended = re.findall("`(.+?)`", refused.value.fix)
    assert recommended
    for one in recommended:
        assert parse_expression(one)


@pytest.mark.parametrize("text", [text for text, _ in APART])
def test_what_is_recommended_for_a_rule_of_sql_is_a_column_of_the_model(text: str) -> None:
    """No function that tells it is the same on both without being written for each."""
    with pytest.raises(RuleSqlError) as refused:
        parse_rule(f"SELECT COUNT(*) FROM ${{table}} WHERE {text} IS NULL")
    assert "runs on each engine as it is written: have the model make a column" in refused.value.fix


@pytest.mark.parametrize("stands_in", ["a rule", "an expression"])
def test_what_is_named_as_allowed_is_allowed_where_it_stands(stands_in: str) -> None:
    def allowed(text: str) -> bool:
        try:
            query = f"SELECT COUNT(*) FROM ${{table}} WHERE {text} IS NULL"
            parse_rule(query) if stands_in == "a rule" else parse_expression(text)
        except RuleSqlError as error:
            fix.append(error.fix)
            return False
        return True

    fix: list[str] = []
    assert not allowed("SOUNDEX(x)")
    named = fix[0].removeprefix("Use what both engines run the same: ").rstrip(".").split(", ")
    refused = [name for name in named if not allowed(CALLS.get(name, f"{name}(x)"))]
    assert not refused
    more = {"DATE_DIFF", "COUNTIF", "DIV", "MEDIAN_OF", "UNIX_MICROS"}
    assert more & set(named) == (set() if stands_in == "a rule" else more)
    # What is left out of the list is refused.
    assert not [name for name in CALLS if name not in named and allowed(CALLS[name])]


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
