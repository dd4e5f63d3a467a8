"""What version a change needs, and at which level its findings stand."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path

import pytest
import yaml

from mesh.contracts import ContractInvalid
from mesh.review.contracts.two_states import ContractReview, compare_states
from mesh.review.rules import Level
from tests.project_copy import PROJECT
from tests.review_projects import BREAKING, ORDERS, TODAY, diff, edited, rules_of


def test_the_verdict_says_exactly_what_to_write(tmp_path: Path) -> None:
    review = edited(tmp_path, ("maximum: 1000", "maximum: 2000"))
    (verdict,) = review.verdicts
    assert (verdict.outcome, verdict.needed.word, verdict.made.word) == ("wrong", "major", "none")
    assert "Leave shop.orders 1.2.0 as it was" in verdict.write
    assert "contracts/shop/orders_v2.odcs.yaml" in verdict.write
    assert "`version: 2.0.0`" in verdict.write and "models/shop/orders_v2.sql" in verdict.write
    assert yaml.safe_load(verdict.snippet.replace("…\n", "")) == {
        "version": "1.3.0",
        "status": "deprecated",
        "slaProperties": [
            {
                "id": "end_of_life",
                "property": "endOfLife",
                "value": "2027-05-31",
                "description": "Until then both versions are there; move to orders_v2.",
            }
        ],
    }


def test_a_larger_minor_version_does_not_make_a_breaking_change_right(tmp_path: Path) -> None:
    review = edited(
        tmp_path, ("maximum: 1000", "maximum: 2000"), ("version: 1.2.0", "version: 1.9.0")
    )
    assert review.breaking and review.verdicts[0].outcome == "wrong"


def test_the_right_minor_version_is_right(tmp_path: Path) -> None:
    review = edited(
        tmp_path, ("maximum: 1000", "maximum: 900"), ("version: 1.2.0", "version: 1.3.0")
    )
    assert [v.outcome for v in review.verdicts] == ["right"] and not review.breaking


def successor(tmp_path: Path, *, ends: bool) -> ContractReview:
    before = BREAKING / "COLUMN_NO_DELETE" / "before"
    shutil.copytree(before, tmp_path, dirs_exist_ok=True)
    file = tmp_path / ORDERS
    text = file.read_text()
    new = text.replace("id: shop.orders", "id: shop.orders_v2")
    new = new.replace("name: orders\nversion: 1.2.0", "name: orders_v2\nversion: 2.0.0")
    new = new.replace("name: orders\n    physical", "name: orders_v2\n    physical")
    (file.parent / "orders_v2.odcs.yaml").write_text(new.replace("maximum: 1000", "maximum: 9000"))
    if ends:
        text = text.replace("version: 1.2.0\nstatus: active", "version: 1.3.0\nstatus: deprecated")
        level = "{id: end, property: endOfLife, value: '2027-06-30', description: Then it goes.}"
        file.write_text(text.replace("  - {id: up,", f"  - {level}\n  - {{id: up,"))
    return diff(before, tmp_path)


def test_a_new_major_version_beside_the_old_one_with_an_end_date_is_right(tmp_path: Path) -> None:
    review = successor(tmp_path, ends=True)
    assert not review.breaking
    new = next(v for v in review.verdicts if v.product == "shop.orders_v2")
    assert (new.outcome, str(new.before), str(new.after)) == ("right", "1.2.0", "2.0.0")
    assert new.moving == ("The range of amount is wider: at most 1000 became at most 9000.",)


def test_a_new_major_version_without_an_end_of_the_old_one_is_wrong(tmp_path: Path) -> None:
    review = successor(tmp_path, ends=False)
    assert review.breaking
    new = next(v for v in review.verdicts if v.product == "shop.orders_v2")
    assert new.outcome == "wrong" and "endOfLife" in new.snippet


def test_a_major_version_in_place_is_wrong(tmp_path: Path) -> None:
    review = edited(
        tmp_path, ("maximum: 1000", "maximum: 2000"), ("version: 1.2.0", "version: 2.0.0")
    )
    assert "RANGE_NO_WIDEN" in rules_of(review) and "CONTRACT_INVALID" in rules_of(review)
    assert review.verdicts[0].outcome == "wrong"


def test_nobody_relies_on_a_draft(tmp_path: Path) -> None:
    before = tmp_path / "before"
    shutil.copytree(BREAKING / "COLUMN_NO_DELETE" / "before", before)
    after = tmp_path / "after"
    shutil.copytree(BREAKING / "COLUMN_NO_DELETE" / "after", after)
    for side in (before, after):
        file = side / ORDERS
        file.write_text(file.read_text().replace("status: active", "status: draft"))
    found = diff(before, after)
    (gone,) = (f for f in found.findings if f.rule == "COLUMN_NO_DELETE")
    assert gone.level is Level.WARNING and "draft" in gone.reason
    assert all(one.rule != "VERSION_TOO_SMALL" for one in found.findings)


def test_a_version_that_has_ended_may_be_retired(tmp_path: Path) -> None:
    level = "{id: end, property: endOfLife, value: '%s', description: Then it goes.}"
    for side, status in (("before", "deprecated"), ("after", "retired")):
        shutil.copytree(BREAKING / "COLUMN_NO_DELETE" / "before", tmp_path / side)
        file = tmp_path / side / ORDERS
        text = file.read_text().replace("status: active", f"status: {status}")
        file.write_text(text.replace("  - {id: up,", f"  - {level % '2026-10-31'}\n  - {{id: up,"))
    sides = [str(tmp_path / side) for side in ("before", "after")]
    ended = compare_states(PROJECT, *sides, TODAY)
    (found,) = (f for f in ended.findings if f.rule == "PRODUCT_STATUS_NO_RETREAT")
    assert found.reason == "it ended on 2026-10-31, so nobody relies on it any more"
    assert not ended.breaking
    assert compare_states(PROJECT, *sides, datetime.date(2026, 10, 31)).breaking


LEVELS = """levels:
  - rule: RANGE_NO_WIDEN
    level: warning
    product: shop.orders
    reason: The only consumer has agreed to it.
