"""Many tables under one name, as Google's exports of each day: read, and under no contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stranger import Stranger

FILES = {
    "external_models.yaml": '- name: \'"exports"."events_*"\'\n  columns: {name: STRING}\n',
    "models/inside.sql": (
        "MODEL (name shop_internal.events, kind VIEW, dialect bigquery);\n"
        "SELECT name::STRING AS name FROM `exports.events_*`\n"
    ),
}
# Written once the project is set up: until then its rules leave alone what is there.
PRODUCT = (
    "MODEL (name shop.events, kind VIEW, dialect bigquery);\n"
    "SELECT name::STRING AS name FROM `exports.events_*`\n"
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    made = Stranger(tmp_path_factory.mktemp("exports"))
    made.run("sqlmesh", "init", "duckdb", "-t", "empty")
    for path, text in FILES.items():
        file: Path = made.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    made.run("mesh", "init", "--yes")
    return made


def test_no_contract_of_many_tables_is_drafted(shop: Stranger) -> None:
    said = " ".join(shop.run("mesh", "contracts", "new", "exports.events_*", fails=2).split())
    assert (
        "exports.events_* is many tables under one name, and a contract is of one. Let a model of "
        "exports_internal read them, and draft the contract of a model that is made of it." in said
    )
    assert not list(shop.root.glob("contracts/exports/*"))


def test_internal_models_read_many_tables_and_products_read_those_models(shop: Stranger) -> None:
    (shop.root / "models" / "outside.sql").write_text(PRODUCT)
    shop.edit("config.yaml", r".*- '?exports\.events_\*'?\n", "")
    said = " ".join(shop.run("sqlmesh", "lint", fails=1).split())
    assert (
        "shop.events: reads exports.events_*, tables of a source: put a model of shop_internal "
        "between." in said
    )
    assert "shop_internal.events: reads" not in said
