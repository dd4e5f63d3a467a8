"""What becomes of environments when somebody changes their tables by hand, or holds them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from audience import epoch
from scene import Scene, begin, copied, shown
from scene_hands import DAILY, by_hand, deliver_late, physical
from sqlmesh.utils.errors import PlanError

from mesh.cli.status import findings
from mesh.environments import refresh, status
from mesh.errors import CheckFailed, WrongUse


@pytest.fixture
def scene(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Scene:
    """Version A of the first delivery, in prod and acceptance."""
    return copied(begin(tmp_path_factory.getbasetemp() / "few"), tmp_path)


# --- deliveries that nobody may see ---

CHANGED = (
    "INSERT INTO operational.changed_months SELECT DISTINCT 2, 'ratings', "
    "date_trunc('month', timestamp)::DATE FROM operational.ratings WHERE userId = 3"
)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE operational.ratings SET rating = 5.25 WHERE userId = 3",
            ("plan", "prod", "--auto-apply", "--no-prompts", "--skip-tests"),
        ),
        (
            "INSERT INTO operational.ratings FROM operational.ratings WHERE userId = 3; "
            "UPDATE operational.ingests SET ratings_rows = "
            "(SELECT COUNT(*) FROM operational.ratings)",
            ("run", "prod"),
        ),
    ],
    ids=["out_of_contract", "duplicate_of_the_grain"],
)
def test_broken_rows_change_nothing_of_prod(
    scene: Scene, statement: str, words: tuple[str, ...]
) -> None:
    """Not by a refresh, nor by a command of SQLMesh's."""
    by_hand(scene, statement, CHANGED)
    before = shown(scene.database)
    with scene.project() as project, pytest.raises(CheckFailed, match="is as it was"):
        refresh(project, "prod")
    assert shown(scene.database) == before
    done = scene.command("A", "sqlmesh", *words)
    assert done.returncode != 0
    assert shown(scene.database) == before


def test_what_nobody_delivered_reaches_no_environment_until_somebody_lets_it_in(
    scene: Scene,
) -> None:
    """An ingest counts the rows that it leaves; no rule knows how many there should be."""
    assert not scene.refresh("acceptance").changed
    movie = next(m for m in scene.audience.movies if (1, m) not in scene.audience.ratings)
    # In a month of which there was nothing.
    at = epoch(2017, 3, 4)
    scene.audience.ratings[1, movie] = (4.5, at)
    by_hand(
        scene,
        f"INSERT INTO operational.ratings VALUES (1, {movie}, 4.5, to_timestamp({at}))",
    )
    before = shown(scene.database)
    rows = len(scene.audience.ratings)
    what = f"{rows} rows found in ratings, which is not what delivery 1 left, and no delivery says"
    for words in (("sqlmesh", "plan", "prod", "--auto-apply", "--no-prompts", "--skip-tests"),
                  ("sqlmesh", "run", "prod"), ("mesh", "refresh", "prod")):  # fmt: skip
        done = scene.command("A", *words)
        said = " ".join((done.stdout + done.stderr).split())
        assert done.returncode == 1 and "Traceback" not in said
        assert f"{what} why" in said and "`mesh refresh prod --found` lets it in" in said, said
    assert shown(scene.database) == before
    with scene.project() as project:
        assert [found.mode for found in status(project, "prod").lacking] == ["found"]
        told, late = findings(status(project, "prod"))  # It is of years ago.
        assert "late, older than promised" in late
        assert "no delivery brought these rows. Deliver all of it again" in told
        done = refresh(project, "prod", take_found=True)
        assert done.changed and done.any_month
        said = status(project, "prod")
    assert (said.lacking, said.mixed) == ((), False)
    told, _ = findings(said)
    assert told.startswith("prod shows what somebody else changed after delivery ")
    assert f"({rows} rows found in ratings): no delivery brought these rows." in told
    assert shown(scene.database)["prod"] == scene.fresh.of("A", scene.audience)
    with scene.project() as project:
        assert not refresh(project, "prod").changed
        # It was let in: other environments take it without a word.
        assert refresh(project, "acceptance").changed


# --- what was removed by hand ---


def test_a_table_of_deliveries_that_is_gone_is_said_by_every_command(scene: Scene) -> None:
    before = shown(scene.database)
    by_hand(scene, "DROP TABLE operational.ratings")
    gone = "operational.ratings: this table of deliveries is gone, so nothing was done"
    with scene.project() as project:
        for ask in (status, refresh):
            with pytest.raises(WrongUse, match=gone):
                ask(project, "prod")
        with pytest.raises(PlanError, match=f"{gone}.*Deliver all of it again"):
            project.context.run("prod")
    with pytest.raises((PlanError, WrongUse), match=gone):
        scene.sqlmesh_plan("prod", "A")
    assert shown(scene.database) == before
    scene.deliver()
    scene.refresh("prod")
    assert shown(scene.database)["prod"] == before["prod"]


