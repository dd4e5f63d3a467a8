"""`mesh contracts show`: what people are told of a product."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from audience import opened, small_audience
from built import built
from sqlglot import exp
from typer.testing import CliRunner

from mesh.catalogue.consumers import charts, consumers
from mesh.catalogue.history import history
from mesh.catalogue.look import look
from mesh.cli.main import app
from mesh.cli.main import run as run_mesh
from mesh.contracts import find, load_contracts
from mesh.environments import Opened, open_project
from mesh.errors import WrongUse
from mesh.project import Project
from tests.project_copy import OF_GROUPS, OF_USERS, PROJECT, copy_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESH_DUCKDB", str(tmp_path_factory.mktemp("show") / "mesh.duckdb"))
        return open_project(PROJECT)


def shown(project: Opened, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    monkeypatch.setattr("mesh.environments.open_project", lambda *_, **__: project)
    result = CliRunner().invoke(app, ["contracts", "show", *words, "--json"])
    assert result.exit_code == 0, result.output
    return result.output


def test_it_tells_columns_promises_and_who_may_read(
    project: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = json.loads(shown(project, monkeypatch, "user_genre_preferences"))
    columns = {column["name"]: column for column in told["columns"]}
    assert columns["user_preference"]["values"].startswith("one of likes, dislikes")
    assert columns["rating_median"]["values"] == "from 0.5 to 5.0 in steps of 0.25"
    assert columns["user_id"]["classification"] == "personal"
    promised = {promise["id"]: promise["description"] for promise in told["promises"]}
    assert "Unique: user_id, genre, reporting_month." in promised["grain"]
    assert promised["freshness"].startswith("62 days: ")
    assert {role["name"] for role in told["roles"]} == {
        role.name for role in find("user_genre_preferences", PROJECT.contracts).roles
    }


def test_the_pages_for_people_name_readers_and_charts(
    project: Opened, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("mesh.environments.open_project", lambda *_, **__: project)
    result = CliRunner().invoke(app, ["contracts", "show", "user_genre_ratings"])
    said = " ".join((result.output + capfd.readouterr().out).split())
    assert result.exit_code == 0
    assert "interactions.user_genre_ratings" in said and "by interactions" in said
    assert "engagement.user_genre_preferences of engagement, directly" in said
    for heading in ("What for:", "Promises", "Who may read it", "Where to ask", "Versions"):
        assert heading in said


def test_lineage_tells_direct_readers_from_indirect_ones(project: Opened) -> None:
    found = {one.product: one.direct for one in consumers(project, "interactions.user_actions")}
    assert found["engagement.user_actions_and_groups"] is True
    assert "interactions.user_genre_ratings" not in found


def test_a_rule_that_compares_two_products_makes_neither_a_reader(project: Opened) -> None:
    """The contract of user_actions has a rule about user_genre_ratings."""
    found = {one.product for one in consumers(project, "interactions.user_genre_ratings")}
    assert "interactions.user_actions" not in found


def test_a_reader_through_internal_models_is_direct_and_behind_a_product_is_not() -> None:
    edges = {
        "a.first": [],
        "a_internal.hidden": ["a.first"],
        "a.second": ["a_internal.hidden"],
        "b.third": ["a.second"],
    }
    models = {name: fake_model(name, parents) for name, parents in edges.items()}
    fake = SimpleNamespace(context=SimpleNamespace(models=models))
    found = consumers(fake, "a.first")  # type: ignore[arg-type]
    assert [(one.product, one.direct) for one in found] == [("a.second", True), ("b.third", False)]


def fake_model(name: str, parents: list[str]) -> SimpleNamespace:
    query = exp.select("1")
    for parent in parents:
        query = query.from_(exp.to_table(parent))
    return SimpleNamespace(fqn=name, owner=None, is_sql=True, render_query=lambda **_: query)


@pytest.fixture(scope="module")
def built_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("built")
    copy = copy_project(folder / "project")
    copy.keep_few(*OF_USERS, *OF_GROUPS)
    database = Path(shutil.copy2(built(copy, small_audience(), "dev"), folder / "mesh.duckdb"))
    with opened(copy, database) as project:
        yield project


def test_the_example_query_and_its_rows_are_those_of_the_view(built_project: Opened) -> None:
    contract = find("audience_groups", built_project.project.contracts)
    seen = look(built_project, contract)
    assert seen and (seen.environment, seen.address) == (
        "dev",
        "mesh.engagement__dev.audience_groups",
    )
    names = {column.name for column in contract.columns}
    assert set(seen.columns) <= names and seen.rows
    assert built_project.context.engine_adapter.fetchall(seen.query) == list(seen.rows)


@pytest.mark.parametrize("product", ["user_actions", "operational.ratings", "operational.tags"])
def test_no_row_about_a_person_is_shown(built_project: Opened, product: str) -> None:
    contract = find(product, built_project.project.contracts)
    seen = look(built_project, contract)
    assert seen and seen.rows == ()
    personal = {column.name for column in contract.personal_columns}
    assert personal and not personal & set(seen.columns)
    assert not any(name in seen.query for name in personal)


def test_a_source_is_shown_where_it_lies(built_project: Opened) -> None:
    contract = find("operational.movies", built_project.project.contracts)
    seen = look(built_project, contract)
    assert seen and seen.address == "mesh.operational.movies"
    assert seen.columns == ("movieId", "title", "genres") and seen.rows


def test_an_environment_that_is_not_there_is_told(built_project: Opened) -> None:
    contract = find("audience_groups", built_project.project.contracts)
    with pytest.raises(WrongUse, match="there is no environment 'tset'"):
        look(built_project, contract, "tset")


def test_the_page_shows_place_rows_and_meanings(
    built_project: Opened, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("mesh.environments.open_project", lambda *_, **__: built_project)
    for product, expected in (
        ("audience_groups", ("sleepers: Users who are neither.", "in dev", "SELECT user_group")),
        ("user_actions", ("rate: Rated a movie.", "No rows are shown: they are about persons")),
    ):
        result = CliRunner().invoke(app, ["contracts", "show", product])
        said = " ".join((result.output + capfd.readouterr().out).split())
        assert result.exit_code == 0 and all(text in said for text in expected)


def test_before_anything_is_built_the_page_says_so(
    project: Opened, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("mesh.environments.open_project", lambda *_, **__: project)
    result = CliRunner().invoke(app, ["contracts", "show", "audience_groups"])
    assert "in no environment yet" in result.output + capfd.readouterr().out


def listed(*words: str) -> list[dict]:
    result = CliRunner().invoke(app, ["contracts", *words, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_all_contracts_are_listed_also_by_show_without_a_name() -> None:
    every = listed("list")
    assert [one["product"] for one in every] == sorted(load_contracts(PROJECT.contracts))
    assert listed("show") == every
    assert {one["product"] for one in every if one["is_source"]} == set(PROJECT.sources)


def test_contracts_are_found_by_what_a_column_or_a_value_says() -> None:
    found = {one["product"]: one["found_in"] for one in listed("list", "SLEEPERS")}
    assert found["engagement.audience_groups"] == ["user_group = sleepers"]
    assert "interactions.user_genre_ratings" not in found
    decades = [one["product"] for one in listed("list", "decade")]
    assert "interactions.user_period_ratings" in decades
    both = {one["product"] for one in listed("list", "sleepers", "overlap")}
    assert both == {"engagement.audience_groups", "engagement.audience_segments"}


def test_a_word_that_no_contract_says_is_told(capfd: pytest.CaptureFixture) -> None:
    result = CliRunner().invoke(app, ["contracts", "list", "zebra"])
    assert result.exit_code == 0
    assert "No contract says 'zebra'." in result.output + capfd.readouterr().out
    result = CliRunner().invoke(app, ["contracts", "list", "sleepers"])
    assert "user_group = sleepers" in result.output + capfd.readouterr().out


def test_charts_are_found_by_the_product_they_show(tmp_path: Path) -> None:
    assert charts(["engagement.genre_audience"], Project(tmp_path)) == ()
    assert all(one.product == "a.b" for one in charts(["a.b"], PROJECT))


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def test_each_version_is_dated_by_the_commit_that_brought_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    path = tmp_path / "user_actions.odcs.yaml"
    for version, subject in (
        ("1.0.0", "State it"),
        ("1.0.0", "Say it better"),
        ("1.1.0", "Promise more"),
    ):
        path.write_text(f"name: user_actions\nversion: {version}\n# {subject}\n")
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", subject)
    found = history(path)
    assert [(one.version, one.subject) for one in found] == [
        ("1.1.0", "Promise more"),
        ("1.0.0", "State it"),
    ]


def test_outside_of_git_there_is_no_history(tmp_path: Path) -> None:
    path = tmp_path / "user_actions.odcs.yaml"
    path.write_text("version: 1.0.0\n")
    assert history(path) == ()


def test_a_misspelt_product_gets_a_suggestion(capfd: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as end:
        run_mesh(["contracts", "show", "user_actoins"])
    assert end.value.code == 2
    said = " ".join(capfd.readouterr().err.split())
    assert "no contract for user_actoins. Did you mean `user_actions`?" in said
