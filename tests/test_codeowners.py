"""CODEOWNERS says who owns each product, beside what others wrote in it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesh.cli.main import app
from mesh.errors import WrongUse
from tests.project_copy import PROJECT, ROOT


def test_the_owners_are_those_of_the_contracts() -> None:
    from mesh.review.codeowners import codeowners

    written = codeowners(PROJECT)
    assert written
    for path, text in written.items():
        assert (ROOT / path).read_text() == text, "run `mesh codeowners`"


def test_a_product_is_owned_by_its_producer_and_its_readers() -> None:
    lines = (ROOT / ".github" / "CODEOWNERS").read_text().splitlines()
    (line,) = (
        one for one in lines if one.startswith("/contracts/interactions/user_actions.odcs.yaml ")
    )
    owners = [owner.partition("/")[2] for owner in line.split()[1:]]
    assert owners == ["interactions", "engagement"]
    patterns = [one.split()[0] for one in lines if one and not one.startswith("#")]
    for pattern in patterns[1:]:
        assert (ROOT / pattern.strip("/")).exists(), f"{pattern} fits nothing"


def project_at(root: Path) -> list[str]:
    """As much of this project as its owners are drawn from, and how a command is told of it."""
    for folder in ("contracts", "looker"):
        shutil.copytree(ROOT / folder, root / folder)
    for file in ("config.yaml", "external_models.yaml"):
        shutil.copy(ROOT / file, root)
    return ["--project", str(root)]


def test_owners_of_a_project_in_a_folder_stand_where_github_reads_them(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    owners = tmp_path / "CODEOWNERS"
    owners.write_text("* @acme/all\n")
    here = project_at(tmp_path / "data" / "our mesh")
    runner = CliRunner()
    assert runner.invoke(app, ["codeowners", *here]).exit_code == 0
    lines = owners.read_text().splitlines()
    assert lines[:2] == ["* @acme/all", ""]
    patterns = [re.split(r"(?<!\\) ", one)[0] for one in lines[2:] if one and one[0] != "#"]
    assert patterns[0] == r"/data/our\ mesh/"
    assert r"/data/our\ mesh/contracts/interactions/user_actions.odcs.yaml" in patterns
    assert all(one.startswith(patterns[0]) for one in patterns)
    # What comes to stand behind them stays as well, and they are not written twice.
    owners.write_text(owners.read_text() + "/more @acme/more\n")
    written = owners.read_text()
    assert "up to date" in runner.invoke(app, ["codeowners", *here]).stdout
    assert owners.read_text() == written
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git", "CODEOWNERS", "data"]


def test_owners_that_others_wrote_keep_the_files_that_no_contract_speaks_of(tmp_path: Path) -> None:
    here = project_at(tmp_path / "project")
    owners = tmp_path / "project" / "CODEOWNERS"
    owners.write_text("* @acme/all\n/.github/ @acme/infra\n")
    runner = CliRunner()
    assert runner.invoke(app, ["codeowners", *here]).exit_code == 0
    written = owners.read_text()
    assert written.startswith("* @acme/all\n/.github/ @acme/infra\n\n# Written by ")
    assert written.count("\n* ") == 0 and written.count("/.github/") == 1
    owners.write_bytes(b"# Teams of M\xfcnchen\n")
    refused = runner.invoke(app, ["codeowners", *here])
    assert "it is not UTF-8" in str(refused.exception) and "as UTF-8" in str(refused.exception)


@pytest.mark.parametrize(
    "name", ["z\n*\t@evil\n", "a\tb", "*", "a?", "[a-z]", "a#b", "a\\b", "\x1b"]
)
def test_a_name_that_would_be_another_line_or_pattern_gets_none(tmp_path: Path, name: str) -> None:
    here = project_at(tmp_path / "project")
    dashboards = tmp_path / "project" / "looker"
    shutil.copy(dashboards / "user_360.yaml", dashboards / f"{name}.yaml")
    refused = CliRunner().invoke(app, ["codeowners", *here])
    error = refused.exception
    assert isinstance(error, WrongUse) and error.exit_code == 2
    assert len(str(error).splitlines()) == 1 and str(error).startswith("looker/")
    assert "CODEOWNERS takes for something else" in str(error) and "another name" in str(error)
    assert not (tmp_path / "project" / ".github" / "CODEOWNERS").exists()


def test_a_folder_that_would_be_a_pattern_gets_no_owners(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    here = project_at(tmp_path / "mesh [1]")
    error = CliRunner().invoke(app, ["codeowners", *here]).exception
    assert isinstance(error, WrongUse) and str(error).startswith("mesh [1]: its name holds '['")


def test_owners_that_are_not_up_to_date_are_said(tmp_path: Path) -> None:
    here = project_at(tmp_path / "project")
    runner = CliRunner()
    stale = runner.invoke(app, ["codeowners", *here, "--check"])
    assert stale.exit_code and "Run `mesh codeowners`" in str(stale.exception)
    assert runner.invoke(app, ["codeowners", *here]).exit_code == 0
    assert "up to date" in runner.invoke(app, ["codeowners", *here, "--check"]).stdout
