"""SQLMesh's own commands in a fresh clone, before anything was ingested and after."""

from __future__ import annotations

import json

from mesh.movielens.generate import generate
from tests.project_copy import ProjectCopy, copy_project


class Clone(ProjectCopy):
    """With the database where it is by default: in a folder that is not in git."""

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "MESH_DUCKDB": ""}


def test_a_plan_before_the_first_delivery_builds_empty_products_and_a_refresh_fills_them(tmp_path):
    copy = Clone(copy_project(tmp_path / "project").root)
    empty = copy.run("sqlmesh", "plan", "--auto-apply", "--no-prompts")
    assert empty.returncode == 0, empty.stdout
    assert (copy.root / "data" / "mesh.duckdb").is_file()

    generate(tmp_path / "source", 40, seed=5)
    assert copy.run("mesh", "ingest", str(tmp_path / "source")).returncode == 0
    refreshed = copy.run("mesh", "refresh", "dev")
    assert refreshed.returncode == 0, refreshed.stderr
    assert refreshed.stdout.startswith("dev shows delivery 1 now: ")

    (dev,) = json.loads(copy.run("mesh", "status", "dev", "--json").stdout)
    rows = {product["product"]: product["rows"] for product in dev["products"]}
    assert dev["environment"] == "dev" and rows["interactions.user_movie_ratings"] > 800
    assert rows["engagement.user_genre_preferences"] > 0
