"""Pages under docs/ say what the project is."""

from __future__ import annotations

from mesh.catalogue import data_model
from mesh.environments import open_project
from tests.project_copy import PROJECT


def test_the_data_model_is_what_models_and_contracts_say(tmp_path, monkeypatch):
    monkeypatch.setenv("MESH_DUCKDB", str(tmp_path / "mesh.duckdb"))
    page = data_model.render(open_project(PROJECT))
    assert (PROJECT.docs / "data-model.md").read_text(encoding="utf-8") == page, "run `mesh docs`"
    assert "interactions__user_genre_ratings --> engagement__user_genre_preferences" in page
