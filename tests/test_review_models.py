"""Rules that need models and charts: what changed in meaning, and what did not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import yaml

from mesh.project import Project
from mesh.review.known import RULES
from mesh.review.models.lines import Files
from mesh.review.models.review_worker.facts import Models, RowDiff
from mesh.review.report.markdown import markdown
from mesh.review.rules import Finding, Level
from mesh.review.run import compare_projects
from tests.edited_shops import ORDERS, compared, edited
from tests.review_projects import BREAKING, TODAY, load_here, overlay, shop

LOADED = ("model", "guard", "dashboard")
OF_PROJECTS = [rule.id for rule in RULES.values() if rule.category in LOADED] + [
    "ENUM_NO_DROP_IN_USE",
    "PROJECT_NO_LOAD",
    "BASE_NO_LOAD",
]


@pytest.mark.parametrize("rule", OF_PROJECTS)
def test_each_rule_finds_its_change_at_its_place(rule: str, tmp_path: Path) -> None:
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    overlay(before, BREAKING / rule / "before")
    overlay(after, BREAKING / rule / "after")
    found = compared(before, after).findings
    expected = yaml.safe_load((BREAKING / rule / "expected.yaml").read_text())
    assert [{"rule": f.rule, "level": str(f.level), "at": str(f.where)} for f in found] == expected
    assert rule in {f.rule for f in found}


SILENT = {
    "other names inside": [
        ("WITH totals", "WITH sums"),
        ("FROM totals", "FROM sums"),
        ("AS lines", "AS l"),
        (
            "lines.order_id,\n    lines.customer,\n    lines.channel,\n    SUM("
            "lines.pieces * lines.price)",
            "l.order_id, l.customer, l.channel, SUM(l.pieces * l.price)",
        ),
        ("lines.pieces > 0 AND lines.price >= 0", "l.pieces > 0 AND l.price >= 0"),
        (
            "lines.order_id,\n    lines.customer,\n    lines.channel\n",
            "l.order_id, l.customer, l.channel\n",
        ),
    ],
    "other spelling of the conditions": [
        ("lines.pieces > 0 AND lines.price >= 0", "0 <= lines.price AND (0 < lines.pieces)"),
    ],
    "a comment": [("/* What was ordered. */", "/* What was ordered, and for how much. */")],
    "factors in another order": [("lines.pieces * lines.price", "lines.price * lines.pieces")],
    "one more step that passes rows through": [
        (
            "\n)\nSELECT",
            "\n), passed AS (SELECT order_id, customer, channel, amount FROM totals)\nSELECT",
        ),
        ("FROM totals\n", "FROM passed\n"),
    ],
    "a cast less": [("customer::INT64 AS customer", "customer AS customer")],
}


@pytest.mark.parametrize("name", SILENT)
def test_another_way_to_write_the_same_query_is_silent(name: str, tmp_path: Path) -> None:
    review = edited(tmp_path, ORDERS, *SILENT[name])
    assert [f.message for f in review.findings] == []
    assert review.impact.hits == ()


def test_keys_of_a_chart_in_another_order_are_silent(tmp_path: Path) -> None:
    review = edited(
        tmp_path,
        "looker/sales.yaml",
        ("    title: Amount by channel\n    kind: pie\n", "    kind: pie\n"),
        ("    source: orders\n", "    title: Amount by channel\n    source: orders\n"),
        ("{field: channel, label: Channel}", "{label: Channel, field: channel}"),
        ("{source: orders, field: amount,", "{field: amount, source: orders,"),
    )
    assert review.findings == ()


def test_a_source_that_becomes_another_product_changes_its_charts(tmp_path: Path) -> None:
    edit = ("orders: {product: shop.orders,", "orders: {product: reporting.customers,")
    review = edited(tmp_path, "looker/sales.yaml", edit)
    assert [f.message for f in review.findings] == [
        "The chart sales/by_channel shows something else. Its title is as it was.",
        "The chart sales/from_the_counter shows something else. Its title is as it was.",
    ]


def test_a_file_of_thousands_of_lines_alike_is_compared_at_once(tmp_path: Path) -> None:
    """Each with each, as difflib does it of shorter ones, these take minutes."""
    block = ["  - name: a", "    required: true", "    examples: [0, 1]", ""]
    sides = {"old": 5_000 * block, "new": 5_000 * block}
    sides["new"][8_001] = "    required: false"
    for side, lines in sides.items():
        (tmp_path / side).mkdir()
        (tmp_path / side / "wide.yaml").write_text("\n".join(lines))
    files = Files(tmp_path / "old", tmp_path / "new", cast("Models", None), cast("Models", None))
    assert files.edited == {"wide.yaml": 8_002}


def test_another_label_of_a_chart_is_told_with_the_old_one(tmp_path: Path) -> None:
    edit = ("aggregate: sum, label: Amount,", "aggregate: sum, label: Of all orders,")
    review = edited(tmp_path, "looker/sales.yaml", edit)
    assert {(f.rule, f.before, f.after) for f in review.findings} == {
        ("CHART_CHANGED", "label: Amount", "label: Of all orders")
    }
    assert "hits the readers of 1 dashboard" in markdown(review)


def test_labels_that_change_places_show_readers_something_else(tmp_path: Path) -> None:
    named = "dimension: {{field: channel, label: Channel, labels: {{{}}}}}"
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    plain = "dimension: {field: channel, label: Channel}"
    for side, labels in ((before, "desk: Shop, web: Site"), (after, "desk: Site, web: Shop")):
        file = side / "looker" / "sales.yaml"
        assert plain in file.read_text()
        file.write_text(file.read_text().replace(plain, named.format(labels)))
    found = compared(before, after).findings
    (told,) = [one for one in found if one.rule == "CHART_SHOWS_OTHER"]
    assert told.message == "In the chart sales/by_channel, `Shop` stands for another value now."


def test_what_a_model_waits_for_does_not_count_as_what_it_reads(tmp_path: Path) -> None:
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    waiting = "MODEL (name shop.hours, kind VIEW, depends_on (shop.orders));\nSELECT 1 AS hour"
    for side in (before, after):
        (side / "models/shop/hours.sql").write_text(waiting)
    file = after / ORDERS
    file.write_text(file.read_text().replace("lines.price >= 0", "lines.price > 1"))
    names = {one.name for one in compared(before, after).impact.hits}
    assert "reporting.customers" in names and "shop.hours" not in names


def test_rows_that_begin_on_another_day_break(tmp_path: Path) -> None:
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    kind = "kind INCREMENTAL_BY_TIME_RANGE (time_column (ordered_on, '%Y-%m-%d'))"
    for side, start in ((before, "2026-01-01"), (after, "2026-06-01")):
        for file, more in (("internal/order_lines", "DATE '2026-02-02' AS ordered_on, "),):
            path = side / f"models/shop/{file}.sql"
            text = path.read_text().replace("kind VIEW", f"start '{start}', {kind}")
            path.write_text(text.replace("SELECT\n  line.", f"SELECT\n  {more}line.", 1))
    (found,) = compared(before, after).findings
    assert (found.rule, found.product) == ("ROWS_SAME_MEANING", "shop.orders")
    assert found.message.startswith(
        "Rows begin at 2026-06-01 instead of 2026-01-01, because of shop_internal.order_lines."
    )


MEANINGS = {
    "another aggregate": (
        ("SUM(lines.pieces", "AVG(lines.pieces"),
        "COLUMN_SAME_MEANING",
        "amount",
    ),
    "another operator": (("pieces * lines", "pieces + lines"), "COLUMN_SAME_MEANING", "amount"),
    "another constant": (
        ("amount::FLOAT64 AS", "(amount * 1.07)::FLOAT64 AS"),
        "COLUMN_SAME_MEANING",
        "amount",
    ),
    "another column": (("customer::INT64", "order_id::INT64"), "COLUMN_SAME_MEANING", "customer"),
    "another filter": (("lines.price >= 0", "lines.price > 1"), "ROWS_SAME_MEANING", None),
    "no filter": (("lines.pieces > 0 AND", ""), "ROWS_SAME_MEANING", None),
    "a limit": (("FROM totals", "FROM totals LIMIT 10"), "ROWS_SAME_MEANING", None),
    "distinct rows": (
        ("\nSELECT\n  order_id", "\nSELECT DISTINCT\n  order_id"),
        "ROWS_SAME_MEANING",
        None,
    ),
}


@pytest.mark.parametrize("name", MEANINGS)
def test_a_query_that_means_another_thing_breaks(name: str, tmp_path: Path) -> None:
    edit, rule, column = MEANINGS[name]
    review = edited(tmp_path, ORDERS, edit)
    assert (rule, column) in [(f.rule, f.column) for f in review.findings]
    assert review.verdicts[0].outcome == "wrong"


def test_what_a_contract_says_of_others_does_not_hide_a_query_that_changed(tmp_path: Path) -> None:
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    contract, model = after / "contracts/shop/orders.odcs.yaml", after / ORDERS
    text = contract.read_text().replace("role: reporting_team", "role: sales_team")
    contract.write_text(text.replace("classification: personal", "classification: internal"))
    text = model.read_text().replace("lines.price >= 0", "lines.price > 1")
    model.write_text(text.replace("customer::INT64", "order_id::INT64"))
    found = {f.rule: f for f in compared(before, after).findings}
    assert {"ROLE_NO_DELETE", "COLUMN_PERSONAL_NO_RELEASE", "COLUMN_SAME_MEANING"} <= found.keys()
    rows = found["ROWS_SAME_MEANING"]
    assert "lines.price >= 0" in rows.before and "lines.price > 1" in rows.after
    assert str(rows.where) == f"{ORDERS}:12"


def test_a_rename_of_an_internal_model_is_silent(tmp_path: Path) -> None:
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    for file in after.rglob("*.sql"):
        file.write_text(file.read_text().replace("order_lines", "order_items"))
    (after / "models/shop/internal/order_lines.sql").rename(
        after / "models/shop/internal/order_items.sql"
    )
    assert compared(before, after).findings == ()


def test_a_consumer_that_moves_to_a_product_with_the_same_content_is_silent(tmp_path: Path) -> None:
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    model = (after / ORDERS).read_text().replace("shop.orders,", "shop.orders_v2,")
    (after / "models/shop/orders_v2.sql").write_text(model)
    reader = after / "models/reporting/customers.sql"
    reader.write_text(reader.read_text().replace("FROM shop.orders AS", "FROM shop.orders_v2 AS"))
    review = compared(before, after)
    assert [f.message for f in review.findings if f.product == "reporting.customers"] == []


def test_the_data_diff_can_clear_a_change_of_meaning(tmp_path: Path) -> None:
    before, after = (Project(shop(tmp_path / name)) for name in ("before", "after"))
    model = after.root / ORDERS
    model.write_text(model.read_text().replace("pieces * lines", "pieces + lines"))
    base, head = load_here(before, after, {})
    same = RowDiff("shop.orders", before=9, after=9, match={"amount": 100.0})

    def weighed(*rows: RowDiff) -> Finding:
        sides = base, replace(head, rows=rows)
        review = compare_projects(before, after, lambda *_: sides, TODAY)
        return next(f for f in review.findings if f.rule == "COLUMN_SAME_MEANING")

    cleared = weighed(same)
    assert cleared.level is Level.INFO and "the same values" in cleared.reason
    for other in (
        replace(same, match={"amount": 99.9}),
        replace(same, added=1),
        replace(same, before=0, after=0),
        replace(same, problem="It cannot be read."),
    ):
        assert weighed(other).level is Level.BREAKING
    assert weighed().level is Level.BREAKING


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lines.pieces > 0", "lines.pieces > 1"),
        ("lines.price >= 0", "lines.price >= 0 AND REGEXP_CONTAINS(lines.channel, r'^[a-z]+')"),
        ("FROM totals", "FROM totals\nORDER BY order_id\nLIMIT 1000000"),
    ],
    ids=["a filter", "a pattern", "a limit"],
)
def test_equal_rows_do_not_clear_what_a_sample_cannot_show(
    old: str, new: str, tmp_path: Path
) -> None:
    before, after = (Project(shop(tmp_path / name)) for name in ("before", "after"))
    model = after.root / ORDERS
    model.write_text(model.read_text().replace(old, new))
    base, head = load_here(before, after, {})
    same = RowDiff("shop.orders", before=9, after=9, match={"amount": 100.0})
    sides = base, replace(head, rows=(same,))
    found = compare_projects(before, after, lambda *_: sides, TODAY).findings
    rows = next(one for one in found if one.rule == "ROWS_SAME_MEANING")
    assert rows.level is Level.WARNING
    assert "no sample shows all that `" in rows.reason


SEEDED = BREAKING / "SEED_ROWS_CHANGED" / "before"
OF_SEED = Path("models", "shop", "internal", "order_lines.sql")


def test_another_type_of_a_seed_breaks_what_is_made_of_that_column(tmp_path: Path) -> None:
    """The price decides on the rows, and the amounts are made of it; channels are as they were."""
    before, after = shop(tmp_path / "before", SEEDED), shop(tmp_path / "after", SEEDED)
    seed = (after / OF_SEED).read_text()
    (after / OF_SEED).write_text(seed.replace("price FLOAT64", "price NUMERIC"))
    found = [f for f in compared(before, after).findings if f.breaking]
    told = {(f.rule, f.column) for f in found if f.product == "shop.orders"}
    assert told == {("ROWS_SAME_MEANING", None), ("COLUMN_SAME_MEANING", "amount")}
    assert {f.where.path for f in found} == {OF_SEED.as_posix()}


@pytest.mark.parametrize(
    ("file", "told"),
    [("order_lines", set()), ("other", {"ROWS_SAME_MEANING", "COLUMN_SAME_MEANING"})],
)
def test_a_renamed_seed_is_the_same_and_one_of_another_file_is_not(
    file: str, told: set[str], tmp_path: Path
) -> None:
    before, after = shop(tmp_path / "before", SEEDED), shop(tmp_path / "after", SEEDED)
    rows = (after / "seeds" / "order_lines.csv").read_bytes()
    (after / "seeds" / f"{file}.csv").write_bytes(rows)
    seed = (after / OF_SEED).read_text().replace("order_lines,", "lines,")
    (after / OF_SEED).unlink()
    (after / OF_SEED).with_name("lines.sql").write_text(seed.replace("order_lines", file))
    query = after / "models" / "shop" / "orders.sql"
    query.write_text(query.read_text().replace("shop_internal.order_lines", "shop_internal.lines"))
    assert {f.rule for f in compared(before, after).findings if f.breaking} == told


def kept_up_otherwise(tmp_path: Path, old: str, new: str) -> list[Finding]:
    """What is found where the MODEL block of the incremental orders is edited."""
    sides = [shop(tmp_path / side) for side in ("before", "after")]
    for side in sides:
        overlay(side, BREAKING / "ROWS_SAME_UPKEEP" / "before")
    text = (sides[1] / ORDERS).read_text()
    assert old in text
    (sides[1] / ORDERS).write_text(text.replace(old, new))
    return list(compared(*sides).findings)


def test_another_strategy_is_breaking_though_no_first_load_shows_it(tmp_path: Path) -> None:
    kind = "INCREMENTAL_BY_UNIQUE_KEY (unique_key order_id)"
    other = "SCD_TYPE_2_BY_COLUMN (unique_key order_id, columns [channel])"
    every = kept_up_otherwise(tmp_path, kind, other)
    found = [one for one in every if one.rule == "ROWS_SAME_UPKEEP"]
    assert [(one.level, one.before, one.after) for one in found] == [
        (Level.BREAKING, "INCREMENTAL_BY_UNIQUE_KEY", "SCD_TYPE_2_BY_COLUMN")
    ]


def test_corrections_that_no_longer_reach_the_past_are_told(tmp_path: Path) -> None:
    key = "unique_key order_id"
    (found,) = kept_up_otherwise(tmp_path, key, f"{key}, forward_only TRUE")
    assert (found.rule, found.level) == ("ROWS_SAME_UPKEEP", Level.WARNING)
    assert "forward_only" in found.after and "forward_only" not in found.before
