"""What lint advises can be done as it is written: pasted into a model, the project loads and keeps.

Two domains have a product of one name, one model has audits of its own, and nothing is under
contract yet.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from tests.stranger import PLAN, Stranger

MODELS = {
    "raw/orders": (
        "MODEL (name raw.orders, kind FULL, grain id);\nSELECT 1::BIGINT AS id, 5::BIGINT AS paid"
    ),
    "shop/orders": (
        "MODEL (\n  name shop.orders,\n  kind FULL,\n  grain id,\n"
        "  audits (positive(field := paid, least := 1), not_null(columns := (id, paid)))\n);\n"
        "SELECT id::BIGINT AS id, paid::BIGINT AS paid FROM raw.orders"
    ),
}
POSITIVE = "AUDIT (name positive);\nSELECT * FROM @this_model WHERE @field < @least\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    made = Stranger(tmp_path_factory.mktemp("advice"))
    made.run("sqlmesh", "init", "duckdb", "-t", "empty")
    for path, text in MODELS.items():
        write(made, f"models/{path}.sql", text)
    write(made, "audits/positive.sql", POSITIVE)
    made.run("sqlmesh", "plan", "--auto-apply", "--no-prompts")
    made.run("mesh", "init", "--yes")
    made.run("mesh", "contracts", "new", "raw.orders", "shop.orders")
    made.write_contracts()
    return made


def write(stranger: Stranger, path: str, text: str) -> None:
    file: Path = stranger.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_the_contract_that_is_advised_loads_and_keeps_the_arguments_of_audits(
    shop: Stranger,
) -> None:
    said = shop.run("sqlmesh", "lint", fails=1)
    found = re.findall(r"write (@contract\(.*?\)) into the MODEL block", said)
    audits = "positive(field := paid, least := 1), not_null(columns := (id, paid))"
    assert sorted(found) == ["@contract(raw.orders)", f"@contract(shop.orders, {audits})"]
    assert f"in the place of its audits ({audits})" in said
    shop.edit("models/raw/orders.sql", "grain id", "@contract(raw.orders)")
    shop.edit("models/shop/orders.sql", r"  grain id,\n", "")
    shop.edit("models/shop/orders.sql", r"audits .*\n", f"@contract(shop.orders, {audits})\n")
    assert "publicmodelneedscontract" not in shop.run("sqlmesh", "lint")
    shop.run(*PLAN)
    shop.edit("audits/positive.sql", "< @least", "< 10 * @least")
    said = shop.run(*PLAN, fails=1)
    assert "positive" in said
    shop.edit("audits/positive.sql", r"< 10 \* @least", "< @least")


def test_a_unit_test_that_is_missing_is_drafted_alone(shop: Stranger) -> None:
    said = shop.run("sqlmesh", "lint")
    assert "awkward rows; `mesh contracts new shop.orders` drafts it." in said
    contract = shop.root / "contracts" / "shop" / "orders.odcs.yaml"
    before = contract.read_text()
    said = shop.run("mesh", "contracts", "new", "shop.orders")
    assert "orders.odcs.yaml is there already, and stays; there was no unit test." in said
    assert "tests/shop/test_orders.yaml: drafted from rows of its inputs" in said
    assert "places are left" not in said and contract.read_text() == before
    assert "shop.orders: a public model without a unit test" not in shop.run("sqlmesh", "lint")
    said = shop.run("mesh", "contracts", "new", "shop.orders", fails=2)
    assert "shop.orders has a contract already." in said
    # Of a model that reads nothing none can be drafted.
    said = shop.run("mesh", "contracts", "new", "raw.orders", fails=2)
    assert "no rows to draft a unit test from. Plan what it reads, or write" in said


def test_a_name_of_another_domain_than_the_folder_is_told(shop: Stranger) -> None:
    text = "MODEL (name {}.buyers, kind FULL, grain id);\nSELECT id::BIGINT AS id FROM shop.orders"
    file = shop.root / "models" / "shop" / "buyers.sql"
    slip = "in the folder of the domain shop: if it is one of its models, call it shop.buyers"
    file.write_text(text.format("market"))
    assert f"market.buyers lies {slip}" in shop.run("mesh", "contracts", "new", "market.buyers")
    (shop.root / "contracts" / "market").rename(shop.root / "contracts" / "held")
    assert f"It lies {slip}." in shop.run("sqlmesh", "lint", fails=1)
    # With the contract of the domain whose folder it is.
    draft = (shop.root / "contracts" / "held" / "buyers.odcs.yaml").read_text()
    write(shop, "contracts/shop/buyers.odcs.yaml", draft.replace("market", "shop"))
    shop.run("rm", "-r", "contracts/held")
    shop.write_contracts()
    said = shop.run("sqlmesh", "lint", fails=1)
    assert "models/shop/buyers.sql is called market.buyers: call it shop.buyers, or move" in said
    assert f"Linter **errors** for `{file}`" in said
    assert "write models/shop/buyers.sql" not in said
    (shop.root / "contracts" / "shop" / "buyers.odcs.yaml").unlink()
    file.unlink()
    # In a folder of no domain a new domain alone is told.
    write(shop, "models/marts/buyers.sql", text.format("shopp"))
    said = shop.run("mesh", "contracts", "new", "shopp.buyers")
    assert "shopp is a new domain. If it should be none: Did you mean `shop`?" in said
    shop.run("rm", "-r", "models/marts", "contracts/shopp", "tests/shopp")


SOURCE = """\
- name: scada.readings
  columns: {meter: BIGINT, kwh: DOUBLE, flags: 'TEXT[]', place: 'STRUCT(lat DOUBLE, lon DOUBLE)'}
