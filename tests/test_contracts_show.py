"""`mesh contracts show`: what people are told of a product."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlglot import exp
from typer.testing import CliRunner

from mesh.catalogue.consumers import charts, consumers
from mesh.catalogue.history import history
from mesh.cli.main import app
from mesh.cli.main import run as run_mesh
from mesh.contracts import find
from mesh.environments import Opened, open_project
from mesh.project import Project
from tests.project_copy import PROJECT


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
    return SimpleNamespace(fqn=name, owner=None, is_sql=True, render_query=lambda: query)


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
