"""Models that this project does not have, and databases that older versions of it left."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest
from audience import epoch
from project_copy import ROOT, ProjectCopy, copy_project
from scene import Scene, Shown, begin, copied, scene_audience, shown
from scene_hands import deliver_late

from mesh.environments import plan, refresh
from mesh.errors import CheckFailed
from mesh.movielens.ingest import ingest

# The last state of the project in which a delivery was a watermark of a table.
WATERMARKS = "147c8a1"
MODELS = {
    "newest": (
        "FULL",
        "SELECT MAX(rated_on)::DATE AS rated_on FROM interactions_internal.rating_events "
        "WHERE rated_on >= '1995-01-01'::DATE",
    ),
    "aged": (
        "INCREMENTAL_BY_TIME_RANGE (time_column rated_on)",
        "SELECT daily.movie_id::INT64 AS movie_id, daily.rated_on::DATE AS rated_on, "
        "DATE_DIFF(newest.rated_on, daily.rated_on, DAY)::INT64 AS days "
        "FROM interactions_internal.movie_ratings_daily AS daily "
        "CROSS JOIN interactions_internal.newest AS newest "
        "WHERE daily.rated_on BETWEEN @start_date AND @end_date",
    ),
    "aged_twice": (
        "INCREMENTAL_BY_TIME_RANGE (time_column rated_on)",
        "SELECT movie_id::INT64 AS movie_id, rated_on::DATE AS rated_on, (days * 2)::INT64 AS days "
        "FROM interactions_internal.aged WHERE rated_on BETWEEN @start_date AND @end_date",
    ),
}


@pytest.fixture
def scene(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Scene:
    """Version A of the first delivery, in prod and acceptance, with all models."""
    return copied(begin(tmp_path_factory.getbasetemp() / "all", few=False), tmp_path)


def test_a_delivery_without_genres_is_refused_by_refresh_as_by_plan(scene: Scene) -> None:
    for movie, (title, _) in scene.audience.movies.items():
        scene.audience.movies[movie] = (title, "(no genres listed)")
    scene.deliver()
    before = shown(scene.database)
    with scene.project() as project, pytest.raises(CheckFailed, match="is as it was") as caught:
        refresh(project, "prod")
    assert "Rule some_have_genres: 1 failing" in str(caught.value)
    assert shown(scene.database) == before
    done = scene.command(
        "A", "sqlmesh", "plan", "prod", "--auto-apply", "--no-prompts", "--skip-tests"
    )
    assert done.returncode != 0
    assert shown(scene.database) == before


def test_no_month_is_carried_over_a_table_of_events_that_is_built_whole(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """Not even two incremental tables above it."""
    scene = copied(begin(tmp_path_factory.getbasetemp() / "few"), tmp_path)
    copy = copy_project(tmp_path / "project")
    copy.keep_few()
    for name, (kind, query) in MODELS.items():
        header = (
            f"MODEL (name interactions_internal.{name}, kind {kind}, description 'For a test.');"
        )
        copy.write(f"models/interactions/internal/{name}.sql", f"{header}\n\n{query}\n")
    scene.versions = {**scene.versions, "A": copy}
    with scene.project("A") as project:
        plan(project, "prod")
    scene.audience.rate(41, 1, epoch(2016, 12, 24))
    scene.deliver(append=True)
    with scene.project() as project:
        refresh(project, "prod")
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(f"ATTACH '{scene.database}' AS mesh (READ_ONLY)")
        connection.execute("USE mesh")
        wrong = connection.execute(
            "SELECT twice.* FROM interactions_internal.aged_twice AS twice "
            "WHERE days <> 2 * date_diff('day', rated_on, DATE '2016-12-24')"
        ).fetchall()
    assert wrong == []


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of the project as it was before a delivery was a version of the data."""
    root = tmp_path_factory.mktemp("older")
    archive = subprocess.run(
        ["git", "archive", WATERMARKS], cwd=ROOT, capture_output=True, check=False
    )
    if archive.returncode:
        pytest.skip(f"this clone does not reach back to {WATERMARKS}")
    subprocess.run(["tar", "-x", "-C", str(root)], input=archive.stdout, check=True)
    copy = ProjectCopy(root)
    ingest(scene_audience().deliver(root / "source"), database=copy.database)
    planned = copy.run(
        "sqlmesh", "plan", "prod", "--auto-apply", "--no-prompts", "--skip-tests", timeout=500
    )
    assert planned.returncode == 0, planned.stdout + planned.stderr
    return copy.database


@pytest.mark.parametrize("command", ["sqlmesh plan prod", "mesh refresh prod"])
def test_a_database_of_an_older_version_of_the_project_is_brought_up_to_date(
    scene: Scene, older: Path, tmp_path: Path, command: str
) -> None:
    database = Path(shutil.copy2(older, tmp_path / "mesh.duckdb"))
    begun = Scene(scene.versions, database, scene.fresh)
    begun.noted(1)
    before = shown(database)
    begun.shows["prod"] = Shown("A", 1)
    deliver_late(begun)
    if command == "sqlmesh plan prod":
        begun.sqlmesh_plan("prod", "A")
        begun.check()
        return
    done = begun.command("A", "mesh", "refresh", "prod")
    if done.returncode == 0:
        # It keeps the older models of the consumer; the producer's say the same as today's.
        after, fresh = shown(database)["prod"], begun.fresh.of("A", begun.audience)
        producer = [name for name in fresh if name.startswith("interactions.")]
        assert {name: after[name] for name in producer} == {name: fresh[name] for name in producer}
    else:
        assert "Traceback" not in done.stderr
        assert "sqlmesh plan prod" in done.stderr
        assert shown(database) == before


def test_a_promise_that_alone_was_edited_is_held_to_the_products_of_its_own_environment(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """Also where prod, which SQLMesh takes for those it does not name, has none."""
    scene = copied(begin(tmp_path_factory.getbasetemp() / "few"), tmp_path)
    with scene.project("A") as project:
        plan(project, "dev")
    with duckdb.connect(str(scene.database)) as connection:
        connection.execute("DROP VIEW interactions.movies_engagement_daily CASCADE")
    copy = copy_project(tmp_path / "project")
    copy.keep_few()
    contract = "contracts/interactions/movies_engagement.odcs.yaml"
    text = copy.read(contract)
    measure = "SUM(rating_count): SUM(rating_count)"
    assert measure in text
    copy.write(contract, text.replace(measure, "SUM(rating_count) + 1: SUM(rating_count)"))
    scene.versions = {**scene.versions, "A": copy}
    # SQLMesh has noted the version before its audit stopped it.
    for environment in ("dev", "dev", "prod"):
        with scene.project("A") as project, pytest.raises(CheckFailed) as caught:
            plan(project, environment)
        assert "months_are_those_of_the_days" in str(caught.value)
    copy.write(contract, text.replace(measure, "SUM(rating_count) + 1: SUM(rating_count) + 1"))
    with scene.project("A") as project:
        plan(project, "dev")
