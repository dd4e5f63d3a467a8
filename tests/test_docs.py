"""Pages under docs/ say what the project is."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesh.catalogue import data_model
from mesh.cli.main import app
from mesh.contracts import ContractInvalid
from mesh.environments import open_project
from tests.project_copy import PROJECT

MODEL = "MODEL (name shop.orders, kind FULL);\nSELECT 1::INT64 AS order_id\n"


def test_the_data_model_is_what_models_and_contracts_say(tmp_path, monkeypatch):
    monkeypatch.setenv("MESH_DUCKDB", str(tmp_path / "mesh.duckdb"))
    page = data_model.render(open_project(PROJECT))
    assert (PROJECT.docs / "data-model.md").read_text(encoding="utf-8") == page, "run `mesh docs`"
    assert "interactions__user_genre_ratings --> engagement__user_genre_preferences" in page


@pytest.mark.parametrize(
    ("levels", "says"),
    [
        ("levels: [\n  a: b\n", "review.yaml:3: The file is no YAML"),
        ("levels:\n  - {rule: NONE, level: info, reason: It is like that.}\n", "no rule `NONE`"),
    ],
)
def test_no_page_is_called_current_beside_levels_that_are_not_in_order(
    tmp_path: Path, levels: str, says: str
) -> None:
    """They say who owns the files, so owners that follow from them are not known either."""
    (tmp_path / "config.yaml").write_text(
        "model_defaults: {dialect: bigquery}\n"
        "gateways: {own: {connection: {type: duckdb, database: own.duckdb}}}\n"
    )
    for name, text in (("models/orders.sql", MODEL), ("contracts/review.yaml", levels)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    result = CliRunner().invoke(app, ["docs", "-p", str(tmp_path)])
    assert isinstance(result.exception, ContractInvalid), result.output
    assert says in str(result.exception)
    assert (tmp_path / "contracts" / "review.yaml").read_text() == levels
    assert not (tmp_path / "docs").exists()
