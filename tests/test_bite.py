"""`mesh contracts bite` on the project: what its contracts notice, and what they would not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from audience import opened, small_audience
from built import built
from project_copy import PRODUCTS, ProjectCopy, copy_project
from typer.testing import CliRunner

from mesh.bite.run import bite
from mesh.cli.main import app
from mesh.contracts import ContractInvalid
from mesh.environments import Opened
from mesh.errors import CheckFailed, WrongUse
from mesh.movielens.demo import SAMPLE_SEED, SAMPLE_USERS
from mesh.movielens.generate import generate
from mesh.project import DATABASE_VARIABLE


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    copy = copy_project(tmp_path_factory.mktemp("bite") / "project")
    shutil.copy2(built(copy, small_audience(), "dev"), copy.database)
    return copy


@pytest.fixture(scope="module")
def project(copy: ProjectCopy) -> Iterator[Opened]:
    with opened(copy, copy.database) as project:
        yield project


def test_no_environment_is_touched(copy: ProjectCopy, project: Opened) -> None:
    def tables() -> list[tuple]:
        return project.context.engine_adapter.fetchall(
            "SELECT database_name, schema_name, table_name, estimated_size FROM duckdb_tables() "
            "UNION ALL SELECT database_name, schema_name, view_name, 0 FROM duckdb_views() "
            "WHERE NOT internal ORDER BY ALL"
        )

    before = tables()
    report = bite(project, "dev", ["user_actions"])
    assert tables() == before
    (one,) = report.products
    assert one.product == "interactions.user_actions" and one.rows > 100


def test_what_cannot_be_bitten_is_a_sentence(project: Opened) -> None:
    with pytest.raises(WrongUse, match=r"There is no contract for user_acton. .*`user_actions`"):
        bite(project, "dev", ["user_acton"])
    with pytest.raises(WrongUse, match=r"there is no environment 'deb' .*Did you mean dev"):
        bite(project, "deb", ["user_actions"])


def test_a_source_is_bitten_where_it_is_named(project: Opened) -> None:
    report = bite(project, "dev", ["operational.tags"])
    assert [one.product for one in report.products] == ["operational.tags"]


def run(
    copy: ProjectCopy, patch: pytest.MonkeyPatch, *words: str, fails: int = 0
) -> tuple[str, str]:
    patch.setenv(DATABASE_VARIABLE, str(copy.database))
    done = CliRunner().invoke(app, ["contracts", *words, "--project", str(copy.root)])
    assert done.exit_code == fails, done.output
    return done.stdout, done.stderr


def test_the_command_says_what_survives_and_what_would_notice_it(
    copy: ProjectCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "contracts/interactions/user_movie_ratings.odcs.yaml"
    text = copy.read(path)
    without = yaml.safe_load(text)
    table = without["schema"][0]
    table["quality"] = [rule for rule in table["quality"] if rule["type"] != "custom"]
    with monkeypatch.context() as patch:
        copy.write(path, yaml.safe_dump(without, sort_keys=False))
        said, errors = run(copy, patch, "bite", "user_movie_ratings", fails=1)
        document = json.loads(run(copy, patch, "bite", "user_movie_ratings", "--json", fails=1)[0])
    copy.write(path, text)
    assert errors == ""
    first, *lines = said.splitlines()
    (one,) = document["products"]
    noticed, survivors = len(one["noticed"]), one["survivors"]
    assert first.startswith("✗ interactions.user_movie_ratings ")
    assert f": {noticed} of {noticed + len(survivors)} damages noticed, " in first
    assert first.endswith(" % (95 % demanded)")
    assert "  rows.half: every second row is gone. Noticed by " in said
    assert "  To be pasted under `quality` in contracts/interactions/user_movie_ratings" in said
    assert "          reconcilesWith: operational.ratings" in lines
    assert lines[-1].startswith(f"{noticed} of {noticed + len(survivors)} damages to 1 product of")
    assert one["demanded"] == 0.95 > one["share"] and one["ok"] is document["ok"] is False
    half = next(survivor for survivor in survivors if survivor["damage"] == "rows.half")
    assert half["suggestion"]["implementation"]["reconcilesWith"] == "operational.ratings"


def test_a_contract_that_cannot_be_read_and_excuses_that_mean_nothing_are_told(
    copy: ProjectCopy, project: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "contracts/interactions/user_actions.odcs.yaml"
    text = copy.read(path)
    excuse = "customProperties: [{property: biteExcused, value: {rows.non: Why not.}}]\n"
    copy.write(path, f"{excuse}{text}")
    said, _ = run(copy, monkeypatch, "lint", fails=1)
    assert "user_actions.odcs.yaml:1: BITE: `rows.non` is no standard damage of" in said
    assert "Did you mean `rows.none`?" in said
    with pytest.raises(ContractInvalid, match=r"rows\.non"):
        bite(project, "dev", ["user_actions"])
    copy.write(path, text.replace("logicalType: integer", "logicalType: whole", 1))
    with pytest.raises(ContractInvalid, match="whole"):
        bite(project, "dev", ["user_actions"])
    copy.write(path, text)


def test_an_environment_behind_the_contract_is_told(copy: ProjectCopy, project: Opened) -> None:
    path = "contracts/engagement/audience_actions.odcs.yaml"
    text = copy.read(path)
    copy.write(path, text.replace("name: action_share", "name: share_of_actions"))
    behind = r"audience_actions in dev is not what its contract says: .*share_of_actions"
    with pytest.raises(CheckFailed, match=behind):
        bite(project, "dev", ["audience_actions"])
    copy.write(path, text)


@dataclass(frozen=True)
class Sample:
    """What `mesh demo` builds without files, as something that can be delivered."""

    movies: int = SAMPLE_USERS
    ratings: int = SAMPLE_SEED
    tags: int = 0

    def deliver(self, folder: Path) -> Path:
        generate(folder, SAMPLE_USERS, SAMPLE_SEED)
        return folder


def test_each_contract_of_this_project_notices_95_percent_on_the_sample(
    copy: ProjectCopy,
) -> None:
    with opened(copy, built(copy, Sample(), "dev")) as project:
        report = bite(project, "dev")
    assert len(report.products) == PRODUCTS
    # Few users tag, so that in a sample of this size no movie has a tag of five.
    assert [one.product for one in report.products if not one.rows] == ["engagement.movie_tags"]
    shares = {one.product: one.share for one in report.products if one.rows}
    assert {product: share for product, share in shares.items() if (share or 0) < 0.95} == {}
    assert [one.broken for one in report.products if one.broken] == []
    assert [one.needless for one in report.products if one.needless] == []
    assert report.ok
