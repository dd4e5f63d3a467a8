"""Contracts of sources that are drafted: what DuckDB keeps is read from the table that is there."""

from __future__ import annotations

from pathlib import Path

import duckdb
import yaml
from stranger import Stranger

CONFIG = """\
gateways:
  local: {connection: {type: duckdb, database: shop.db}}
default_gateway: local
model_defaults: {dialect: bigquery, start: '2024-01-01'}
"""
SOURCES = """\
- name: raw.sales
  columns: {id: INT64, price: NUMERIC, paid: NUMERIC}
"""


def test_a_source_is_as_wide_as_its_table(tmp_path: Path) -> None:
    """NUMERIC alone is DECIMAL(18, 3) on DuckDB; no environment is needed to see what is there."""
    shop = Stranger(tmp_path)
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "external_models.yaml").write_text(SOURCES)
    with duckdb.connect(str(tmp_path / "shop.db")) as database:
        database.execute(
            "CREATE SCHEMA raw; CREATE TABLE raw.sales "
            "(id BIGINT, price DECIMAL(38, 9), paid DECIMAL(12, 2))"
        )
    shop.run("mesh", "init", "--yes")
    shop.run("mesh", "contracts", "new", "raw.sales")
    text = (tmp_path / "contracts" / "raw" / "sales.odcs.yaml").read_text()
    columns = {one["name"]: one for one in yaml.safe_load(text)["schema"][0]["properties"]}
    assert {name: one["physicalType"] for name, one in columns.items()} == {
        "id": "INT64", "price": "NUMERIC", "paid": "NUMERIC"
    }  # fmt: skip
    assert "customProperties" not in columns["price"]
    narrower = [{"property": "duckdbType", "value": "DECIMAL(12, 2)"}]
    assert columns["paid"]["customProperties"] == narrower
