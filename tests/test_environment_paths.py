"""Ways through versions, deliveries and environments that went wrong once, or nearly."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from project_copy import ProjectCopy
from scene import DAYS, Scene, Shown, begin, clock, copied, shown
from scene_hands import DAILY, by_hand, deliver_late, physical, unchanged
from sqlmesh.utils.errors import PlanError

from mesh.environments import promote, rollback, status
from mesh.errors import CheckFailed, WrongUse
from mesh.verify import verify


@pytest.fixture
def scene(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Scene:
    """Version A of the first delivery, in prod and acceptance."""
    return copied(begin(tmp_path_factory.getbasetemp() / "few"), tmp_path)


# --- versions that missed a delivery ---


def test_a_version_that_missed_a_delivery_is_planned_with_it(scene: Scene) -> None:
    scene.sqlmesh_plan("prod", "B")
    deliver_late(scene)
    scene.refresh("prod")
    scene.sqlmesh_plan("prod", "A")
    scene.check()
    deliver_late(scene, user=2)
    scene.refresh("prod")
    scene.check()


def test_a_version_that_was_nowhere_while_a_delivery_arrived_is_promoted_with_it(
    scene: Scene,
) -> None:
    scene.plan("acceptance", "C")
    scene.plan("acceptance", "A")
    deliver_late(scene)
    scene.refresh("prod")
    scene.sqlmesh_plan("acceptance", "C")
    scene.promote("acceptance", "prod")
    scene.check()
    deliver_late(scene, user=2)
    scene.refresh("prod")
    scene.check()


def test_a_non_breaking_change_is_planned_after_another_environment_had_the_delivery(
    scene: Scene,
) -> None:
    """What is built on the changed model must not keep its table of the delivery before."""
    deliver_late(scene)
    scene.refresh("acceptance")
    scene.plan("prod", "C")
    scene.check()


def test_a_non_breaking_change_shares_tables_and_loses_none(scene: Scene) -> None:
    """What is built on the changed model reads the table that the environment before reads."""
    scene.plan("acceptance", "C")
    scene.check()
    assert not scene.refresh("prod").changed
    scene.plan("prod", "A")
    deliver_late(scene)
    scene.refresh("acceptance")
    scene.check()
    # Carried over but for the two months.
    assert scene.refresh("prod").made_again == ()
    scene.check()


def test_a_version_is_merged_after_late_data_reached_prod(scene: Scene) -> None:
    scene.plan("acceptance", "B")
    scene.plan("acceptance", "A")
    deliver_late(scene)
    scene.refresh("prod")
    scene.sqlmesh_plan("prod", "B")
    scene.check()


def test_a_forward_only_plan_does_not_write_a_delivery_into_tables_that_others_show(
    scene: Scene,
) -> None:
    deliver_late(scene)
    before = shown(scene.database)
    done = scene.command(
        "B", "sqlmesh", "plan", "prod", "--auto-apply", "--no-prompts", "--skip-tests",
        "--forward-only",
    )  # fmt: skip
    assert done.returncode != 0
    assert "would keep tables of another delivery" in " ".join((done.stdout + done.stderr).split())
    assert shown(scene.database) == before


# --- SQLMesh's own commands ---


def test_sqlmesh_run_brings_one_environment_to_the_delivery(scene: Scene) -> None:
    deliver_late(scene)
    before = shown(scene.database)["prod"]
    done = scene.command("A", "sqlmesh", "run", "acceptance")
    assert done.returncode == 0, done.stdout + done.stderr
    scene.now_shows("acceptance", "A")
    scene.check()
    assert shown(scene.database)["prod"] == before


def test_sqlmesh_plan_says_which_months_need_a_backfill(scene: Scene) -> None:
    deliver_late(scene)
    said = scene.said_by_sqlmesh_plan("acceptance", "A")
    # SQLMesh shortens a long list to its ends.
    needed = said.split("Models needing backfill:")[1].split("[1/")[0]
    months = "[1997-02-01 - 1997-02-28, 2016-05-01 - 2016-05-31]"
    assert f"movie_ratings_monthly`: {months}" in needed, said
    assert set(re.findall(r"\[\d[^]]*\]", needed)) == {months}
    scene.check()


def test_the_calendar_moves_on_and_a_run_comes_before_the_refresh(scene: Scene) -> None:
    deliver_late(scene)
    with clock(days=40):
        scene.run("prod", "A")
        scene.check()
        scene.refresh("prod")
        scene.check()


@pytest.mark.parametrize("outstanding", [False, True])
def test_a_restatement_of_what_prod_shows_is_refused(scene: Scene, *, outstanding: bool) -> None:
    """It would be shown before the audits have seen it."""
    if outstanding:
        deliver_late(scene)
    unseen = by_hand(
        scene, "UPDATE operational.ratings SET rating = 5.0", f"FROM {physical(scene, DAILY)[0]}"
    )
    with pytest.raises(PlanError, match="built beside them by `mesh refresh prod`"):
        scene.sqlmesh_plan("prod", "A", "interactions_internal.rating_events")
    assert by_hand(scene, f"FROM {physical(scene, DAILY)[0]}") == unseen
    unchanged(scene)


@pytest.mark.parametrize(
    ("environment", "flag", "advice"),
    [
        ("dev", "empty_backfill", "`sqlmesh plan dev` without it builds them"),
        ("prod", "empty_backfill", "`sqlmesh plan prod` without it builds them"),
        ("prod", "skip_backfill", "without it builds and audits them first"),
        ("PROD", "skip_backfill", "`sqlmesh plan dev --skip-backfill`"),
    ],
)
def test_no_flag_lets_an_environment_call_empty_tables_up_to_date(
    scene: Scene, environment: str, flag: str, advice: str
) -> None:
    """Nor does prod show what no audit has seen."""
    before = shown(scene.database)
    words = f"--{flag.replace('_', '-')} would"
    with scene.project("B") as project, pytest.raises(PlanError, match=words) as refused:
        project.context.plan(environment, auto_apply=True, no_prompts=True, **{flag: True})
    assert advice in str(refused.value) and "nothing was done" in str(refused.value)
    assert shown(scene.database) == before
    scene.plan("prod", "B")
    scene.check()


def test_what_a_plan_did_not_build_is_told_and_promoted_nowhere(scene: Scene) -> None:
    """A change can be looked at before its rows are there, but not in prod."""
    with scene.project("B") as project:
        project.context.plan(
            "dev", auto_apply=True, no_prompts=True, skip_tests=True, skip_backfill=True
        )
        said = status(project, "dev")
        assert f"interactions_internal.{DAILY}" in said.unbuilt
        assert "interactions.movies_engagement" in said.unbuilt
        with pytest.raises(CheckFailed, match="Build them: `mesh refresh dev`"):
            promote(project, "dev", "prod")
    unchanged(scene)
    scene.shows["dev"] = Shown("B", 1)
    scene.refresh("dev")
    scene.check()


def test_promotion_shows_exactly_what_the_other_environment_shows(scene: Scene) -> None:
    deliver_late(scene)
    before = shown(scene.database)["prod"]
    scene.refresh("acceptance")
    after = shown(scene.database)
    assert after["prod"] == before
    assert after["acceptance"] != before
    assert scene.promote("acceptance", "prod").models == ()
    assert shown(scene.database)["prod"] == after["acceptance"]
    scene.check()


# --- months and clocks ---


def test_the_month_under_way_survives_a_change_of_a_model(scene: Scene) -> None:
    now = int(datetime.now(UTC).timestamp()) - 120
    scene.audience.rate(40, 1, now)
    scene.deliver(append=True)
    scene.refresh("prod")
    scene.audience.rate(40, 2, now + 30)
    scene.deliver(append=True)
    scene.refresh("prod")
    scene.check()
    scene.sqlmesh_plan("prod", "B")
    scene.check()


@pytest.mark.parametrize("behind", [{"days": -1}, {"minutes": -5}], ids=["a_day", "five_minutes"])
def test_a_clock_that_is_behind_keeps_no_delivery_out(scene: Scene, behind: dict) -> None:
    deliver_late(scene)
    with clock(**behind):
        assert scene.refresh("prod").changed
        scene.check()
    deliver_late(scene, user=2)
    with clock(**behind):
        scene.plan("prod", "A")
        scene.run("acceptance", "A")
        scene.check()


# --- the way back ---


def test_a_second_rollback_goes_forward_again(scene: Scene) -> None:
    deliver_late(scene)
    scene.plan("prod", "B")
    scene.rollback("prod")
    scene.check()
    assert scene.shows["prod"].version == "A"
    scene.rollback("prod")
    scene.check()
    assert scene.shows["prod"].version == "B"


def test_a_rollback_when_nothing_was_delivered_in_a_new_month(scene: Scene) -> None:
    """A refresh that has nothing to show is no state to go back to."""
    scene.plan("prod", "B")
    with clock(days=40):
        scene.refresh("prod")
        scene.plan("prod", "B")
        scene.rollback("prod")
        scene.check()
    assert scene.shows["prod"].version == "A"


def test_a_rollback_without_a_plan_before_says_so(scene: Scene) -> None:
    with scene.project() as project, pytest.raises(WrongUse) as caught:
        rollback(project, "prod")
    assert "prod was planned once, so there is nothing to go back to" in str(caught.value)
    unchanged(scene)


def test_a_rollback_to_tables_that_the_janitor_removed_says_so(scene: Scene) -> None:
    scene.plan("acceptance", "B")
    scene.plan("prod", "B")
    with clock(days=9), scene.project() as project:
        project.context.run_janitor(ignore_ttl=False)
    with scene.project() as project, pytest.raises(WrongUse) as caught:
        rollback(project, "prod")
    assert "the tables that prod showed before are gone" in str(caught.value)
    scene.check()


# --- plans that stop, or leave months out ---


def test_a_broken_promise_stops_a_plan_in_which_something_else_got_a_column(
    scene: Scene, tmp_path: Path
) -> None:
    """Views on it are built anew beside those of prod: they have all rows, so all is asked."""
    copy = ProjectCopy(Path(shutil.copytree(scene.versions["C"].root, tmp_path / "C")))
    scene.versions = {**scene.versions, "C": copy}
    copy.edit(DAYS, "mustBeBetween: [1, 1000000000]", "mustBeBetween: [1, 5]")
    for environment in ("dev", "acceptance", "dev"):
        with pytest.raises(CheckFailed, match=r"movies_engagement_daily .*Rule row_count"):
            scene.plan(environment, "C")
    scene.check()


def plan_some_months(scene: Scene) -> None:
    with scene.project("C") as project:
        project.context.plan(
            "dev", start="2016-05-01", auto_apply=True, no_prompts=True, skip_tests=True
        )
    scene.shows["dev"] = Shown("C", scene.newest)


def test_a_non_breaking_change_is_planned_after_a_plan_of_some_months(scene: Scene) -> None:
    """SQLMesh builds views on the changed model while prod changes: they share prod's tables."""
    plan_some_months(scene)
    scene.sqlmesh_plan("prod", "C")
    scene.refresh("dev")
    scene.check()


def test_an_environment_of_some_months_is_said_to_be_so_and_not_promoted(scene: Scene) -> None:
    before = shown(scene.database)
    plan_some_months(scene)
    with scene.project() as project:
        assert not status(project, "prod").unbuilt
        unbuilt = status(project, "dev").unbuilt
        assert f"interactions_internal.{DAILY}" in unbuilt
        assert verify(project, "dev", ["movies_engagement_daily"]).unbuilt == unbuilt
        with pytest.raises(CheckFailed, match=r"dev has not all months of .* so prod is as it was"):
            promote(project, "dev", "prod")
    assert shown(scene.database)["prod"] == before["prod"]
    scene.refresh("dev")
    with scene.project() as project:
        assert not status(project, "dev").unbuilt
    scene.promote("dev", "prod")
    scene.check()
