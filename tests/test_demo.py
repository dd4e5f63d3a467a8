"""`mesh demo`: the newcomer's first minute."""

from __future__ import annotations

import shutil
from pathlib import Path
from unittest import mock

import duckdb
import pytest

from mesh.errors import WrongUse
from mesh.movielens.demo import demo
from mesh.movielens.generate import generate
from mesh.movielens.ingest import create_operational_tables_sql, ingest, undo
from mesh.project import DATABASE_VARIABLE, Project
from tests.deliveries import RATINGS, deliver
from tests.project_copy import FEW_DASHBOARDS, OF_GROUPS, OF_USERS, copy_project
from tests.review_projects import shop

CONTRACTS = Path(__file__).parent.parent / "contracts"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    copy = copy_project(folder / "project")
    copy.keep_few(*OF_USERS, *OF_GROUPS)
    shutil.copytree(FEW_DASHBOARDS, copy.root / "looker")
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
    # Old data is held to its own end, as it was when it was verified.
    assert " fresh, " in done.stdout and " late" not in done.stdout
    with duckdb.connect(str(copy.database), read_only=True) as connection:
        schemas = connection.execute(
            "SELECT table_schema FROM information_schema.tables WHERE table_name = 'user_actions'"
        ).fetchall()
        groups = connection.execute(
            "SELECT user_group, user_count FROM engagement.audience_groups "
            "WHERE membership = 'members' AND user_group <> 'all_users'"
        ).fetchall()
    # What a product holds back, since it would tell of too few, nobody else says.
    audience = done.stdout.split("Audience: 120 users")[1].partition("\n")[0]
    assert sorted(audience.strip(", ").split(", ")) == sorted(f"{n} {name}" for name, n in groups)
    before = copy.database.read_bytes()
    refused = copy.run("mesh", "demo")
    assert refused.returncode == 2
    assert " ".join(refused.stderr.split()).endswith(
        f" tags of {source} (generated), and a sample would take their place, in prod too. Name "
        "the files to show with `mesh demo --source` (`make demo SOURCE=…`), or let MESH_DUCKDB "
        "name another file for the sample."
    )
    assert copy.database.read_bytes() == before
    assert not (copy.root / "data" / "sample").exists()
    expected = {"interactions", *(f"interactions__{e}" for e in ("dev", "test", "acceptance"))}
    assert {schema for (schema,) in schemas} == expected


@pytest.mark.parametrize(
    ("deliveries", "refused"),
    [
        ("", False),
        ("sample", False),
        ("other", True),
        ("other sample", False),
        ("other sample +other", True),
        ("other sample +other undo", False),
        ("other undo", False),
    ],
)
def test_a_sample_takes_the_place_of_a_sample_and_of_nothing_else(tmp_path, deliveries, refused):
    project = Project(tmp_path)
    shutil.copytree(CONTRACTS / "operational", project.contracts / "operational")
    sources = {
        "sample": deliver(tmp_path / "data" / "sample"),
        "other": deliver(tmp_path / "other", ratings=RATINGS.replace("4.0", "3.0")),
    }
    for what in deliveries.split():
        if what == "undo":
            undo(database=project.database)
        else:
            ingest(sources[what.strip("+")], database=project.database, append="+" in what)
    with mock.patch("mesh.movielens.demo.generate", side_effect=InterruptedError):
        if not refused:
            with pytest.raises(InterruptedError):
                demo(project, None, say=print)
            return
        with pytest.raises(WrongUse, match=f"2 tags of {sources['other']}, and a sample would"):
            demo(project, None, say=print)


def test_a_sample_does_not_take_the_place_of_rows_that_no_delivery_brought(tmp_path):
    project = Project(tmp_path)
    project.database.parent.mkdir()
    with duckdb.connect(str(project.database)) as connection:
        for statement in create_operational_tables_sql("duckdb"):
            connection.execute(statement)
        connection.execute("INSERT INTO operational.movies VALUES (1, 'A', 'Drama')")
    with pytest.raises(WrongUse, match="the database holds 1 movies of no delivery, and a sample"):
        demo(project, None, say=print)


def test_a_source_that_is_not_there_is_said_in_one_sentence(project):
    copy, _ = project
    wrong = copy.run("mesh", "demo", "--source", "nowhere")
    assert wrong.returncode == 2
    assert "nowhere" in wrong.stderr and "Traceback" not in wrong.stderr


def test_another_project_is_refused_before_a_sample_is_written(tmp_path, monkeypatch):
    monkeypatch.delenv(DATABASE_VARIABLE, raising=False)
    root = shop(tmp_path / "shop")
    with pytest.raises(WrongUse, match=r"There is no contract for operational\.movies"):
        demo(Project(root), None, say=print)
    assert not (root / "data" / "sample").exists()
