"""SQLMesh's own commands in a fresh clone, before anything was ingested and after."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mesh.movielens.generate import generate
from tests.project_copy import OF_USERS, ProjectCopy, copy_project

PLAN = ("plan", "--auto-apply", "--no-prompts")


class Clone(ProjectCopy):
    """With the database where it is by default, in a folder that is not in git, and run from a
    folder beside it, as cron does."""

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "MESH_DUCKDB": ""}

    @property
    def elsewhere(self) -> Path:
        return self.root.parent / "elsewhere"

    def call(self, *command: str) -> subprocess.CompletedProcess[str]:
        program = Path(sys.executable).parent / command[0]
        return subprocess.run(
            [str(program), *command[1:]],
            cwd=self.elsewhere,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
        )


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(copy_project(tmp_path / 'Anna\'s "own" project', loaded=False).root)
    made.keep_few(*OF_USERS, "user_genre_preferences")
    (made.elsewhere / "data").mkdir(parents=True)
    return made


def test_a_plan_on_nothing_stops_and_one_after_a_delivery_fills_the_projects_own_database(
    clone: Clone,
) -> None:
    project = ("-p", str(clone.root))
    empty = clone.call("sqlmesh", *project, *PLAN)
    assert empty.returncode == 1, empty.stdout
    said = " ".join((empty.stdout + empty.stderr).split())
    assert f"Plans dev in {clone.root}/data/mesh.duckdb." in said
    assert (
        f"{clone.root}/data/mesh.duckdb: operational.movies, operational.ratings, "
        "operational.tags are not there, so there is nothing to build. If this is not the "
        "database that you mean, let MESH_DUCKDB name it; otherwise deliver something first, "
        "with `mesh ingest`"
    ) in said

    generate(clone.elsewhere / "source", 40, seed=5)
    ingested = clone.call("mesh", "ingest", "source", *project)
    assert ingested.returncode == 0, ingested.stderr
    assert ingested.stderr.startswith(f"Writes to {clone.root}/data/mesh.duckdb.\n")
    planned = clone.call("sqlmesh", *project, *PLAN)
    assert planned.returncode == 0, planned.stdout

    (dev,) = json.loads(clone.call("mesh", "status", "dev", "--json", *project).stdout)
    rows = {product["product"]: product["rows"] for product in dev["products"]}
    assert dev["environment"] == "dev" and rows["interactions.user_movie_ratings"] > 800
    assert rows["engagement.user_genre_preferences"] > 0
    assert not list((clone.elsewhere / "data").iterdir())
