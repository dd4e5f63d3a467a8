"""The contract diff: one fixture pair for each rule, and nothing said about what is harmless."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from mesh.cli.main import app
from mesh.contracts.model import Column, Contract, ServiceLevel, StatedRule
from mesh.contracts.sql import parse_rule
from mesh.review.known import RULES
from mesh.review.rules import CATEGORIES, Bump, Finding, Level
from tests.project_copy import ROOT
from tests.review_projects import BREAKING, ORDERS, SHOP, diff, edited, rules_of

# Rules that need models and charts, which test_review_models.py loads.
LOADED = ("model", "guard", "dashboard")
OF_PROJECTS = {rule.id for rule in RULES.values() if rule.category in LOADED} | {
    "ENUM_NO_DROP_IN_USE",
    "PROJECT_NO_LOAD",
    "BASE_NO_LOAD",
}
OF_CONTRACTS = [rule for rule in RULES if rule not in OF_PROJECTS]


@pytest.mark.parametrize("rule", OF_CONTRACTS)
def test_each_rule_finds_its_change_at_its_place(rule: str) -> None:
    expected = yaml.safe_load((BREAKING / rule / "expected.yaml").read_text())
    found = diff(BREAKING / rule / "before", BREAKING / rule / "after").findings
    assert [{"rule": f.rule, "level": str(f.level), "at": str(f.where)} for f in found] == expected
    own = [f for f in found if f.rule == rule]
    assert own and all(f.message.endswith((".", "$", "€")) or ": " in f.message for f in own)


@pytest.mark.parametrize("rule", OF_CONTRACTS)
def test_a_revision_compared_with_itself_is_silent(rule: str) -> None:
    for side in ("before", "after"):
        folder = BREAKING / rule / side
        silent = {"CONTRACT_INVALID", "BASE_CONTRACT_INVALID"}
        assert set(rules_of(diff(folder, folder))) <= silent


def test_every_rule_has_a_fixture_and_every_fixture_a_rule() -> None:
    folders = {path.name for path in BREAKING.iterdir() if path.is_dir()}
    assert folders == set(RULES)


def test_the_table_of_rules_is_in_order() -> None:
    for rule in RULES.values():
        assert re.fullmatch(r"[A-Z]+(_[A-Z]+)+", rule.id)
        assert rule.category in CATEGORIES
        assert rule.guards.endswith(".") and rule.level is not Level.OFF
        if rule.level is Level.BREAKING and rule.category not in ("review", "version"):
            assert rule.instead, f"{rule.id} does not say what to do instead"
        if rule.level is Level.INFO:
            assert rule.bump < Bump.MAJOR


# The fields that a rule of mesh.review.contracts compares, and those that say where they stand.
COMPARED = {
    Contract: "domain name id version status kind purpose usage limitations grain_label tags "
    "columns rules service_levels owner owner_description support roles servers end_of_life "
    "properties path lines",
    Column: "id name logical_type bigquery_type narrower description classification grain_position "
    "deprecated tags promises examples identifies partitioned line lines",
    StatedRule: "id name description dimension severity promise line query_line sql_line",
    ServiceLevel: "id property value unit element description measured_by line",
}


@pytest.mark.parametrize("kind", COMPARED)
def test_every_field_of_a_contract_is_compared(kind: type[Contract]) -> None:
    """A field that somebody adds to the typed contract cannot change unseen."""
    assert {field.name for field in dataclasses.fields(kind)} == {*COMPARED[kind].split()}


def test_a_pair_of_changes_is_found_as_both(tmp_path: Path) -> None:
    base = BREAKING / "COLUMN_NO_DELETE" / "before" / ORDERS
    single = [
        rule
        for rule in OF_CONTRACTS
        if (BREAKING / rule / "before" / ORDERS).exists()
        and (BREAKING / rule / "before" / ORDERS).read_text() == base.read_text()
        and [p.name for p in (BREAKING / rule / "after").rglob("*.yaml")] == [base.name]
        and rule not in ("CONTRACT_INVALID", "VERSION_TOO_SMALL")
    ]
    assert len(single) > 30
    merged = tmp_path / "after" / ORDERS
    merged.parent.mkdir(parents=True)
    tried = 0
    for index, rule in enumerate(single):
        for step in (1, 5, 11, 17):
            other = single[(index + step) % len(single)]
            sides = [BREAKING / r / "after" / ORDERS for r in (rule, other)]
            done = subprocess.run(
                ["git", "merge-file", "-p", str(sides[0]), str(base), str(sides[1])],
                capture_output=True,
                check=False,
            )
            if done.returncode:
                continue
            tried += 1
            merged.write_bytes(done.stdout)
            found = rules_of(diff(BREAKING / "COLUMN_NO_DELETE" / "before", tmp_path / "after"))
            assert {rule, other} <= set(found), f"{rule} and {other}: {found}"
    assert tried > 60


def test_a_measure_more_is_tighter_and_one_less_looser(tmp_path: Path) -> None:
    """Of a rule that reconciles nothing else is said: the review knows what it compares."""
    less, more = tmp_path / "less", tmp_path / "more"
    for side in (less, more):
        shutil.copytree(ROOT / "contracts", side / "contracts")
    tags = "contracts/interactions/user_tags.odcs.yaml"
    text = (more / tags).read_text()
    measure = "            MIN(tag): MIN(tag)\n"
    assert measure in text
    (less / tags).write_text(text.replace(measure, ""))
    said = {"VERSION_TOO_SMALL", "VERSION_NOT_MAJOR"}
    assert set(rules_of(diff(less, more))) - said == {"QUALITY_TIGHTENED"}
    assert set(rules_of(diff(more, less))) - said == {"QUALITY_NO_LOOSEN"}


HARMLESS = {
    "a comment": [("kind: DataContract", "# what is sold\nkind: DataContract # always")],
    "other quotes": [("name: orders\nversion: 1.2.0", "name: 'orders'\nversion: \"1.2.0\"")],
    "folded text": [("The price in euros.", '"The price in\n          euros."')],
    "capitals and stops": [("The price in euros.", "the price in euros")],
    "a value that means the same": [
        (
            "minimum: 0, maximum: 1000, multipleOf: 0.5",
            "multipleOf: 0.50, maximum: 1000.0, minimum: 0",
        ),
    ],
    "the same time in another unit": [("value: 2, unit: d", "value: 48, unit: h")],
    "the order of an enum": [
        (
            "          - {value: web, description: The web shop.}\n"
            "          - {value: app, description: The application.}\n",
            "          - {value: app, description: The application.}\n"
            "          - {value: web, description: The web shop.}\n",
        )
    ],
    "the layout of a query": [
        (
            "'SELECT COUNT(*) FROM ${table} WHERE NOT (amount >= 1 OR voucher IS NOT NULL)'",
            "'select count(*) from ${table} as t where not (voucher is not null or 1 <= t.amount)'",
        )
    ],
    "a row rule as a query of the rows that break it": [
        (
            "${table} WHERE NOT (amount >= 1 OR voucher IS NOT NULL)'",
            "(SELECT order_id FROM ${table} WHERE NOT (voucher IS NOT NULL OR amount >= 1)) AS o'",
        )
    ],
    "the order of rules": [],
}


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_changes_are_silent(name: str, tmp_path: Path) -> None:
    edits = HARMLESS[name]
    if name == "the order of rules":
        lines = (BREAKING / "COLUMN_NO_DELETE" / "before" / ORDERS).read_text().splitlines(True)
        rules = [line for line in lines if line.startswith("      - {id: row_count")]
        other = [line for line in lines if line.startswith("      - {id: one_voucher")]
        edits = [(rules[0] + other[0], other[0] + rules[0])]
    review = edited(tmp_path, *edits)
    assert [f.message for f in review.findings] == []
    assert not review.breaking


def test_reordered_keys_are_silent(tmp_path: Path) -> None:
    before = BREAKING / "COLUMN_NO_DELETE" / "before"
    data = yaml.safe_load((before / ORDERS).read_text())

    def turned(node: object) -> object:
        if isinstance(node, dict):
            return {key: turned(node[key]) for key in reversed(list(node))}
        return [turned(item) for item in node] if isinstance(node, list) else node

    target = tmp_path / ORDERS
    target.parent.mkdir(parents=True)
    target.write_text(yaml.safe_dump(turned(data), sort_keys=False))
    assert diff(before, tmp_path).findings == ()


TIGHTER = {
    "a narrower range": ("maximum: 1000", "maximum: 900"),
    "a stricter rule": ("amount >= 1 OR", "amount >= 2 OR"),
    "a rule with one more condition": (
        "(amount >= 1 OR voucher IS NOT NULL)",
        "((amount >= 1 OR voucher IS NOT NULL) AND item >= 1)",
    ),
    "a rule with one way out less": ("(amount >= 1 OR voucher IS NOT NULL)", "(amount >= 1)"),
    "above instead of at least": ("amount >= 1 OR", "amount > 1 OR"),
    "fewer columns that are unique together": (
        "{properties: [customer, voucher]}",
        "{properties: [voucher]}",
    ),
    "fresher data": ("value: 2, unit: d", "value: 1, unit: d"),
    "longer kept": ("value: 5, unit: y", "value: 6, unit: y"),
}


@pytest.mark.parametrize("name", TIGHTER)
def test_a_promise_that_got_tighter_breaks_nothing(name: str, tmp_path: Path) -> None:
    review = edited(tmp_path, TIGHTER[name])
    assert not review.breaking and review.findings
    assert {found.level for found in review.findings} == {Level.INFO}
    assert [verdict.outcome for verdict in review.verdicts] == ["too small"]


LOOSER = {
    "a rule with one more way out": ("voucher IS NOT NULL)", "voucher IS NOT NULL OR item > 9)"),
    "at least instead of above": ("amount >= 1 OR", "amount >= 0 OR"),
    "more columns that are unique together": ("[customer, voucher]", "[customer, voucher, item]"),
    "a warning instead of an error": (
        "consistency, severity: error",
        "consistency, severity: warning",
    ),
    "fewer rows": ("mustBeBetween: [10, 1000]", "mustBeBetween: [1, 1000]"),
}


@pytest.mark.parametrize("name", LOOSER)
def test_a_rule_that_got_looser_breaks(name: str, tmp_path: Path) -> None:
    review = edited(tmp_path, LOOSER[name])
    assert rules_of(review) == ["QUALITY_NO_LOOSEN"] and review.breaking


IMPLIED = [
    ("day >= DATE '1996-01-01'", "day >= DATE '1995-01-01'"),
    ("day > CAST('1995-01-01' AS DATE)", "day >= DATE '1995-01-01'"),
    ("a = b", "b <= a"),
    ("(a + b) * 2 > 3", "2 * (b + a) > 3"),
    ("kind IN ('x', 'y')", "kind = 'y' OR kind = 'x' OR kind = 'z'"),
    ("kind = 'x' AND a > 1", "kind IN ('x', 'y')"),
    ("a BETWEEN 2 AND 3", "1 <= a AND a <= 3"),
]


@pytest.mark.parametrize(("strict", "loose"), IMPLIED)
def test_the_stricter_of_two_conditions_is_known(strict: str, loose: str) -> None:
    from sqlglot import parse_one

    from mesh.contracts.conditions import implies

    conditions = [parse_one(text, dialect="bigquery") for text in (strict, loose)]
    assert implies(*conditions)
    assert implies(*reversed(conditions)) == ("(a + b)" in strict)


def test_a_sign_of_comparison_is_a_word_of_a_description() -> None:
    from mesh.contracts.findings import same_words

    assert not same_words("Likes when > 4.", "Likes when < 4.")
    assert not same_words("At least -5.", "At least 5.")
    assert same_words("A half-star, e.g. 4-5.", "a half star (e.g. 4-5)")


def test_a_column_put_before_others_moves_those_who_read_by_position(tmp_path: Path) -> None:
    new = (
        "      - {id: gift, name: gift, logicalType: boolean, physicalType: BOOL, "
        "customProperties: [{property: duckdbType, value: BOOLEAN}], description: A gift., "
        "classification: internal, required: true, examples: [true]}\n"
    )
    before = "      - {id: item,"
    review = edited(tmp_path, (before, new + before))
    assert rules_of(review) == ["COLUMN_SAME_ORDER", "COLUMN_ADDED"]
    assert any("gift was put before others" in found.message for found in review.findings)


def test_a_role_without_a_right_is_told_in_a_whole_sentence(tmp_path: Path) -> None:
    review = edited(tmp_path, ("access: read", "access: write"))
    (lost,) = (f for f in review.findings if f.rule == "ROLE_NO_DELETE")
    assert lost.message == "The role analysts may no longer read."


def test_the_range_of_a_number_counts_whatever_its_type(tmp_path: Path) -> None:
    review = edited(
        tmp_path,
        (
            "name: customer, logicalType: integer, physicalType: INT64, "
            "customProperties: [{property: duckdbType, value: BIGINT}]",
            "name: customer, logicalType: number, physicalType: FLOAT64, "
            "customProperties: [{property: duckdbType, value: DOUBLE}], "
            "logicalTypeOptions: {minimum: 1}",
        ),
    )
    assert rules_of(review) == ["COLUMN_TYPE_NO_WIDEN", "RANGE_NARROWED"]


def test_a_rule_that_still_says_an_old_name_says_no_other_thing(tmp_path: Path) -> None:
    review = edited(tmp_path, ("id: voucher, name: voucher", "id: voucher, name: coupon"))
    assert "COLUMN_NO_RENAME" in rules_of(review) and "CONTRACT_INVALID" in rules_of(review)
    assert not {"QUALITY_SAME_RULE", "QUALITY_NO_LOOSEN"} & {*rules_of(review)}


def test_two_columns_that_swap_their_names_are_both_renamed(tmp_path: Path) -> None:
    review = edited(
        tmp_path,
        ("id: order_id, name: order_id", "id: order_id, name: item"),
        ("id: item, name: item", "id: item, name: order_id"),
    )
    assert rules_of(review).count("COLUMN_NO_RENAME") == 2


def test_a_rule_that_reads_a_column_that_goes_is_found_in_the_other_contract(
    tmp_path: Path,
) -> None:
    reader = "contracts/reporting/customers.odcs.yaml"
    rule = (
        "      - {id: known, type: sql, description: Known., dimension: consistency, "
        "severity: error, mustBe: 0, query: 'SELECT COUNT(*) FROM (SELECT 1 FROM ${table} AS c "
        "INNER JOIN shop.orders AS o ON o.customer = c.customer WHERE o.channel IS NULL) AS x'}\n"
    )
    for side in ("before", "after"):
        shutil.copytree(SHOP / "contracts", tmp_path / side / "contracts")
        file = tmp_path / side / reader
        file.write_text(file.read_text().replace("    quality:\n", f"    quality:\n{rule}"))
    assert diff(tmp_path / "before", tmp_path / "after").findings == ()
    file = tmp_path / "after" / ORDERS
    file.write_text(file.read_text().replace("name: channel", "name: origin"))
    review = diff(tmp_path / "before", tmp_path / "after")
    (found,) = (f for f in review.findings if f.rule == "CONTRACT_INVALID")
    assert found.product == "reporting.customers" and found.where.path == reader
    assert "The rule speaks of the column `channel`, which is not there." in found.message
    (verdict,) = (v for v in review.verdicts if v.product == "reporting.customers")
    assert verdict.write.startswith(f"{found.where}: ") and verdict.outcome == "wrong"


def run(*words: str):
    return CliRunner().invoke(app, ["contracts", "diff", *words])


def test_the_command_compares_files_folders_and_says_so_by_its_exit_code() -> None:
    pair = [str(BREAKING / "COLUMN_NO_DELETE" / side) for side in ("before", "after")]
    folders = run(*pair)
    assert folders.exit_code == 1 and "Column note was deleted." in folders.stdout
    files = run(*(f"{side}/{ORDERS}" for side in pair), "--json")
    assert files.exit_code == 1
    answer = json.loads(files.stdout)
    assert [f["rule"] for f in answer["findings"]] == ["COLUMN_NO_DELETE"]
    assert answer["versions"][0]["needed"] == "major"
    same = run(pair[0], pair[0])
    assert same.exit_code == 0 and "The contracts promise the same." in same.stdout


def test_two_files_of_different_names_are_two_states_of_one_thing(tmp_path: Path) -> None:
    sides = []
    for side in ("before", "after"):
        sides.append(tmp_path / f"{side}.yaml")
        shutil.copy(BREAKING / "RANGE_NO_WIDEN" / side / ORDERS, sides[-1])
    done = run(*map(str, sides), "--json")
    assert [f["rule"] for f in json.loads(done.stdout)["findings"]] == ["RANGE_NO_WIDEN"]


def test_a_file_that_is_not_there_is_said() -> None:
    done = run("nothing.odcs.yaml", ".")
    assert done.exit_code != 0 and "There is no file" in str(done.exception)


def test_rules_that_did_not_change_cost_a_diff_nothing(tmp_path: Path) -> None:
    root = Path(__file__).parent.parent
    edited = shutil.copytree(root / "contracts", tmp_path / "contracts")
    parse_rule.cache_clear()
    assert not diff(root, tmp_path).findings
    assert parse_rule.cache_info().misses == 0
    contract = edited / "engagement" / "era_audience.odcs.yaml"
    contract.write_text(contract.read_text().replace("COUNT(*)", "COUNT( * )"))
    diff(root, tmp_path)
    assert parse_rule.cache_info().misses > 0


def test_findings_are_sorted_by_weight(tmp_path: Path) -> None:
    review = edited(
        tmp_path, ("maximum: 1000", "maximum: 2000"), ("tags: [sales]", "tags: [money]")
    )
    levels = [found.level for found in review.findings]
    assert levels == sorted(levels, key=[Level.BREAKING, Level.WARNING, Level.INFO].index)
    assert isinstance(review.findings[0], Finding)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT COUNT(*) FROM ${{table}} WHERE NOT ({})",
        "SELECT COUNT(*) FROM (SELECT amount, voucher FROM ${{table}} "
        "WHERE channel = ''web'' AND NOT ({}) GROUP BY amount, voucher)",
        "SELECT COUNT(*) FROM (SELECT channel, MIN(amount) AS amount, MAX(voucher) AS voucher "
        "FROM ${{table}} GROUP BY channel HAVING NOT ({}))",
        "SELECT COUNT(*) FROM (SELECT * FROM ${{table}} WHERE amount > (SELECT AVG(amount) FROM "
        "${{table}}) AND NOT ({}))",
    ],
)
def test_a_rule_that_became_two_says_what_it_said(query: str, tmp_path: Path) -> None:
    def stated(name: str, condition: str) -> str:
        return (
            f"      - {{id: {name}, type: sql, description: Paid., dimension: consistency, "
            "severity: error, mustBe: 0, "
            f"query: '{query.format(condition)}'}}\n"
        )

    one = [stated("paid", "amount >= 1 AND voucher IS NOT NULL")]
    two = [stated("paid", "amount >= 1"), stated("vouched", "voucher IS NOT NULL")]
    less = [stated("paid", "amount >= 1"), stated("vouched", "amount >= 0")]
    folders = []
    for number, rules in enumerate((one, two, less)):
        folders.append(tmp_path / str(number))
        shutil.copytree(BREAKING / "COLUMN_NO_DELETE" / "before", folders[-1])
        lines = (folders[-1] / ORDERS).read_text().splitlines(True)
        kept = ["".join(rules) if "id: paid" in line else line for line in lines]
        (folders[-1] / ORDERS).write_text("".join(kept))
    split, joined, lost = (diff(folders[a], folders[b]) for a, b in ((0, 1), (1, 0), (0, 2)))
    assert not split.breaking and not joined.breaking
    assert any(f.message.endswith("is now said by paid, vouched.") for f in split.findings)
    assert "QUALITY_NO_LOOSEN" in rules_of(lost)
