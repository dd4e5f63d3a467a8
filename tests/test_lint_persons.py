"""What is made of a person's id leads to the person, however it is wrapped up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from sqlglot import exp
from sqlglot.schema import MappingSchema
from sqlmesh.core.dialect import parse
from sqlmesh.core.model import Model, load_sql_based_model

from mesh.lint import PersonalColumnsAreClassified
from mesh.lint.persons import Persons

COLUMNS = ("user_id", "x")
SCHEMA = MappingSchema(
    {"shop": {"sales": dict.fromkeys(COLUMNS, exp.DataType.build("INT64", dialect="bigquery"))}},
    dialect="bigquery",
)
LEADS = (
    *("user_id", "user_id - 1", "CONCAT('u', user_id)", "FORMAT('%d', user_id)", "[user_id]"),
    *("MOD(user_id, 1000000007)", "MOD(user_id, x)", "FARM_FINGERPRINT(CAST(user_id AS STRING))"),
    *("MD5(CAST(user_id AS STRING))", "TO_HEX(SHA256(CAST(user_id AS STRING)))"),
    *("DENSE_RANK() OVER (ORDER BY user_id)", "ROW_NUMBER() OVER (ORDER BY user_id DESC, x)"),
    *("AVG(user_id) OVER (PARTITION BY user_id)", "LAG(user_id) OVER (ORDER BY x)"),
    *("CASE WHEN x > 1 THEN user_id END", "ARRAY(SELECT sales.user_id)"),
)
LEADS_NOT = (
    *("x", "COUNT(DISTINCT user_id)", "AVG(user_id)", "MOD(user_id, 10)", "user_id > 5"),
    *("ROW_NUMBER() OVER (PARTITION BY x ORDER BY x, user_id)", "LENGTH(CAST(user_id AS STRING))"),
    *("MOD(FARM_FINGERPRINT(CAST(user_id AS STRING)), 100)", "CASE WHEN user_id = 1 THEN x END"),
    "COUNT(*) OVER (ORDER BY user_id)",
)
TOTAL = "SELECT SUM(x) OVER (PARTITION BY user_id) AS said FROM shop.sales"


def column(name: str, classification: str) -> Any:
    return SimpleNamespace(
        name=name,
        classification=classification,
        personal=classification == "personal",
        tags=(),
        line_of=lambda key: 7,
    )


def contract(product: str, *columns: Any) -> Any:
    return SimpleNamespace(
        product=product,
        columns=columns,
        personal_columns=[one for one in columns if one.personal],
        column=lambda name: next((one for one in columns if one.name == name), None),
        location=lambda line: f"{product}.odcs.yaml:{line}",
    )


SALES = contract("shop.sales", column("user_id", "personal"), column("x", "internal"))


def model(query: str) -> Model:
    block = parse(f"MODEL (name shop.mart, dialect bigquery); {query}", default_dialect="bigquery")
    made = load_sql_based_model(block, dialect="bigquery")
    made.update_schema(SCHEMA)
    return made


def leads(query: str) -> bool:
    return Persons({}, {"shop.sales": SALES}).origin(model(query), "said") is not None


def is_of_each(query: str) -> bool:
    return Persons({}, {"shop.sales": SALES}).of_each(model(query), "said") is not None


@pytest.mark.parametrize("expression", LEADS)
def test_what_is_made_of_an_id_leads_to_a_person(expression: str) -> None:
    assert leads(f"SELECT {expression} AS said FROM shop.sales")


@pytest.mark.parametrize("expression", LEADS_NOT)
def test_what_counts_or_groups_persons_leads_to_nobody(expression: str) -> None:
    assert not leads(f"SELECT {expression} AS said FROM shop.sales")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT one AS said FROM shop.sales CROSS JOIN UNNEST([user_id]) AS one",
        "SELECT AVG(user_id) AS said FROM shop.sales GROUP BY user_id",
        "SELECT RANK() OVER early AS said FROM shop.sales WINDOW early AS (ORDER BY user_id)",
        "SELECT part.id AS said FROM (SELECT STRUCT(user_id AS id) AS part FROM shop.sales)",
        "WITH a AS (SELECT x AS n FROM shop.sales UNION ALL SELECT user_id FROM shop.sales) "
        "SELECT n AS said FROM a",
    ],
)
def test_an_id_is_followed_through_queries(query: str) -> None:
    assert leads(query)


def test_a_total_of_each_person_is_told_apart_from_one_of_many() -> None:
    assert is_of_each(TOTAL)
    assert is_of_each(f"SELECT said + 1 AS said FROM ({TOTAL})")
    assert is_of_each(
        "SELECT SUM(x) OVER own AS said FROM shop.sales WINDOW own AS (PARTITION BY user_id)"
    )
    assert not leads(TOTAL)
    assert not is_of_each("SELECT SUM(x) OVER (PARTITION BY x) AS said FROM shop.sales")
    assert not is_of_each(f"SELECT said, COUNT(*) AS users FROM ({TOTAL}) GROUP BY said")
    assert not is_of_each(f"SELECT AVG(said) AS said FROM ({TOTAL})")
    assert not is_of_each(f"SELECT MAX(said) AS said FROM ({TOTAL})")


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("SELECT DENSE_RANK() OVER (ORDER BY user_id) AS said FROM shop.sales", "made of"),
        (TOTAL, "a value of each"),
    ],
)
def test_a_column_that_is_not_classified_so_is_refused(query: str, what: str) -> None:
    mart = contract("shop.mart", column("said", "internal"))
    rule = PersonalColumnsAreClassified(SimpleNamespace(models={}))  # type: ignore[arg-type]
    (told,) = rule.findings(model(query), {"shop.sales": SALES, "shop.mart": mart})
    assert told == (
        f"shop.mart: column said is {what} shop.sales.user_id, which leads to a person "
        "(shop.sales.odcs.yaml:7), but is classified internal in the contract "
        "(shop.mart.odcs.yaml:7): write `classification: personal`, or the tag `not_personal` "
        "where its values tell nobody apart."
    )


def test_beside_who_it_is_of_a_value_need_not_be_marked() -> None:
    mart = contract("shop.mart", column("user_id", "personal"), column("said", "internal"))
    rule = PersonalColumnsAreClassified(SimpleNamespace(models={}))  # type: ignore[arg-type]
    assert not [*rule.findings(model(TOTAL), {"shop.sales": SALES, "shop.mart": mart})]