def test_what_was_dropped_by_hand_is_said_and_made_again_by_refresh(scene: Scene) -> None:
    for table in physical(scene, DAILY):
        by_hand(scene, f"DROP TABLE {table}")
    by_hand(scene, 'DROP VIEW "interactions"."movies_engagement"')
    with scene.project() as project:
        lost = status(project, "prod").lost
    assert {"interactions_internal.movie_ratings_daily", "interactions.movies_engagement"} <= set(
        lost
    )
    assert set(scene.refresh("prod").made_again) >= {"interactions.movies_engagement"}
    scene.check()


def test_what_was_dropped_by_hand_is_made_again_by_sqlmesh_plan(scene: Scene) -> None:
    for table in physical(scene, "movie_ratings_monthly"):
        by_hand(scene, f"DROP TABLE {table}")
    by_hand(scene, 'DROP SCHEMA "engagement" CASCADE')
    scene.sqlmesh_plan("prod", "A")
    scene.check()


def test_a_table_of_a_version_that_nobody_shows_was_dropped_by_hand(scene: Scene) -> None:
    here = set(physical(scene, DAILY))
    scene.plan("acceptance", "B")
    scene.plan("acceptance", "A")
    for table in set(physical(scene, DAILY)) - here:
        by_hand(scene, f"DROP TABLE {table}")
    scene.plan("acceptance", "B")
    scene.check()


def test_a_dropped_table_that_nobody_shows_is_no_source_of_months(scene: Scene) -> None:
    here = set(physical(scene, DAILY))
    scene.plan("acceptance", "B")
    scene.plan("acceptance", "A")
    for table in set(physical(scene, DAILY)) - here:
        by_hand(scene, f"DROP TABLE {table}")
    deliver_late(scene)
    scene.plan("acceptance", "B")
    scene.check()


def test_changed_months_that_are_lost_are_counted_as_all_months(scene: Scene) -> None:
    deliver_late(scene)
    by_hand(scene, "DELETE FROM operational.changed_months")
    scene.refresh("prod")
    scene.check()
    by_hand(scene, "DELETE FROM operational.changed_months")
    deliver_late(scene, user=2)
    scene.refresh("prod")
    scene.refresh("acceptance")
    scene.check()


def test_changed_months_are_lost_and_the_same_delivery_comes_again(scene: Scene) -> None:
    by_hand(scene, "DELETE FROM operational.changed_months")
    scene.deliver()
    scene.refresh("prod")
    scene.refresh("acceptance")
    scene.check()


# --- other processes, other projects ---

HOLDER = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    "words",
    [("mesh", "refresh", "prod"), ("mesh", "ingest", "SOURCE"), ("sqlmesh", "plan", "prod")],
    ids=" ".join,
)
def test_a_second_process_is_told_and_does_nothing(
    scene: Scene, tmp_path: Path, words: tuple[str, ...]
) -> None:
    source = scene.audience.deliver(tmp_path / "again")
    before = shown(scene.database)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(scene.database)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout and holder.stdout.readline() == "held\n"
        done = scene.command("A", *(str(source) if word == "SOURCE" else word for word in words))
    finally:
        holder.communicate()
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0
    assert f"the database is in use by process {holder.pid}" in said
    assert "Traceback" not in said
    assert shown(scene.database) == before


def test_a_refresh_and_an_ingest_at_once_do_nothing_wrong(scene: Scene, tmp_path: Path) -> None:
    deliver_late(scene)
    source = scene.audience.deliver(tmp_path / "again")
    environment = {**scene.versions["A"].environment, "MESH_DUCKDB": str(scene.database)}
    both = []
    for words in (("refresh", "prod"), ("ingest", str(source)), ("refresh", "acceptance")):
        process = subprocess.Popen(
            [sys.executable, "-m", "mesh.cli.main", *words],
            cwd=scene.versions["A"].root,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        both.append(process)
        time.sleep(0.5)
    said = [process.communicate(timeout=300) for process in both]
    for process, (_, errors) in zip(both, said, strict=True):
        assert "Traceback" not in errors
        held = any(words in errors for words in ("is in use by", "is writing to the database"))
        assert process.returncode == 0 or held, errors
    for (number,) in by_hand(scene, "SELECT ingest_id FROM operational.ingests"):
        scene.delivered.setdefault(number, scene.audience)
    scene.refresh("prod")
    scene.refresh("acceptance")
    scene.check()
