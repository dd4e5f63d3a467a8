"""The key that a draft takes from a query that groups: of a table, not of one run of the query."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.stranger import PLAN, Stranger

CONFIG = """\
gateways:
  local:
    connection: {type: duckdb, database: shop.db}
model_defaults: {dialect: duckdb, start: '2024-01-01', cron: '@daily'}
"""
DAYS, PEOPLE, FEW = 5, 40, 7
# Each is there on each day, so that a run of some days has one row of each, and five have five.
EVENTS = f"""\
SELECT id::BIGINT AS id, DATE '2024-01-01' + day::INT AS ds, 'a' AS code
FROM RANGE(1, {PEOPLE + 1}) AS people(id) CROSS JOIN RANGE({DAYS}) AS days(day)"""
NEWEST = "SELECT id, MAX(ds)::DATE AS ds, COUNT(*)::BIGINT AS visits FROM shop_internal.events"
OF_DAYS = f"{NEWEST} WHERE ds BETWEEN @start_date AND @end_date AND id <= {{}} GROUP BY id"
BY_TIME = "INCREMENTAL_BY_TIME_RANGE (time_column ds{})"
BY_DAY = BY_TIME.format(", batch_size 1")
UNTIL = f"start '2024-01-01', end '2024-01-0{DAYS}'"
BUILT = {
    "few": (f"{BY_DAY}, {UNTIL}", OF_DAYS.format(FEW)),
    "whole": ("FULL", f"{NEWEST} GROUP BY id"),
    "wrong": ("VIEW, grain ds", "SELECT id, ds FROM shop_internal.events"),
    "half": (
        "VIEW, grain half",
        "SELECT id, ds, NULLIF(id * 10 + DAY(ds), 11) AS half FROM shop_internal.events",
    ),
    "changed": ("FULL", "SELECT id, ds, 1::BIGINT AS visits FROM shop_internal.events"),
}
UNBUILT = {
    "many": (f"{BY_DAY}, {UNTIL}", OF_DAYS.format(PEOPLE)),
    "per_day": (
        f"{BY_TIME.format('')}, {UNTIL}",
        f"{OF_DAYS.format(PEOPLE)}, ds".replace("MAX(ds)::DATE", "ds"),
    ),
    "by_part": ("INCREMENTAL_BY_PARTITION, partitioned_by ds", f"{NEWEST} GROUP BY id"),
    "added": ("INCREMENTAL_UNMANAGED", f"{NEWEST} GROUP BY id"),
    "seen": ("VIEW", f"{NEWEST} GROUP BY id"),
    "placed": ("VIEW", f"{NEWEST} GROUP BY 1, 2".replace("MAX(ds)", "ds")),
    "kept": (
        "SCD_TYPE_2_BY_COLUMN (unique_key id, columns [visits], valid_from_name since), grain id",
        f"{NEWEST} GROUP BY id",
    ),
}
KEYS = {
    "few": ["id", "ds"],
    "whole": ["id"],
    "changed": ["id", "ds"],
    "many": ["id", "ds"],
    "per_day": ["id", "ds"],
    "by_part": ["id", "ds"],
    "added": [],
    "seen": ["id"],
    "placed": ["id", "ds"],
    "kept": ["id", "since"],
    "wrong": ["id", "ds"],
    "half": ["id", "ds"],
}


class Shop(Stranger):
    """said: what was told of the drafts."""

    said: str


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = Shop(tmp_path_factory.mktemp("keys"))
    (made.root / "config.yaml").write_text(CONFIG)
    model(made, "shop_internal.events", "FULL", EVENTS)
    for name, (kind, query) in BUILT.items():
        model(made, f"shop.{name}", kind, query)
    made.run(*PLAN)
    made.run("mesh", "init", "--yes")
    for name, (kind, query) in UNBUILT.items():
        model(made, f"shop.{name}", kind, query)
    # Its rows are still those that it had before it grouped them.
    model(made, "shop.changed", *BUILT["whole"])
    made.said = made.run("mesh", "contracts", "new", *(f"shop.{name}" for name in KEYS))
    return made


def model(shop: Shop, name: str, kind: str, query: str) -> None:
    path: Path = shop.root / "models" / f"{name}.sql"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"MODEL (name {name}, kind {kind});\n{query}\n")


def draft(shop: Shop, product: str) -> str:
    return (shop.root / "contracts" / "shop" / f"{product}.odcs.yaml").read_text()


@pytest.mark.parametrize("product", KEYS)
def test_a_key_is_one_of_all_runs_of_a_query(shop: Shop, product: str) -> None:
    columns = yaml.safe_load(draft(shop, product))["schema"][0]["properties"]
    keys = {c["name"]: c["primaryKeyPosition"] for c in columns if c.get("primaryKey")}
    assert sorted(keys, key=keys.__getitem__) == KEYS[product]


def test_no_single_column_is_said_to_be_the_key_of_rows_that_repeat_it(shop: Shop) -> None:
    text = draft(shop, "few")
    assert text.startswith(f"# Drafted from {DAYS * FEW} rows.")
    assert f"# - ds: primaryKey, required, minimum on {DAYS * FEW} values" in text


def test_a_key_that_the_model_states_and_rows_disprove_is_told(shop: Shop) -> None:
    rows = DAYS * PEOPLE
    assert (
        f"Its key in the MODEL block, ds, does not tell {rows} rows apart: {rows - DAYS} repeat "
        "another's. The key was looked for in the rows; correct the model, or the rows."
    ) in shop.said
    assert f"Its key in the MODEL block, half, is empty in 1 of {rows} rows." in shop.said
    assert shop.said.count("Its key in the MODEL block") == 2
