"""A model without a contract promises nothing: its changes are told of the products made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mesh.project import Project
from mesh.review.rules import Finding
from mesh.review.run import compare_projects
from tests.review_projects import TODAY, load_here, shop

ORDERS = "models/shop/orders.sql"
LINES = "models/shop/internal/order_lines.sql"
CONTRACT = "contracts/shop/orders.odcs.yaml"
PYTHON = """
import pandas as pd
from sqlmesh import ExecutionContext, model


@model("{name}", kind="FULL", depends_on=[{parents}], columns={{
    "order_id": "int", "customer": "int", "channel": "text", "pieces": "int", "price": "double"}})
def execute(context: ExecutionContext, **_: object) -> pd.DataFrame:
    return pd.DataFrame({rows})
"""
ROWS = """{"order_id": [1], "customer": [7], "channel": ["web"], "pieces": [2], "price": [4.5]}"""


def sub(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text, old
    file.write_text(text.replace(old, new))


def sides(tmp_path: Path, *edits: Callable[[Path], None]) -> tuple[Path, Path]:
    """The shop twice, where the lines of orders lie beside its products, without a contract."""
    made = shop(tmp_path / "before"), shop(tmp_path / "after")
    for side in made:
        sub(side / LINES, "shop_internal.order_lines", "shop.order_lines")
        sub(side / ORDERS, "shop_internal.order_lines", "shop.order_lines")
        for edit in edits:
            edit(side)
    return made


def told(before: Path, after: Path) -> list[str]:
    return [f"{one.rule} {one.product} {one.column or ''}".strip() for one in found(before, after)]


def found(before: Path, after: Path) -> list[Finding]:
    every = compare_projects(Project(before), Project(after), load_here, TODAY).findings
    return [one for one in every if one.rule != "VERSION_TOO_SMALL"]


def test_other_values_of_a_model_without_a_contract_break_what_is_made_of_it(
    tmp_path: Path,
) -> None:
    before, after = sides(tmp_path)
    sub(after / LINES, "line.price::FLOAT64", "(100 * line.price)::FLOAT64")
    one, *rest = found(before, after)
    assert (one.rule, one.product, one.column) == ("COLUMN_SAME_MEANING", "shop.orders", "amount")
    assert one.breaking and str(one.where) == f"{LINES}:9"
    assert "because of shop.order_lines.price" in one.message
    assert {other.rule for other in rest} == {"ROWS_SAME_MEANING"}


def test_fewer_rows_of_a_model_without_a_contract_break_what_is_made_of_it(tmp_path: Path) -> None:
    before, after = sides(tmp_path)
    sub(after / LINES, ") AS line\n", ") AS line\nWHERE line.order_id > 1\n")
    assert told(before, after) == ["ROWS_SAME_MEANING shop.orders"]


def test_a_type_of_a_model_without_a_contract_is_followed(tmp_path: Path) -> None:
    before, after = sides(tmp_path)
    sub(after / LINES, "line.price::FLOAT64", "line.price::INT64")
    assert "COLUMN_SAME_MEANING shop.orders amount" in told(before, after)


def test_a_model_without_a_contract_is_told_of_under_its_new_name_or_schema(
    tmp_path: Path,
) -> None:
    """As of an internal one: where a model lies says nothing of its rows."""
    before, after = sides(tmp_path)
    for file in (LINES, ORDERS):
        sub(after / file, "shop.order_lines", "shop_internal.lines_of_orders")
    assert told(before, after) == []


def python(name: str, *parents: str, rows: str = ROWS) -> str:
    named = ", ".join(f'"{parent}"' for parent in parents)
    return PYTHON.format(name=name, parents=named, rows=rows)


@pytest.mark.parametrize("schema", ["shop", "shop_internal"])
def test_the_code_of_a_python_model_without_a_contract_is_followed(
    schema: str, tmp_path: Path
) -> None:
    def in_python(side: Path) -> None:
        (side / LINES).unlink()
        (side / "models/lines.py").write_text(python(f"{schema}.order_lines"))
        sub(side / ORDERS, "shop.order_lines", f"{schema}.order_lines")

    before, after = sides(tmp_path, in_python)
    assert told(before, after) == []
    sub(after / "models/lines.py", "4.5", "450.0")
    assert {"COLUMN_SAME_MEANING shop.orders amount", "ROWS_SAME_MEANING shop.orders"} <= {
        *told(before, after)
    }


@pytest.mark.parametrize("schema", ["shop", "shop_internal"])
def test_what_a_python_model_reads_is_followed_through_it(schema: str, tmp_path: Path) -> None:
    """Nobody can tell what its code makes of the rows that it reads."""

    def through_python(side: Path) -> None:
        (side / "models/lines.py").write_text(python(f"{schema}.checked", "shop.order_lines"))
        sub(side / ORDERS, "shop.order_lines", f"{schema}.checked")

    before, after = sides(tmp_path, through_python)
    sub(after / LINES, "line.pieces::INT64 AS pieces,", "line.pieces::INT64 AS pieces, 1 AS one,")
    assert told(before, after) == []
    sub(after / LINES, "line.price::FLOAT64", "(100 * line.price)::FLOAT64")
    every = found(before, after)
    assert "ROWS_SAME_MEANING" in {one.rule for one in every}
    assert all("because of shop.order_lines" in one.message for one in every)


def test_a_model_without_a_contract_that_reads_itself_is_compared(tmp_path: Path) -> None:
    def incremental(side: Path) -> None:
        sub(side / LINES, "kind VIEW", "kind INCREMENTAL_BY_UNIQUE_KEY (unique_key order_id)")
        text = (side / LINES).read_text().rstrip()
        more = "\nLEFT JOIN shop.order_lines AS known\n  ON known.order_id = line.order_id\n"
        (side / LINES).write_text(text + more)

    before, after = sides(tmp_path, incremental)
    assert told(before, after) == []
    sub(after / LINES, "line.price::FLOAT64", "COALESCE(known.price, line.price)::FLOAT64")
    assert "COLUMN_SAME_MEANING shop.orders amount" in told(before, after)


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_contract_on_one_side_alone_hides_no_change_from_those_downstream(
    side: str, tmp_path: Path
) -> None:
    """Without it on both sides nobody judges the model itself."""
    before, after = sides(tmp_path)
    (tmp_path / side / CONTRACT).unlink()
    sub(after / ORDERS, "lines.pieces * lines.price", "lines.pieces * lines.price * 100")
    assert "COLUMN_SAME_MEANING reporting.customers web_amount" in told(before, after)


def test_a_contract_that_comes_or_goes_is_no_change_of_those_downstream(tmp_path: Path) -> None:
    before, after = sides(tmp_path)
    (before / CONTRACT).unlink()
    assert not [one for one in told(before, after) if "reporting" in one]
    assert not [one for one in told(after, before) if "MEANING" in one]


def test_a_product_under_contract_is_judged_by_itself(tmp_path: Path) -> None:
    before, after = sides(tmp_path)
    sub(after / ORDERS, "lines.pieces * lines.price", "lines.pieces * lines.price * 100")
    assert told(before, after) == ["COLUMN_SAME_MEANING shop.orders amount"]


def test_a_column_that_a_model_without_a_contract_drops_is_missed_by_its_readers(
    tmp_path: Path,
) -> None:
    before, after = sides(tmp_path)
    for side, more in ((before, ", 2 AS sort"), (after, "")):
        for name, query in (
            ("kinds", f"SELECT 1 AS kind{more}"),
            ("sorts", "SELECT sort FROM shop.kinds"),
        ):
            text = f"MODEL (name shop.{name}, kind VIEW);\n{query}"
            (side / f"models/shop/{name}.sql").write_text(text)
    assert [(one.rule, one.message) for one in found(before, after)] == [
        ("CONSUMER_NO_BREAK", "shop.sorts still reads shop.kinds.sort, which goes in this change.")
    ]
