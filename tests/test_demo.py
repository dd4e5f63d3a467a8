"""`mesh demo`: the newcomer's first minute."""

from __future__ import annotations

import shutil

import duckdb
import pytest

from mesh.movielens.generate import generate
from tests.project_copy import copy_project


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    copy = copy_project(folder / "project")
    shutil.copytree("looker", copy.root / "looker")
    generate(folder / "source", 120, seed=3)
    return copy, folder / "source"


def test_a_broken_promise_in_acceptance_stops_the_demo_before_prod_and_then_it_goes_through(
    project,
):
    copy, source = project
    contract = "contracts/operational/ratings.odcs.yaml"
    kept = "value: 50\n    unit: y\n    element: timestamp"
    copy.edit(contract, kept, kept.replace("50", "1"))
    stopped = copy.run("mesh", "demo", "--source", str(source))
    assert stopped.returncode == 1
    assert "acceptance breaks promises. 1 broken promise among" in stopped.stderr
    assert "operational.ratings" in stopped.stderr and "prod is as it was" in stopped.stderr
    assert "planned acceptance" in stopped.stdout and "promoted" not in stopped.stdout
    assert "Traceback" not in stopped.stderr

    copy.edit(contract, kept.replace("50", "1"), kept)
    done = copy.run("mesh", "demo", "--source", str(source))
    assert done.returncode == 0, done.stderr
    for line in (
        "nothing new to ingest",
        "promoted acceptance to prod: the same tables",
        "Audience: 120 users",
        "user_360.html",
        "sqlmesh ui",
    ):
        assert line in done.stdout
    with duckdb.connect(str(copy.database), read_only=True) as connection:
        schemas = connection.execute(
            "SELECT table_schema FROM information_schema.tables WHERE table_name = 'user_actions'"
        ).fetchall()
    expected = {"interactions", *(f"interactions__{e}" for e in ("dev", "test", "acceptance"))}
    assert {schema for (schema,) in schemas} == expected


def test_a_source_that_is_not_there_is_said_in_one_sentence(project):
    copy, _ = project
    wrong = copy.run("mesh", "demo", "--source", "nowhere")
    assert wrong.returncode == 2
    assert "nowhere" in wrong.stderr and "Traceback" not in wrong.stderr
