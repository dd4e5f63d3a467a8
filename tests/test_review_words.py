"""The words of a review: what they show of long texts, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.review.contracts.words import both_shortened
from mesh.review.models.review_worker.facts import Plan, Planned
from mesh.review.report.markdown import markdown
from mesh.review.report.terminal import print_review
from mesh.review.run import Review
from tests.review_projects import ORDERS, diff, shop


def test_of_two_long_texts_the_place_where_they_differ_is_seen() -> None:
    alike = "a" * 500
    before, after = both_shortened(f"{alike} > 5 {alike}", f"{alike} > 6 {alike}")
    assert " > 5 " in before and " > 6 " in after
    assert len(before) == len(after) == 200 and before[0] == before[-1] == "…"
    assert both_shortened("few", "words") == ("few", "words")
    assert both_shortened(alike, "other") == ("a" * 199 + "…", "other")


def test_a_rule_that_was_edited_is_told_at_the_line_of_the_edit(tmp_path: Path) -> None:
    for side, least in (("before", 5), ("after", 4)):
        shop(tmp_path / side)
        path = tmp_path / side / "contracts" / "shop" / "orders.odcs.yaml"
        text = path.read_text()
        rule = (
            "    quality:\n"
            "      - id: few\n        type: sql\n        description: Few.\n"
            "        dimension: consistency\n        severity: error\n        query: |-\n"
            "          SELECT COUNT(*) FROM (\n            SELECT own.order_id\n"
            f"            FROM ${{table}} AS own\n            WHERE own.amount > {least}\n"
            "          ) AS offending\n        mustBe: 0\n"
        )
        assert text.count("    quality:\n") == 1
        path.write_text(text.replace("    quality:\n", rule))
    found = diff(tmp_path / "before", tmp_path / "after").findings
    (told,) = [one for one in found if one.rule == "QUALITY_TIGHTENED"]
    lines = (tmp_path / "after" / ORDERS).read_text().splitlines()
    assert lines[(told.where.line or 0) - 1].strip() == "WHERE own.amount > 4"


def test_models_of_which_only_metadata_is_another_are_told_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    quiet = [Planned(f"shop.quiet_{number}", "metadata", "metadata") for number in range(54)]
    line = "Of 54 models metadata alone is another: nothing is built."
    for models in ([Planned("shop.loud", "directly modified", "breaking"), *quiet], quiet):
        review = Review((), plan=Plan("prod", tuple(models)))
        print_review(review)
        for text in (markdown(review), capsys.readouterr().out):
            assert line in text and "quiet" not in text
            assert ("shop.loud" in text) == (len(models) > 54)


def test_a_new_product_is_told_by_what_its_contract_promises(tmp_path: Path) -> None:
    for side in ("old", "new"):
        shop(tmp_path / side)
    (tmp_path / "old" / ORDERS).unlink()
    messages = [one.message for one in diff(tmp_path / "old", tmp_path / "new").findings]
    assert (
        "shop.orders 1.0.0 is new: 4 columns; key order_id; personal: customer; may be read by "
        "reporting_team; 1 rule besides those of its columns."
    ) in messages
