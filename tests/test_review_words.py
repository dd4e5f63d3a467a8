"""The words of a review: what they show of long texts, and where."""

from __future__ import annotations

from pathlib import Path

from mesh.review.contracts.words import both_shortened
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
