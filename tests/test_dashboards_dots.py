"""Dots, with an interval and in a scatter: which of them are clear, and which stand out."""

from __future__ import annotations

from pathlib import Path

from mesh.dashboards.drawing import lines
from mesh.dashboards.drawing.evidence import by_chance
from mesh.dashboards.drawing.formats import unlike, written
from tests.kinds_data import SPECS, card, drawn, effect, effects, kinds_with


def test_a_dot_is_full_where_its_interval_is_on_one_side() -> None:
    rows = [effect("a", 0.4), effect("b", 0.05), effect("c", -0.3), effect("d", 0.2, tag_users=4)]
    view = card("tags", rows)
    assert [row[0] for row in view.body] == ["a", "b", "c"]
    assert view.body[0] == ["a", "+0.40 (+0.30 to +0.50)", "40", "clear"]
    assert view.body[1][3] == "not clear"
    fills = {row["name"]: row["fill"] for row in drawn(view, "fill")}
    assert fills == {"a": "@accent", "b": "@card", "c": "@accent"}
    assert view.reading[0] == "The lines are 95% intervals."
    assert view.seen == "a is surely above “no difference”, c is surely below."
    assert not any("by chance" in said for said in view.reading)
    near = card("tags", [effect("a", 0.4), effect("b", 0.105), effect("c", 0.01)])
    assert "By chance alone one of 3 may seem so." in near.reading
    far = card("tags", [effect("a", 0.9), effect("b", 0.05), effect("c", -0.4)])
    assert far.seen.endswith("; the furthest is a with +0.90 (+0.80 to +1.00).")


def test_a_dot_that_chance_would_make_clear_is_not_told() -> None:
    # 0.105 beside its 0.1 is clear at 95%, and one of eight would be; 0.15 stays clear of all.
    rows = [effect(name, 0.02) for name in "bcdefgh"]
    assert card("tags", [effect("a", 0.105), *rows]).seen == ""
    assert card("tags", [effect("a", 0.15), *rows]).seen == (
        "a with +0.15 (+0.05 to +0.25) is surely above “no difference”."
    )
    # Where one of those that are clear might be so by chance it is said.
    assert card("tags", [effect("a", 0.15), effect("i", 0.105), *rows[:6]]).seen == (
        "a and i are above “no difference”; by chance alone one of 8 may seem so."
    )
    # Of many the names would be no sentence.
    many = card("tags", [*(effect(name, 0.4) for name in "aeiou"), effect("c", -0.4)])
    assert many.seen == "5 of 6 are surely above “no difference”, 1 of 6 is surely below."
    assert by_chance(20) == 1 and by_chance(40) == 2 and by_chance(10, 80) == 2


def test_the_end_of_an_interval_does_not_seem_to_touch_what_it_is_clear_of(tmp_path: Path) -> None:
    rows = [effect("a", 0.75, low=0.57, high=0.997), effect("b", 1.002, low=0.57, high=1.5)]
    (tmp_path / "kinds.yaml").write_text(
        (SPECS / "kinds.yaml")
        .read_text(encoding="utf-8")
        .replace(
            "label: Difference in stars, format: change_decimal", "label: Lift, format: decimal"
        )
        .replace("Lower end, format: change_decimal", "Lower end, format: decimal")
        .replace("Upper end, format: change_decimal", "Upper end, format: decimal")
    )
    before = "reference: {value: 0, label: no difference}"
    view = kinds_with(tmp_path, before, "reference: {value: 1, label: all}", "tags", rows)
    told = ["0.75 (0.57 to 0.997)", "1.00 (0.57 to 1.50)"]
    assert [row[1] for row in view.body] == told
    assert unlike(0.0004, 0.0, "change_percent") == "+0.04%"
    assert unlike(0.0004, 0.0, "change_points") == "+0.04 pp"
    assert written("datum.v", "change_points") == "replace(format(datum.v, '+.1%'), '%', ' pp')"
    assert lines.numbers("change_points", 0.1)["labelExpr"].endswith("'%', ' pp')")
    assert unlike(0.5004, 0.5, "percent") == "50.04%"
    assert unlike(1.0, 1.0, "decimal") == "1.00"


def test_a_dot_without_an_interval_is_never_clear() -> None:
    view = card("tags", [effect("a", 0.4) | {"low": None, "high": None}, effect("b", 0.3)])
    assert [row[3] for row in view.body] == ["not clear", "clear"]


