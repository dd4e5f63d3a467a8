"""Where a change of models was made, and who still reads what it changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mesh.review.report.grouped import advised, counted, grouped
from mesh.review.rules import Level
from tests.edited_shops import CUSTOMERS, LINES, ORDERS, all_edited, compared, edited, hit
from tests.review_projects import shop


def test_a_reader_of_a_model_that_is_gone_is_told_so(tmp_path: Path) -> None:
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    (after / "models/shop/internal/order_lines.sql").unlink()
    said = [f.message for f in compared(before, after).findings if f.rule == "CONSUMER_NO_BREAK"]
    assert said == ["shop.orders still reads shop_internal.order_lines, which goes in this change."]


def test_a_change_is_told_where_it_was_made_and_not_again_downstream(tmp_path: Path) -> None:
    review = edited(tmp_path, ORDERS, ("SUM(lines", "AVG(lines"))
    assert {f.product for f in review.findings if f.rule == "COLUMN_SAME_MEANING"} == {
        "shop.orders"
    }
    assert hit(review, "reporting.customers").columns == ("web_amount",)


def test_who_says_the_same_in_other_words_is_not_blamed_for_another(tmp_path: Path) -> None:
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    lines = "models/shop/internal/order_lines.sql"
    for path, old, new in ((ORDERS, "lines.pieces > 0", "0 < lines.pieces"), (lines, "1.0", "2.0")):
        text = (after / path).read_text()
        assert old in text
        (after / path).write_text(text.replace(old, new))
    found = compared(before, after).findings
    assert {f.where.path for f in found if f.rule == "COLUMN_SAME_MEANING"} == {lines}


def test_lineage_reaches_from_a_column_to_the_charts_and_their_owners(tmp_path: Path) -> None:
    contract = "contracts/shop/orders.odcs.yaml"
    review = edited(tmp_path, contract, ("{minimum: 0}", "{minimum: -10}"))
    reader = hit(review, "reporting.customers")
    assert (reader.kind, reader.how, reader.owner) == ("product", "values", "reporting")
    assert reader.because == ("shop.orders.amount",)
    assert hit(review, "sales/by_channel").kind == "chart"
    assert review.impact.owners == ("reporting", "shop")
    assert review.impact.readers == {"shop.orders": ("reporting_team",)}


def test_a_column_that_only_filters_hits_the_rows_of_its_readers(tmp_path: Path) -> None:
    contract = "contracts/shop/orders.odcs.yaml"
    wider = (
        "          - {value: desk",
        "          - {value: mail, description: Mail.}\n          - {value: desk",
    )
    reader = hit(edited(tmp_path, contract, wider), "reporting.customers")
    assert (reader.how, reader.columns) == ("rows", ())


def test_a_column_that_nobody_reads_hits_no_one(tmp_path: Path) -> None:
    contract = "contracts/reporting/customers.odcs.yaml"
    review = edited(tmp_path, contract, ("in the web shop in euros", "in the web shop in cents"))
    assert review.findings[0].rule == "COLUMN_SAME_UNIT" and review.impact.hits == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("The price in euros.", "The prise in euros."),
        ("- {channel: shop-help", "- {channel: shop-desk"),
        ("team: {name: shop}", "team: {name: sales}"),
    ],
    ids=["a typo", "where to ask", "whom to ask"],
)
def test_other_words_hit_no_one(old: str, new: str, tmp_path: Path) -> None:
    review = edited(tmp_path, "contracts/shop/orders.odcs.yaml", (old, new))
    assert any(one.level is Level.WARNING for one in review.findings)
    assert review.impact.hits == ()


def test_what_one_edit_made_of_several_columns_is_told_once(tmp_path: Path) -> None:
    review = edited(tmp_path, ORDERS, ("lines.pieces * lines.price", "lines.price"))
    (found,) = [one for one in review.findings if one.column == "amount"]
    others = [
        replace(found, column=name, message=found.message.replace("amount", name))
        for name in "abcdefg"
    ]
    elsewhere = replace(found, where=replace(found.where, line=1))
    first, second = grouped([found, *others, elsewhere])
    assert first.message == f"{found.message} The same of a, b, c, d, e and 2 more columns."
    assert second == elsewhere
    assert counted([found, *others, elsewhere], found.level) == 2
    assert [one.column for one in grouped([found, others[0]])] == ["amount"]


def test_each_product_is_told_which_of_two_changes_of_an_internal_model_it_is_of(
    tmp_path: Path,
) -> None:
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    limits = "MODEL (name shop_internal.limits, kind VIEW);\nSELECT\n  {} AS low,\n  {} AS high\n"
    for side, low, high in ((before, 1, 9), (after, 2, 8)):
        (side / "models/shop/internal/limits.sql").write_text(limits.format(low, high))
        for model, old, new in (
            (ORDERS, "amount::FLOAT64 AS", "(amount * low)::FLOAT64 AS"),
            (ORDERS, "FROM totals", "FROM totals CROSS JOIN shop_internal.limits"),
            (CUSTOMERS, "WHERE\n", "CROSS JOIN shop_internal.limits WHERE amount < high AND\n"),
        ):
            text = (side / model).read_text()
            assert old in text
            (side / model).write_text(text.replace(old, new))
    review = compared(before, after)
    found = review.findings
    because = "because of shop_internal.limits"
    assert [(f.product, f.message, f.before, f.after, str(f.where)) for f in found] == [
        (
            "reporting.customers",
            f"Rows are chosen, joined or grouped otherwise, {because}.high.",
            *("9", "8", "models/shop/internal/limits.sql:4"),
        ),
        (
            "shop.orders",
            f"amount is computed otherwise, {because}.low.",
            *("1", "2", "models/shop/internal/limits.sql:3"),
        ),
    ]
    # One change that many products are behind is told once.
    (row,) = grouped([replace(found[1], product=name) for name in ("a.b", "a.c", "a.d")])
    assert row.message == f"{found[1].message} Also in a.c (amount), a.d (amount)."
    first, second = advised(review.verdicts)
    assert first.write and first.snippet and not second.snippet
    assert second.write == (
        "As reporting.customers: leave it as it was, or publish shop.orders_v2 beside it."
    )


def test_another_type_of_an_internal_column_makes_others_of_what_reads_it(tmp_path: Path) -> None:
    review = all_edited(tmp_path, (LINES, "line.price::FLOAT64", "line.price::INT64"))
    found = {one.column: one for one in review.findings}
    assert found.keys() == {"amount", None}
    because = "because of shop_internal.order_lines.price."
    assert found["amount"].message == f"amount is computed otherwise, {because}"
    assert found["amount"].after == "CAST(`line`.`price` AS INT64)"
    assert str(found["amount"].where) == f"{LINES}:9"


def test_a_rename_does_not_hide_what_was_changed_with_it(tmp_path: Path) -> None:
    review = all_edited(
        tmp_path,
        (LINES, "line.pieces::INT64 AS pieces", "(line.pieces + 1)::INT64 AS items"),
        (ORDERS, "SUM(lines.pieces", "SUM(lines.items"),
        (ORDERS, "lines.pieces > 0", "lines.items > 0"),
    )
    (found,) = [one for one in review.findings if one.column == "amount"]
    assert "order_lines.items" in found.message
    assert found.message.endswith(" and of its own query.")
    assert "`line`.`pieces` + 1" in found.after and "`line`.`pieces` + 1" not in found.before
    advice = review.verdicts[0].write
    assert LINES in advice and ORDERS in advice


def test_a_cause_that_stands_behind_a_limit_is_found_by_its_name(tmp_path: Path) -> None:
    limited = "FROM totals CROSS JOIN shop_internal.limits ORDER BY amount * low LIMIT 2"
    limits = "MODEL (name shop_internal.limits, kind VIEW); SELECT {} AS low, 9 AS high"
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    for side, low in ((before, 1), (after, 2)):
        (side / "models/shop/internal/limits.sql").write_text(limits.format(low))
        text = (side / ORDERS).read_text()
        (side / ORDERS).write_text(text.replace("FROM totals\n", f"{limited}\n"))
    (found,) = [one for one in compared(before, after).findings if one.column is None]
    assert found.message.endswith("because of shop_internal.limits.low.")


def test_a_column_that_an_internal_model_no_longer_has_is_missed_by_its_readers(
    tmp_path: Path,
) -> None:
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    reader = "MODEL (name shop_internal.sorts, kind VIEW);\nSELECT sort FROM shop_internal.kinds"
    kinds = "MODEL (name shop_internal.kinds, kind VIEW);\nSELECT 1 AS kind{}"
    for side, more in ((before, ", 2 AS sort"), (after, "")):
        (side / "models/shop/internal/sorts.sql").write_text(reader)
        (side / "models/shop/internal/kinds.sql").write_text(kinds.format(more))
    assert [(one.rule, one.message) for one in compared(before, after).findings] == [
        (
            "CONSUMER_NO_BREAK",
            "shop_internal.sorts still reads shop_internal.kinds.sort, which goes in this change.",
        )
    ]


def test_advice_names_the_contract_and_the_models(tmp_path: Path) -> None:
    review = all_edited(
        tmp_path,
        (LINES, "line.price::FLOAT64", "(line.price + 1)::FLOAT64"),
        ("contracts/shop/orders.odcs.yaml", "{minimum: 0}", "{minimum: -10}"),
    )
    (verdict,) = [one for one in review.verdicts if one.product == "shop.orders"]
    assert LINES in verdict.write and "contracts/shop/orders.odcs.yaml and" in verdict.write
    assert verdict.made_in == ()


def test_the_line_of_a_column_that_says_the_same_in_other_words_is_not_blamed(
    tmp_path: Path,
) -> None:
    review = edited(
        tmp_path,
        ORDERS,
        ("lines.pieces * lines.price", "lines.price"),
        ("amount::FLOAT64 AS amount", "(1 * amount)::FLOAT64 AS amount"),
    )
    (found,) = [one for one in review.findings if one.column == "amount"]
    text = (tmp_path / "after" / ORDERS).read_text().splitlines()
    assert "SUM(lines.price)" in text[found.where.line - 1]
    assert "lines.pieces * lines.price" in found.before
