"""What SQLMesh says of a change against prod: the plan, and the rows that differ."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mesh.project import Project
from mesh.review.models.load import load_both
from mesh.review.models.review_worker.facts import Plan
from tests.review_projects import shop, worker

ORDERS = "models/shop/orders.sql"
PERSONAL = {"shop.orders": ["customer"], "reporting.customers": ["customer"]}


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The shop: prod as it was, the environment dev with another amount, one database."""
    folder = tmp_path_factory.mktemp("rows")
    root = shop(folder / "shop")
    before, here = os.environ.get("MESH_DUCKDB"), Path.cwd()
    os.environ["MESH_DUCKDB"] = str(root / "data" / "mesh.duckdb")
    (root / "data").mkdir()
    with worker():
        from review_worker.project import load_context

        load_context(root, None, read_only=False).plan("prod", auto_apply=True, no_prompts=True)
        file = root / ORDERS
        file.write_text(file.read_text().replace("pieces * lines", "pieces + lines"))
        context = load_context(root, None, read_only=False)
        context.plan("dev", auto_apply=True, no_prompts=True, include_unmodified=True)
        context.close()
        yield root
    os.chdir(here)
    os.environ.pop("MESH_DUCKDB")
    if before is not None:
        os.environ["MESH_DUCKDB"] = before


def module(name: str) -> Any:
    import importlib

    return importlib.import_module(f"review_worker.{name}")


def test_the_plan_against_prod_names_sqlmeshs_categories_and_writes_nothing(changed: Path) -> None:
    database = changed / "data" / "mesh.duckdb"
    before = database.read_bytes()
    context = module("project").load_context(changed, None, read_only=True)
    plan = module("planning").plan_against_prod(context)
    context.close()
    assert plan.against == "prod" and plan.removed == ()
    assert {item.model: (item.how, item.category) for item in plan.models} == {
        "shop.orders": ("directly modified", "breaking"),
        "reporting.customers": ("indirectly modified", "indirect breaking"),
    }
    assert database.read_bytes() == before


def test_a_newer_delivery_is_no_change_of_a_model(changed: Path) -> None:
    file = changed / "models/shop/internal/order_lines.sql"
    before, text = file.read_text(), (changed / ORDERS).read_text()
    (changed / ORDERS).write_text(text.replace("pieces + lines", "pieces * lines"))
    file.write_text(before.replace("kind VIEW", "kind VIEW, stamp 'delivery 2 of 2026-02-01'"))
    context = module("project").load_context(changed, None, read_only=True)
    plan = module("planning").plan_against_prod(context)
    context.close()
    file.write_text(before)
    (changed / ORDERS).write_text(text)
    assert {item.model: item.how for item in plan.models} == dict.fromkeys(
        ("shop_internal.order_lines", "shop.orders", "reporting.customers"), "newer delivery"
    )


def test_the_data_diff_counts_rows_and_shows_no_personal_column(changed: Path) -> None:
    context = module("project").load_context(changed, None, read_only=False)
    rows = module("rows")
    products, why = rows.environments_differ(context, "prod", "dev")
    assert (products, why) == (["reporting.customers", "shop.orders"], "")
    found = {d.product: d for d in rows.data_diff(context, "prod", "dev", products, PERSONAL)}
    context.close()
    orders = found["shop.orders"]
    assert (orders.before, orders.after, orders.added, orders.removed) == (3, 3, 0, 0)
    assert orders.changed == 3 and orders.match["amount"] == 0.0
    assert orders.match["channel"] == 100.0
    for diff in found.values():
        assert 0 < len(diff.samples) <= 5
        assert not any("customer" in key.lower() for sample in diff.samples for key in sample)


def test_of_products_without_rows_there_is_no_share_and_still_a_review(changed: Path) -> None:
    file = changed / "models/shop/internal/order_lines.sql"
    before, text = file.read_text(), (changed / ORDERS).read_text()
    file.write_text(f"{before.rstrip().rstrip(';')}\nWHERE\n  FALSE\n")
    project = module("project")
    for environment, operator in (("dev_full", "-"), ("dev_none", "+")):
        (changed / ORDERS).write_text(text.replace("pieces + lines", f"pieces {operator} lines"))
        context = project.load_context(changed, None, read_only=False)
        context.plan(environment, auto_apply=True, no_prompts=True, include_unmodified=True)
    found = module("rows").data_diff(context, "dev_full", "dev_none", ["shop.orders"], PERSONAL)
    context.close()
    file.write_text(before)
    (changed / ORDERS).write_text(text)
    assert [(d.problem, d.before, d.after, d.match) for d in found] == [("", 0, 0, {})]
    facts = module("facts")
    assert facts.from_json(facts.Models, facts.to_json(facts.Models(rows=found))).rows == found


def test_an_environment_that_is_missing_or_stale_gives_no_diff(changed: Path) -> None:
    rows = module("rows")
    context = module("project").load_context(changed, None, read_only=False)
    assert rows.environments_differ(context, "prod", "dev_anna")[1] == (
        "there is no environment dev_anna"
    )
    context.close()
    file = changed / ORDERS
    text = file.read_text()
    file.write_text(text.replace("pieces + lines", "pieces - lines"))
    context = module("project").load_context(changed, None, read_only=False)
    assert "was not planned with this change" in rows.environments_differ(context, "prod", "dev")[1]
    context.close()
    file.write_text(text)


def test_a_database_that_another_process_holds_does_not_stop_a_review(
    changed: Path, tmp_path: Path
) -> None:
    with duckdb.connect(str(changed / "data" / "mesh.duckdb")):
        base, head = load_both(Project(changed), Project(changed), {}, scratch=tmp_path)
    assert head.problem == "" and base.problem == ""
    assert any("the database cannot be opened" in note for note in head.notes)
    assert head.plan == Plan("base")


def test_a_product_that_is_new_is_in_the_plan_though_it_was_built_before(changed: Path) -> None:
    file = changed / "models/shop/counted.sql"
    file.write_text("MODEL (name shop.counted, kind VIEW); SELECT 1::INT64 AS n")
    context = module("project").load_context(changed, None, read_only=False)
    context.plan("dev", auto_apply=True, no_prompts=True, include_unmodified=True)
    plan = module("planning").plan_against_prod(context)
    context.close()
    file.unlink()
    assert {item.model: item.how for item in plan.models}["shop.counted"] == "added"