def test_dots_at_both_ends_are_shown_and_the_middle_is_in_the_file() -> None:
    view = card("tags", effects())
    assert len(view.body) == 14
    assert "These are the first 7 and the last 7 of 18; the CSV has all." in view.reading
    assert len(view.csv.splitlines()) == 19


def test_the_reference_can_be_the_row_of_all(tmp_path: Path) -> None:
    rows = [effect("all", 0.2), effect("a", 0.4), effect("b", 0.25)]
    before = "reference: {value: 0, label: no difference}"
    after = "reference: {of: all, label: all tags}"
    view = kinds_with(tmp_path, before, after, "tags", rows)
    assert [(row[0], row[3]) for row in view.body] == [("a", "clear"), ("b", "not clear")]


def test_the_verdict_of_the_product_decides_where_it_has_one(tmp_path: Path) -> None:
    rows = [effect("a", 0.4, verdict="praise"), effect("b", 0.4, verdict="neither")]
    before = "    most: 14\n"
    after = "    verdict: {field: verdict, clear: [praise, complaint]}\n    most: 14\n"
    view = kinds_with(tmp_path, before, after, "tags", rows)
    assert [row[3] for row in view.body] == ["clear", "not clear"]
    assert view.seen == "a with +0.40 (+0.30 to +0.50) is surely above “no difference”."


def test_where_values_are_withheld_a_sentence_says_of_how_many_it_speaks(tmp_path: Path) -> None:
    """A reader takes the first of two for the first of all."""
    rows = [effect("a", 0.4), effect("b", 0.6)]
    before, after = "    most: 14\n", "    incomplete: true\n    most: 14\n"
    assert kinds_with(tmp_path, before, after, "tags", rows).seen == (
        "Of the 2 that can be shown, a and b are surely above “no difference”; others may be "
        "further."
    )
    more = [effect(name, 0.5) for name in "cde"]
    (tmp_path / "more").mkdir()
    assert kinds_with(tmp_path / "more", before, after, "tags", [*rows, *more]).seen == (
        "Of the 5 that can be shown, 5 are surely above “no difference”; others may be further."
    )
    (tmp_path / "one").mkdir()
    assert kinds_with(tmp_path / "one", before, after, "tags", rows[:1]).seen == (
        "Only one can be shown: a with +0.40 (+0.30 to +0.50) is surely above “no difference”; "
        "others may be further."
    )


def test_that_all_dots_are_clear_is_no_finding_where_a_chart_has_no_others(tmp_path: Path) -> None:
    before = "    most: 14\n"
    after = (
        "    verdict: {field: verdict, clear: [praise, complaint]}\n    most: 14\n"
        "    filters: [{field: verdict, one_of: [praise, complaint]}]\n"
    )
    rows = [effect("a", 0.4, verdict="praise"), effect("b", 0.39, verdict="praise")]
    (tmp_path / "alike").mkdir()
    assert kinds_with(tmp_path / "alike", before, after, "tags", rows).seen == ""
    rows.append(effect("c", 0.9, verdict="praise"))
    assert kinds_with(tmp_path, before, after, "tags", rows).seen == (
        "The furthest from “no difference” is c with +0.90 (+0.80 to +1.00)."
    )


def test_what_stands_out_of_a_scatter_is_told_with_both_numbers() -> None:
    rows = [
        effect(f"tag {i}", 0.1, offered=i / 50, asked=i / 50 + 0.002 * (i % 3)) for i in range(10)
    ]
    assert card("demand", rows).seen == ""
    rows[4]["asked"] = 0.3
    assert card("demand", rows).seen == (
        "tag 4 stands out: share of plays 30.0% at share of the catalogue 8.0%, more than the "
        "rest let one expect."
    )
    assert card("demand", rows[:6]).seen == ""


def test_a_small_share_stands_out_as_a_large_one_does() -> None:
    sizes = (0.45, 0.38, 0.2, 0.19, 0.12, 0.1, 0.07, 0.05, 0.04, 0.03)
    rows = [
        effect(f"tag {i}", 0.1, offered=size, asked=size * (0.9 + i % 3 / 10))
        for i, size in enumerate(sizes)
    ]
    assert card("demand", rows).seen == ""
    rows[8]["asked"] = 0.01
    assert card("demand", rows).seen.startswith("tag 8 stands out: share of plays 1.0% at")


def test_a_scatter_of_equal_values_is_drawn() -> None:
    view = card("demand", [effect("a", 0.1), effect("b", 0.1)])
    assert view.vega and view.seen == ""