"""
READ = "MODEL (name {}, kind FULL);\nSELECT meter::BIGINT AS meter, {} FROM scada.readings"


def test_a_source_with_lists_and_records_is_read_through_its_owner(shop: Stranger) -> None:
    with duckdb.connect(str(shop.root / "db.db")) as connection:
        connection.execute(
            "CREATE SCHEMA scada; CREATE TABLE scada.readings AS SELECT range::BIGINT AS meter, "
            "range / 2 AS kwh, ['ok'] AS flags, {'lat': 0.5, 'lon': 1.5} AS place FROM range(40)"
        )
    write(shop, "external_models.yaml", SOURCE)
    place = "place.lat::DOUBLE AS lat"
    write(shop, "models/meters/internal/readings.sql", READ.format("meters_internal.mine", place))
    said = shop.run("sqlmesh", "lint", fails=1)
    assert "write as its `team: name:` the domain that owns the table." in said
    said = shop.run("mesh", "contracts", "new", "scada.readings")
    assert "Left out: flags (TEXT[]), place (STRUCT(lat DOUBLE, lon DOUBLE)), since no" in said
    assert "may still cast them, or take lists and records apart." in said
    shop.write_contracts()
    said = shop.run("sqlmesh", "lint", fails=1)
    assert "that the domain scada owns (contracts/scada/readings.odcs.yaml:" in said
    assert "only models of scada_internal read the source." in said
    shop.edit("contracts/scada/readings.odcs.yaml", r"(team:\s+name: )scada", r"\1meters")
    shop.run("sqlmesh", "lint")
    shop.run(*PLAN)
    shop.run("mesh", "contracts", "verify", "prod", "scada.readings")
    # What a contract can state it has to.
    with duckdb.connect(str(shop.root / "db.db")) as connection:
        connection.execute("ALTER TABLE scada.readings ADD COLUMN unit TEXT")
    said = shop.run("mesh", "contracts", "verify", "prod", "scada.readings", fails=1)
    assert "unit (VARCHAR) is not in the contract" in said and "flags" not in said
    write(shop, "models/meters/all.sql", READ.format("meters.every", "kwh::DOUBLE AS kwh"))
    said = shop.run("sqlmesh", "lint", fails=1)
    assert "meters.every: reads scada.readings, a table of the source: put a model" in said
    assert "meters_internal.readings between" in said