"""


def with_levels(tmp_path: Path, text: str, *, before: bool = True) -> ContractReview:
    old = tmp_path / "before"
    shutil.copytree(BREAKING / "RANGE_NO_WIDEN" / "before", old)
    new = tmp_path / "after"
    shutil.copytree(BREAKING / "RANGE_NO_WIDEN" / "after", new)
    for side in (old, new) if before else (new,):
        (side / "contracts" / "review.yaml").write_text(text)
    return diff(old, new)


def test_a_level_can_be_set_with_a_reason(tmp_path: Path) -> None:
    review = with_levels(tmp_path, LEVELS)
    assert not review.breaking
    found = next(f for f in review.findings if f.rule == "RANGE_NO_WIDEN")
    assert (found.level, found.reason) == (Level.WARNING, "The only consumer has agreed to it.")


def test_a_level_for_another_product_does_not_count(tmp_path: Path) -> None:
    assert with_levels(tmp_path, LEVELS.replace("shop.orders", "shop.returns")).breaking


def test_whoever_lowers_a_level_in_the_same_change_is_seen_doing_so(tmp_path: Path) -> None:
    review = with_levels(tmp_path, LEVELS, before=False)
    assert "LEVEL_LOWERED" in rules_of(review)
    # What it lowers does not count yet: no change switches off what it breaks.
    assert review.breaking and "RANGE_NO_WIDEN" in rules_of(review)


def test_a_level_that_is_raised_counts_at_once(tmp_path: Path) -> None:
    raised = LEVELS.replace("RANGE_NO_WIDEN", "COLUMN_ADDED").replace("warning", "breaking")
    for side in ("before", "after"):
        shutil.copytree(BREAKING / "COLUMN_ADDED" / side, tmp_path / side)
    (tmp_path / "after" / "contracts" / "review.yaml").write_text(raised)
    assert diff(tmp_path / "before", tmp_path / "after").breaking


def test_whoever_takes_out_an_entry_that_raised_a_level_is_seen_doing_so(tmp_path: Path) -> None:
    raised = LEVELS.replace("RANGE_NO_WIDEN", "COLUMN_ADDED").replace("warning", "breaking")
    old, new = tmp_path / "old", tmp_path / "new"
    for side in (old, new):
        shutil.copytree(BREAKING / "COLUMN_ADDED" / "after", side)
    (old / "contracts" / "review.yaml").write_text(raised)
    (found,) = diff(old, new).findings
    assert (found.rule, str(found.where)) == ("LEVEL_LOWERED", "contracts/review.yaml:1")
    assert "COLUMN_ADDED is now info instead of breaking for shop.orders" in found.message


def test_levels_that_mean_nothing_are_a_finding_and_hide_no_other(tmp_path: Path) -> None:
    text = LEVELS.replace("NO_WIDEN", "NO_WIDENS")
    review = with_levels(tmp_path, text)
    assert {"RANGE_NO_WIDEN", "CONTRACT_INVALID"} <= set(rules_of(review))
    (found,) = (f for f in review.findings if f.rule == "CONTRACT_INVALID")
    assert str(found.where) == "contracts/review.yaml:2" and "RANGE_NO_WIDENS" in found.message


def test_levels_behind_a_link_to_nowhere_are_no_absent_levels(tmp_path: Path) -> None:
    before = BREAKING / "RANGE_NO_WIDEN" / "before"
    shutil.copytree(before, tmp_path / "after")
    (tmp_path / "after" / "contracts" / "review.yaml").symlink_to("gone.yaml")
    (found,) = (f for f in diff(before, tmp_path / "after").findings)
    assert found.rule == "CONTRACT_INVALID" and found.breaking
    assert "The file cannot be read: No such file or directory." in found.message


def test_one_contract_is_compared_with_its_own_product_alone(tmp_path: Path) -> None:
    old = tmp_path / "as_it_was.odcs.yaml"
    shutil.copy(PROJECT.contracts / "interactions" / "user_actions.odcs.yaml", old)
    for sides in ((str(old), "."), (".", str(old))):
        made = compare_states(PROJECT, *sides, TODAY)
        assert (made.findings, made.verdicts) == ((), ())
    old.write_text("no contract")
    with pytest.raises(ContractInvalid, match="The file holds no mapping"):
        compare_states(PROJECT, str(old), ".", TODAY)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (
            "levels:\n  - rule: RANGE_NO_WIDENS\n    level: info\n    reason: a b c\n",
            2,
            "Did you mean `RANGE_NO_WIDEN`?",
        ),
        (
            "levels:\n  - rule: RANGE_NO_WIDEN\n    level: low\n    reason: a b c\n",
            3,
            "is no level",
        ),
        ("levels:\n  - rule: RANGE_NO_WIDEN\n    level: info\n", 2, "without a reason"),
        (
            "levels:\n  - rule: RANGE_NO_WIDEN\n    levl: info\n    reason: a b c\n",
            3,
            "Did you mean `level`?",
        ),
        ("level:\n  - rule: RANGE_NO_WIDEN\n", 1, "Did you mean `levels`?"),
        (
            "levels:\n  - rule: CHANGE_UNKNOWN\n    level: off\n    reason: a b c\n",
            2,
            "cannot be changed",
        ),
        (
            "levels:\n  - rule: RANGE_NO_WIDEN\n    level: info\n    product: orders\n"
            "    reason: a b c\n",
            4,
            "Write <domain>.<product>.",
        ),
        ("organisation: a b\n", 1, "Write letters, digits and `-`."),
        ("levels: RANGE_NO_WIDEN\n", 1, "must be a list"),
        ("levels:\n  - RANGE_NO_WIDEN\n", 2, "is no entry"),
    ],
)
def test_lint_refuses_levels_that_mean_nothing(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    from mesh.review.levels import lint_levels

    (tmp_path / "review.yaml").write_text(text)
    problems = lint_levels(tmp_path)
    assert any(p.line == line and said in f"{p.message} {p.fix}" for p in problems), problems
