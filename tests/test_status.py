"""`mesh status`: what stands in the environments, and sentences where nothing can be shown."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import processes
import pytest
from audience import opened, products, small_audience
from built import built
from project_copy import FEW_DASHBOARDS, OF_GROUPS, OF_USERS, ProjectCopy, copy_project
from sqlglot import exp
from sqlmesh.core.engine_adapter import create_engine_adapter
from sqlmesh.utils.errors import PlanError

from mesh.dashboards.preview.build import present_all
from mesh.environments import promote, refresh, status
from mesh.environments.repair import missing_from
from mesh.errors import WrongUse
from mesh.movielens.ingest import ingest

HOLDER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """A copy with the small audience in dev."""
    copy = copy_project(tmp_path_factory.mktemp("status") / "project")
    copy.keep_few(*OF_USERS, *OF_GROUPS)
    shutil.copy2(built(copy, small_audience(), "dev"), copy.database)
    return copy


def mesh(copy: ProjectCopy, *words: str, database: Path | None = None) -> tuple[int, str, str]:
    """Exit code, output and errors of a command, each as one line."""
    environment = {**copy.environment, "MESH_DUCKDB": str(database or copy.database)}
    done = processes.run("mesh", *words, cwd=copy.root, env=environment, timeout=500)
    assert "Traceback" not in done.stderr
    return done.returncode, " ".join(done.stdout.split()), " ".join(done.stderr.split())


def test_each_product_has_its_rows_and_its_newest_month(copy: ProjectCopy) -> None:
    with opened(copy, copy.database) as project:
        found = status(project, "dev")
        rows = {name: len(lines) for name, lines in products(project, "dev").items()}
    assert found.environment == "dev"
    assert found.planned_at is not None
    assert found.planned_at <= datetime.now(UTC)
    assert {product.product: product.rows for product in found.products} == rows
    by_name = {product.product: product for product in found.products}
    at = max(at for _, at in small_audience().ratings.values())
    newest = datetime.fromtimestamp(at, UTC).date().replace(day=1)
    for name in ("movies_engagement", "movies_engagement_daily", "user_movie_ratings"):
        assert by_name[f"interactions.{name}"].newest_month == newest
        assert by_name[f"interactions.{name}"].view == f"mesh.interactions__dev.{name}"
    assert by_name["engagement.audience_groups"].newest_month == newest
    for product in found.products:
        assert (product.newest_month is None) == (product.age_days is None)
        assert product.changed_at is not None
        assert product.changed_at.date() >= date(2020, 1, 1)


def test_the_command_shows_all_environments_and_answers_in_json(copy: ProjectCopy) -> None:
    code, said, _ = mesh(copy, "status")
    # The sample is of years ago.
    assert code == 1 and f"of {len(copy.products)} products late" in said
    assert said.startswith("dev shows delivery 1 of 20")
    assert "data product rows newest month by its contract data changed (UTC)" in said
    code, said, _ = mesh(copy, "status", "dev", "--json")
    answer = json.loads(said)
    assert code == 1
    assert [one["environment"] for one in answer] == ["dev"]
    assert len(answer[0]["products"]) == len(copy.products)


def test_products_that_no_environment_has_yet_are_not_there(
    copy: ProjectCopy, tmp_path: Path
) -> None:
    database = tmp_path / "mesh.duckdb"
    ingest(small_audience().deliver(tmp_path / "source"), database=database)
    with opened(copy, database) as project:
        with pytest.raises(PlanError, match=r"rating_events, which the environment does not have"):
            project.context.plan("few", select_models=["interactions.user_movie_ratings"])
        project.context.plan(
            "few",
            select_models=["+interactions.user_movie_ratings"],
            auto_apply=True,
            no_prompts=True,
            skip_tests=True,
        )
        found = status(project, "few")
    assert [one.product for one in found.products] == ["interactions.user_movie_ratings"]
    assert len(found.absent) == len(copy.products) - 1


def test_a_promotion_of_some_products_does_not_take_the_others_away_unasked(
    copy: ProjectCopy, tmp_path: Path
) -> None:
    database = shutil.copy2(copy.database, tmp_path / "mesh.duckdb")
    with opened(copy, database) as project:
        project.context.plan(
            "few",
            select_models=["+interactions.user_movie_ratings"],
            auto_apply=True,
            no_prompts=True,
            skip_tests=True,
        )
        before = project.products(project.environment("dev")).keys()
        with pytest.raises(WrongUse, match=r"few does not have engagement\.audience_groups, .*"):
            promote(project, "few", "dev")
        assert project.products(project.environment("dev")).keys() == before
    code, _, said = mesh(copy, "promote", "few", "dev", database=database)
    assert code == 2 and "which dev shows and whose contracts promise that" in said
    code, said, _ = mesh(copy, "promote", "few", "dev", "--yes", database=database)
    assert code == 0 and "dev has no longer: engagement.audience_groups, " in said
    with opened(copy, database) as project:
        there = project.products(project.environment("dev")).keys()
    assert there == {"interactions.user_movie_ratings"}


def test_a_promotion_makes_no_environment_of_a_typing_error(
    copy: ProjectCopy, tmp_path: Path
) -> None:
    database = shutil.copy2(copy.database, tmp_path / "mesh.duckdb")
    code, _, said = mesh(copy, "promote", "dev", "aceptance", database=database)
    assert code == 2
    assert "there is no environment 'aceptance' (dev)." in said
    assert "Did you mean acceptance? Otherwise create it with `sqlmesh plan aceptance`." in said
    # What the config speaks of need not have been planned.
    code, said, _ = mesh(copy, "promote", "dev", "acceptance", database=database)
    assert code == 0
    with opened(copy, database) as project:
        assert project.environment_names == ["acceptance", "dev"]


def test_of_a_plan_of_one_model_the_others_are_not_there(copy: ProjectCopy, tmp_path: Path) -> None:
    database = shutil.copy2(copy.database, tmp_path / "mesh.duckdb")
    product = "engagement.trending_movies"
    with opened(copy, database) as project:
        for name, only in (("prod", None), ("dev_one", [product])):
            project.context.plan(
                name, select_models=only, auto_apply=True, no_prompts=True, skip_tests=True
            )
        found = status(project, "dev_one")
        assert [one.product for one in found.products] == [product]
        assert "interactions.user_actions" in found.absent
        assert len(found.absent) == len(copy.products) - 1
        assert not refresh(project, "dev_one").changed
        pages = present_all(project, "dev_one", specs=FEW_DASHBOARDS)
    assert {state.product for page in pages for state, _ in page.sources if state.view} == {product}
    code, said, _ = mesh(copy, "status", database=database)
    assert code == 1
    assert "interactions.user_actions not there – – –" in said
    assert (
        f"dev_one has 1 of {len(copy.products)} data products, as after a plan of some models: "
        "`sqlmesh plan dev_one` makes the others." in said
    )


def test_without_any_environment_it_says_how_to_make_one(copy: ProjectCopy, tmp_path: Path) -> None:
    code, said, _ = mesh(copy, "status", database=tmp_path / "new.duckdb")
    assert (code, said) == (0, "There is no environment yet: `sqlmesh plan` makes one.")


def test_an_unknown_environment_is_named_with_the_known_ones(copy: ProjectCopy) -> None:
    with opened(copy, copy.database) as project:
        with pytest.raises(WrongUse) as caught:
            status(project, "dve")
        assert str(caught.value) == (
            "there is no environment 'dve' (dev). Did you mean dev? Otherwise create it with "
            "`sqlmesh plan dve`."
        )
        with pytest.raises(WrongUse) as caught:
            status(project, "acceptance")
        assert str(caught.value) == (
            "there is no environment 'acceptance' (dev). Create it with `sqlmesh plan acceptance`."
        )


def test_what_is_no_name_of_an_environment_is_refused(copy: ProjectCopy) -> None:
    with opened(copy, copy.database) as project:
        for name in ("Prod", "dev-anna", "", "dev; DROP TABLE x", "été"):
            with pytest.raises(WrongUse) as caught:
                status(project, name)
            assert str(caught.value) == (
                f"{name!r} is no name of an environment. Use small letters, digits and "
                "underscores, as in prod or dev_anna."
            )


@pytest.mark.parametrize("command", ["status", "refresh"])
def test_a_database_that_another_process_holds_is_told_with_the_process(
    copy: ProjectCopy, command: str
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(copy.database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        code, _, said = mesh(copy, command, "dev")
    finally:
        holder.communicate("")
    assert code == 2
    assert said == (
        f"error: {copy.database}: the database is in use by process {holder.pid}. Stop it (a "
        "running `sqlmesh ui`, a notebook, another mesh command) and try again."
    )


def test_what_the_engine_finds_under_other_letters_is_not_lost() -> None:
    """As after another normalization: the schema of an earlier plan is there, in its letters."""
    adapter = create_engine_adapter(duckdb.connect, "duckdb")
    adapter.execute(
        'CREATE SCHEMA "sqlmesh__SALES"; CREATE TABLE sqlmesh__sales.Orders AS SELECT 1'
    )
    there, gone = (exp.to_table(f"sqlmesh__sales.{name}") for name in ("orders", "lines"))
    assert missing_from(adapter, [there, gone]) == {gone.sql()}
