"""A project whose tables lie in several DuckDB files: each is named where it is meant."""

from __future__ import annotations

from pathlib import Path

from stranger import PLAN, Stranger

from tests.project_copy import share_analyzer

CONFIG = """\
gateways:
  local:
    connection: {type: duckdb, catalogs: {erp: erp.duckdb, lake: lake.duckdb}}
model_defaults: {dialect: duckdb, start: '2024-01-01'}
"""
MODELS = {
    "erp.shop_internal.numbers": "SELECT 1::BIGINT AS id UNION ALL SELECT 2 UNION ALL SELECT 4",
    "erp.shop.odd": "SELECT id::BIGINT AS id FROM erp.shop_internal.numbers WHERE id % 2 = 1",
    "lake.shop.numbers": "SELECT id::BIGINT AS id FROM erp.shop_internal.numbers",
    "lake.shop.small": "SELECT id::BIGINT AS id FROM lake.shop.numbers WHERE id < 3",
}


def test_each_table_is_looked_for_in_its_own_catalog(tmp_path: Path) -> None:
    shop = Stranger(tmp_path)
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "models").mkdir()
    for name, query in MODELS.items():
        (tmp_path / "models" / f"{name}.sql").write_text(
            f"MODEL (name {name}, kind FULL, grain id);\n{query}\n"
        )
    share_analyzer(tmp_path)
    shop.run(*PLAN)
    shop.run("mesh", "init", "--yes")
    for name, file in (("odd", "erp"), ("numbers", "lake"), ("small", "lake")):
        shop.run("mesh", "contracts", "new", f"shop.{name}")
        shop.write_contracts()
        said = (tmp_path / "contracts" / "shop" / f"{name}.odcs.yaml").read_text()
        assert f"database: {file}.duckdb\n    schema: shop\n" in said
    assert "BigQuery takes them all" in shop.run("mesh", "contracts", "prove")
    assert "Writes to erp.duckdb, lake.duckdb." in shop.run("mesh", "refresh", "prod")
