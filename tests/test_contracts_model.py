"""The typed contracts that all gates read: columns, grain, rules with stable ids, both engines."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest
from jsonschema import validators
from open_data_contract_standard.model import OpenDataContractStandard
from sqlglot import exp, parse_one

from mesh.contracts import Contract, Version, contract_paths, find, load_contracts
from mesh.contracts.findings import CONTRACT
from mesh.contracts.load import load_contract
from mesh.contracts.rules import Scope
from mesh.contracts.sql import parse_rule
from mesh.errors import WrongUse
from mesh.files.tree import read_tree
from tests.project_copy import PROJECT

CONTRACTS = Path(__file__).resolve().parent.parent / "contracts"
FIXTURES = Path(__file__).parent / "fixtures" / "contracts" / "valid"
PRODUCTS = {
    "operational.movies",
    "operational.ratings",
    "operational.tags",
    "interactions.movie_catalogue",
    "interactions.movies_engagement",
    "interactions.movies_engagement_daily",
    "interactions.user_actions",
    "interactions.user_genre_ratings",
    "interactions.user_movie_ratings",
    "interactions.user_period_ratings",
    "engagement.user_actions_and_groups",
    "engagement.user_genre_preferences",
}


@pytest.fixture(scope="module")
def plays() -> Contract:
    return find("plays", FIXTURES)


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    return load_contracts(PROJECT.contracts)


def test_every_product_of_the_seed_has_a_contract(contracts: dict[str, Contract]) -> None:
    assert set(contracts) >= PRODUCTS


def test_a_contract_says_view_just_where_the_model_is_one(contracts: dict[str, Contract]) -> None:
    """Whoever reads a view pays for what it reads; a contract that says table would hide it."""
    for name, contract in contracts.items():
        model = PROJECT.root / "models" / f"{name.replace('.', '/')}.sql"
        if model.is_file():
            assert ("kind VIEW" in model.read_text()) == (contract.kind == "view"), name


def test_every_contract_is_valid_by_the_published_schema() -> None:
    schema = json.loads(OpenDataContractStandard.json_schema())
    validator = validators.validator_for(schema)(schema)
    for path in contract_paths(CONTRACTS):
        data = read_tree(path, CONTRACT).data
        assert [error.message for error in validator.iter_errors(data)] == []


def test_to_load_the_whole_set_parses_no_rule(tmp_path: Path) -> None:
    """SQLMesh loads contracts with each command; to parse a thousand rules takes seconds."""
    copy = shutil.copytree(PROJECT.contracts, tmp_path / "contracts")
    parse_rule.cache_clear()
    loaded = load_contracts(copy)
    assert parse_rule.cache_info().misses == 0
    assert loaded["interactions.user_actions"].table_rules()
    assert parse_rule.cache_info().misses > 0


def test_a_contract_says_who_and_what(contracts: dict[str, Contract]) -> None:
    contract = contracts["interactions.user_actions"]
    assert contract.product == "interactions.user_actions"
    assert contract.version == Version(1, 1, 0) and str(contract.version) == "1.1.0"
    assert contract.grain == ("user_id", "action_type", "reporting_month")
    assert [c.name for c in contract.columns] == [
        "user_id",
        "action_type",
        "reporting_month",
        "action_monthly_count",
        "action_count",
    ]
    assert [c.name for c in contract.personal_columns] == ["user_id"]
    assert contract.owner == "interactions"
    assert [role.name for role in contract.roles] == ["engagement_team"]
    assert contract.description.startswith("How often each viewer rated and tagged")
    freshness = contract.service_level("freshness")
    assert freshness and (freshness.days, freshness.element) == (62, "reporting_month")
    completeness = contract.service_level("completeness")
    assert completeness and completeness.measured_by == "raters_have_genres"


def test_every_user_column_of_every_contract_is_personal(contracts: dict[str, Contract]) -> None:
    for contract in contracts.values():
        for column in contract.columns:
            assert column.personal == (column.name.lower().replace("_", "") == "userid")


def test_types_are_stated_for_both_engines(contracts: dict[str, Contract]) -> None:
    for contract in contracts.values():
        for column in contract.columns:
            here = parse_one(column.bigquery_type, into=exp.DataType, dialect="bigquery")
            there = parse_one(column.duckdb_type, into=exp.DataType, dialect="duckdb")
            assert here.sql(dialect="duckdb") == there.sql(dialect="duckdb")
            assert column.type_on("duckdb") == column.duckdb_type


def test_lines_lead_to_the_file(plays: Contract) -> None:
    lines = plays.path.read_text().splitlines()
    score = plays.column("score")
    assert score is not None
    assert lines[score.line - 1].strip() == "- id: score"
    assert lines[score.line_of("physicalType") - 1].strip() == "physicalType: FLOAT64"
    assert lines[plays.line_of("version") - 1] == "version: 1.2.3"
    for rule in (*plays.row_rules(), *plays.table_rules()):
        assert lines[rule.line - 1].strip()
    assert str(plays.location(score.line)).endswith(f"plays.odcs.yaml:{score.line}")


def test_objects_cannot_be_changed(plays: Contract) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        plays.name = "other"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        plays.columns[0].name = "other"  # type: ignore[misc]


def test_row_rules_are_derived_and_stated_with_stable_ids(plays: Contract) -> None:
    assert {rule.id: rule.sql() for rule in plays.row_rules()} == {
        "user_id.required": "NOT user_id IS NULL",
        "month.required": "NOT month IS NULL",
        "month.range": (
            "month >= CAST('1995-01-01' AS DATE) AND month < CAST('2100-01-01' AS DATE)"
        ),
        "device.enum": "device IN ('phone', 'tv')",
        "device.length": "CHAR_LENGTH(device) >= 2 AND CHAR_LENGTH(device) <= 20",
        "device.pattern": "REGEXP_CONTAINS(device, '^[a-z]+$')",
        "score.required": "NOT score IS NULL",
        "score.range": "score >= 0.5 AND score <= 5.0",
        "score.multiple_of": "score / 0.5 = ROUND(score / 0.5)",
        "plays.required": "NOT plays IS NULL",
        "plays.range": "plays > 0",
        "plays.multiple_of": "MOD(plays, 1) = 0",
        "some_plays": "plays > 0 OR score IS NULL",
    }
    stated = plays.row_rules()[-1]
    assert (stated.kind, stated.columns) == ("sql", ("plays", "score"))


def test_table_rules_are_derived_and_stated_with_stable_ids(plays: Contract) -> None:
    rules = {rule.id: rule for rule in plays.table_rules()}
    stated = ["users_are_known", "active_users_play", "one_device", "row_count"]
    assert list(rules) == ["grain.unique", *stated]
    assert rules["grain.unique"].columns == ("user_id", "month")
    assert rules["grain.unique"].scope is Scope.INTERVAL
    assert rules["one_device"].scope is not Scope.INTERVAL
    assert rules["one_device"].severity == "warning"
    assert rules["users_are_known"].references == ("operational.users",)
    assert rules["active_users_play"].references == ("operational.users",)
    assert (rules["row_count"].minimum, rules["row_count"].maximum) == (1, 1000)


@pytest.fixture
def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA interactions; CREATE SCHEMA operational")
    connection.execute("CREATE SCHEMA operational__dev")
    for schema in ("operational", "operational__dev"):
        connection.execute(
            f'CREATE TABLE {schema}.users AS SELECT 1::BIGINT AS "userId", TRUE AS active'
        )
    connection.execute(
        "CREATE TABLE interactions.plays (user_id BIGINT, month DATE, device VARCHAR,"
        " score DOUBLE, plays BIGINT)"
    )
    return connection


GOOD = (1, "2018-09-01", "tv", 3.5, 2)
BAD_ROWS = {
    "user_id.required": (None, "2018-09-01", "tv", 3.5, 2),
    "month.range": (1, "1994-12-31", "tv", 3.5, 2),
    "device.enum": (1, "2018-09-01", "radio", 3.5, 2),
    "device.length": (1, "2018-09-01", "t", 3.5, 2),
    "device.pattern": (1, "2018-09-01", "TV", 3.5, 2),
    "score.range": (1, "2018-09-01", "tv", 5.5, 2),
    "score.multiple_of": (1, "2018-09-01", "tv", 3.3, 2),
    "plays.range": (1, "2018-09-01", "tv", 3.5, 0),
    "some_plays": (1, "2018-09-01", "tv", 3.5, -1),
}


def put(database: duckdb.DuckDBPyConnection, *rows: tuple) -> None:
    for row in rows:
        database.execute("INSERT INTO interactions.plays VALUES (?, ?, ?, ?, ?)", list(row))


def broken_rows(
    database: duckdb.DuckDBPyConnection, contract: Contract, table: str
) -> dict[str, int]:
    found = {}
    for rule in contract.row_rules():
        query = exp.select(exp.Count(this=exp.Star())).from_(table).where(rule.broken())
        found[rule.id] = database.execute(query.sql(dialect="duckdb")).fetchall()[0][0]
    return {rule: count for rule, count in found.items() if count}


def test_good_rows_break_no_rule(database: duckdb.DuckDBPyConnection, plays: Contract) -> None:
    put(database, GOOD, (1, "2018-10-01", None, 0.5, 1))
    assert broken_rows(database, plays, "interactions.plays") == {}


@pytest.mark.parametrize("rule", BAD_ROWS)
def test_a_bad_row_breaks_its_rule(
    database: duckdb.DuckDBPyConnection, plays: Contract, rule: str
) -> None:
    put(database, GOOD, BAD_ROWS[rule])
    assert broken_rows(database, plays, "interactions.plays")[rule] == 1


def test_not_a_number_breaks_the_range(
    database: duckdb.DuckDBPyConnection, plays: Contract
) -> None:
    put(database, (1, "2018-09-01", "tv", float("nan"), 2))
    assert "score.range" in broken_rows(database, plays, "interactions.plays")


def table_rule_counts(
    database: duckdb.DuckDBPyConnection, contract: Contract, suffix: str = ""
) -> dict[str, int]:
    def resolve(product: str) -> exp.Table:
        domain, _, name = product.partition(".")
        return exp.table_(name, db=domain + suffix)

    found = {}
    for rule in contract.table_rules():
        rows = rule.offending(exp.table_("plays", db="interactions"), resolve)
        query = exp.select("COUNT(*)").from_(rows.subquery("offending_rows"))
        found[rule.id] = database.execute(query.sql(dialect="duckdb")).fetchall()[0][0]
    return {rule: count for rule, count in found.items() if count}


def test_table_rules_count_their_offending_rows(
    database: duckdb.DuckDBPyConnection, plays: Contract
) -> None:
    assert table_rule_counts(database, plays) == {"row_count": 1, "active_users_play": 1}
    put(database, GOOD)
    assert table_rule_counts(database, plays) == {}
    put(database, GOOD)
    assert table_rule_counts(database, plays) == {"grain.unique": 1, "one_device": 1}
    put(database, (2, *GOOD[1:]))
    assert table_rule_counts(database, plays)["users_are_known"] == 1


def test_a_rule_across_products_looks_where_the_environment_says(
    database: duckdb.DuckDBPyConnection, plays: Contract
) -> None:
    put(database, GOOD, (2, *GOOD[1:]))
    database.execute("INSERT INTO operational__dev.users VALUES (2, TRUE)")
    assert "users_are_known" in table_rule_counts(database, plays)
    assert "users_are_known" not in table_rule_counts(database, plays, "__dev")


def test_a_rule_can_run_on_a_part_of_the_table(plays: Contract) -> None:
    rule = next(r for r in plays.table_rules() if r.id == "grain.unique")
    part = parse_one("SELECT * FROM interactions.plays WHERE month >= '2018-01-01'")
    assert rule.offending(part).sql(dialect="duckdb") == (
        "SELECT user_id, month, COUNT(*) AS copies FROM (SELECT * FROM interactions.plays "
        "WHERE month >= '2018-01-01') AS this_table GROUP BY user_id, month HAVING COUNT(*) > 1"
    )


def test_all_rules_of_the_repository_are_written_for_both_engines(
    contracts: dict[str, Contract],
) -> None:
    for contract in contracts.values():
        ids = [rule.id for rule in (*contract.row_rules(), *contract.table_rules())]
        assert len(ids) == len(set(ids))
        for dialect in ("bigquery", "duckdb"):
            for row_rule in contract.row_rules():
                assert parse_one(row_rule.sql(dialect), dialect=dialect)
            for table_rule in contract.table_rules():
                text = table_rule.offending(exp.table_(contract.name, db=contract.domain))
                assert "__contract_table__" not in text.sql(dialect=dialect)


@pytest.mark.parametrize(
    ("product", "rules"),
    [
        ("user_genre_ratings", {"monthly_count_within_total", "months_are_first_days"}),
        ("user_genre_ratings", {"rating_median.range", "rating_median.multiple_of"}),
        (
            "user_genre_preferences",
            {"one_preference_per_user_and_genre", "ratings_are_those_of_the_genres"},
        ),
        ("user_actions_and_groups", {"sleeper_is_neither", "groups_belong_to_the_user"}),
        ("user_actions", {"raters_have_genres", "all_time_is_the_sum_of_months"}),
        ("movies_engagement_daily", {"histogram_sums_to_count"}),
        ("operational.ratings", {"rating.multiple_of", "rating.range", "timestamp.range"}),
        ("operational.ratings", {"movie_is_known", "grain.unique", "not_in_the_future"}),
        ("operational.movies", {"title.length", "title.pattern"}),
    ],
)
def test_the_promised_rules_are_there(product: str, rules: set[str]) -> None:
    contract = find(product, CONTRACTS)
    assert rules <= {rule.id for rule in (*contract.row_rules(), *contract.table_rules())}


def test_a_product_is_found_by_bare_and_by_full_name() -> None:
    assert find("user_actions", PROJECT.contracts) is find(
        "interactions.user_actions", PROJECT.contracts
    )


def test_an_unknown_product_gets_a_suggestion() -> None:
    with pytest.raises(
        WrongUse, match=r"no contract for user_action\. Did you mean `user_actions`"
    ):
        find("user_action", PROJECT.contracts)


def test_a_bare_name_of_two_domains_is_refused(tmp_path: Path) -> None:
    for domain in ("interactions", "engagement"):
        (tmp_path / domain).mkdir()
        (tmp_path / domain / "plays.odcs.yaml").write_text("")
    with pytest.raises(WrongUse, match=r"More than one contract is called plays\. Write"):
        find("plays", tmp_path)


def test_a_missing_folder_of_contracts_is_told(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="There is no such folder of contracts"):
        load_contracts(tmp_path / "nowhere")


def test_an_edited_contract_is_read_again(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES, tmp_path / "contracts")
    path = tmp_path / "contracts" / "interactions" / "plays.odcs.yaml"
    first = load_contract(path)
    assert load_contract(path) is first
    path.write_text(path.read_text().replace("1.2.3", "1.10.0"))
    assert load_contract(path).version == Version(1, 10, 0) > first.version


@pytest.mark.parametrize(
    ("status", "end", "told"),
    [
        ("deprecated", None, [False]),
        ("deprecated", date(2026, 11, 29), [True]),
        ("deprecated", date(2026, 11, 30), [False]),
        ("retired", date(2026, 11, 29), [True]),
        ("retired", date(2026, 11, 30), [False]),
        ("retired", None, [True]),
        ("active", date(2026, 11, 29), []),
    ],
)
def test_a_version_that_is_called_retired_ends_as_one_that_is_deprecated(
    status: str, end: date | None, told: list[bool]
) -> None:
    contract = dataclasses.replace(
        find("interactions.user_actions", PROJECT.contracts), status=status, end_of_life=end
    )
    assert [contract.ended(date(2026, 11, 30))] * contract.ends == told


def test_of_an_unknown_product_those_that_there_are_are_named_once_with_their_domain() -> None:
    with pytest.raises(WrongUse) as error:
        find("nosuch", FIXTURES)
    names = re.findall(r"`([^`]+)`", str(error.value.fix))
    assert names == sorted(load_contracts(FIXTURES))
    with pytest.raises(WrongUse, match="Did you mean `plays`"):
        find("playz", FIXTURES)
