"""What alone has other promises is shown when these were kept, however often it is planned."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from sqlmesh import Context
from sqlmesh.core.snapshot import SnapshotEvaluator
from sqlmesh.utils.errors import PlanError

from mesh.environments import hooks, open_project, rollback
from mesh.project import Project

CONFIG = """\
gateways:
  duckdb:
    connection: {type: duckdb, database: any.duckdb}
default_gateway: duckdb
model_defaults: {dialect: duckdb, start: 2024-01-01}
"""
MODEL = """\
MODEL (name shop.goods, kind FULL, cron '@daily', audits (at_most(most := MOST)));
SELECT price FROM shop.prices
"""
PRICES = """\
MODEL (name shop.prices, kind FULL, cron '@daily');
SELECT price::INT AS price FROM raw.goods
"""


class Shop:
    """A project of SQLMesh's own with one model, whose prices have to be at most so high."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("models", "audits"):
            (root / folder).mkdir(parents=True)
        (root / "config.yaml").write_text(CONFIG)
        audit = "AUDIT (name at_most);\nSELECT * FROM @this_model WHERE price > @most"
        (root / "audits" / "at_most.sql").write_text(audit)

    def price(self, price: int) -> None:
        with duckdb.connect(str(self.root / "any.duckdb")) as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS raw")
            connection.execute(f"CREATE OR REPLACE TABLE raw.goods AS SELECT {price} AS price")

    def plan(self, environment: str, most: int, *, more: str = "") -> None:
        """more: columns of what the model is built on."""
        prices = PRICES.replace(" FROM", f"{more} FROM")
        (self.root / "models" / "prices.sql").write_text(prices)
        (self.root / "models" / "goods.sql").write_text(MODEL.replace("MOST", str(most)))
        with closing(Context(paths=[str(self.root)])) as context:
            context.plan(environment, include_unmodified=True, auto_apply=True, no_prompts=True)

    def run(self, day: str) -> None:
        with closing(Context(paths=[str(self.root)])) as context:
            assert context.run("prod", execution_time=day, ignore_cron=True).is_success

    def shown(self) -> list[int]:
        with duckdb.connect(str(self.root / "any.duckdb"), read_only=True) as connection:
            return [
                price for (price,) in connection.execute("SELECT price FROM shop.goods").fetchall()
            ]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    hooks.install()
    shop = Shop(tmp_path / "shop")
    shop.price(7)
    shop.plan("prod", most=10)
    return shop


def test_a_plan_that_a_promise_stopped_is_stopped_again_in_every_environment(shop: Shop) -> None:
    for environment in ("dev", "dev", "prod", "prod"):
        with pytest.raises(PlanError):
            shop.plan(environment, most=5)
    shop.plan("prod", most=8)


def test_so_it_is_if_what_the_model_is_built_on_gets_a_column(shop: Shop) -> None:
    """SQLMesh keeps the table for a change of that kind, and asks nothing of it."""
    for _ in range(2):
        with pytest.raises(PlanError):
            shop.plan("prod", most=5, more=", 1 AS one")
    shop.plan("prod", most=8, more=", 1 AS one")


def dearer_under_a_looser_promise(shop: Shop) -> None:
    shop.plan("prod", most=8)
    shop.plan("prod", most=10)
    shop.price(9)
    shop.run("2100-01-01")


def test_rows_that_came_under_other_promises_are_held_to_those_of_before(shop: Shop) -> None:
    dearer_under_a_looser_promise(shop)
    with pytest.raises(PlanError):
        shop.plan("prod", most=8)


def test_what_another_environment_shows_is_not_audited_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.plan("dev", most=8)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("audited")

    monkeypatch.setattr(SnapshotEvaluator, "audit", never)
    shop.plan("prod", most=8)


def test_a_rollback_asks_no_promise_again(shop: Shop) -> None:
    dearer_under_a_looser_promise(shop)
    opened = open_project(Project(shop.root))
    rollback(opened, "prod")
    opened.close()
    assert shop.shown() == [9]
