"""What is made of a person's id leads to the person, however it is wrapped up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from sqlglot import exp
from sqlglot.schema import MappingSchema
from sqlmesh.core.dialect import parse
from sqlmesh.core.model import Model, load_sql_based_model

from mesh.catalogue.nobody import Handed, Withheld, stand_in
from mesh.contracts.personal import looks_personal
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


NAMES = (
    *("first_name", "LASTNAME", "fullName", "waiter_name", "customerName", "email", "e_mail"),
    *("home_phone", "ssn", "date_of_birth", "birthdate", "street_address", "salary", "client_ip"),
    *("iban", "passport_number", "zip_code", "account_number", "user_name", "owner"),
    *("assigned_to", "created_by", "lastModifiedBy", "approved_by_name", "sold_by", "assignee"),
    *("login", "user_login", "handy", "nachname", "prenom", "fecha_nacimiento", "geburtstag"),
    *("kunden_name", "diagnosis", "comment", "internal_note"),
)
NAMES_OF_NOBODY = (
    *("product_name", "movie_name", "order_name", "server_name", "name", "title", "user_id"),
    *(
        "email_count",
        "is_email_verified",
        "avg_salary",
        "address_type",
        "customer_type",
        "shipping",
    ),
    *("sorted_by", "group_by", "increased_by", "valid_to", "up_to", "related_to", "created_at"),
    *("last_login", "login_count", "comments", "note_count", "account", "nombre", "lat", "lon"),
)


@pytest.mark.parametrize("name", NAMES)
def test_before_any_contract_the_name_of_a_column_says_that_it_may_be_of_a_person(
    name: str,
) -> None:
    assert looks_personal(name)


@pytest.mark.parametrize("name", NAMES_OF_NOBODY)
def test_the_name_of_a_thing_or_of_a_count_leads_to_nobody(name: str) -> None:
    assert not looks_personal(name, "shop.orders")


def test_a_name_in_a_table_of_persons_is_that_of_a_person() -> None:
    assert looks_personal("name", "crm.dim_customers") and looks_personal("Name", "hr.staff")


def test_where_a_shop_is_leads_to_nobody_and_where_a_person_is_does() -> None:
    assert not looks_personal("lat", "shop.shops", ("id", "lat", "opened_on"))
    assert looks_personal("lat", "crm.leads", ("id", "lat", "email"))


def test_a_contract_is_believed_before_a_name_is_and_both_are_followed_through_queries() -> None:
    email = contract("shop.sales", column("email", "internal"), column("x", "personal"))
    one = model("SELECT user_id AS said, CONCAT(x, '!') AS shown FROM shop.sales")
    names = Withheld({one.fqn: one}, {"shop.sales": email})
    assert not names.told("shop.sales", "email") and names.told("shop.other", "email")
    assert names.told(one.fqn, "shown") and not names.told(one.fqn, "said")
    (place,) = Handed({}, {}).origins(one, "shown")
    assert place == ('"shop"."sales"', "x")


@pytest.mark.parametrize(
    ("value", "nobody"),
    [
        ("1951-01-02", "2000-01-03"),
        ("1951/01/02", "2000/01/03"),
        ("1951-01-02T13:14:15.5+02:00", "2000-01-03T00:00:00.0+00:00"),
        ("31.12.1951", "01.01.2002"),
        ("19510102", "20000103"),
        ("123-45-6789", "000-00-0003"),
        ("+1 (555) 0101", "+0 (000) 0003"),
        ("7", "3"),
        ("12.50", "00.03"),
        ("ada@example.org", "person3@example.com"),
        ("10.1.2.3", "192.0.2.3"),
        ("0F8FAD5B-D9CB-469F-A165-70867728950E", "00000000-0000-0000-0000-000000000003"),
        ("Ada Byron", "person 3"),
        ("", ""),
    ],
)
def test_a_stand_in_is_like_the_text_in_whose_place_it_stands(value: str, nobody: str) -> None:
    assert stand_in(value, 3) == nobody
    if any(map(str.isdigit, value)):
        assert stand_in(value, 4321) != stand_in(value, 3)
