"""`mesh schema`: editors complete and check the YAML files by schemas made from the models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from mesh.cli.main import app
from mesh.dashboards.kinds import KINDS
from mesh.files.problems import FileInvalid
from tests.project_copy import PROJECT, ROOT

FILES = {
    "looker/cohorts_and_churn.yaml": "looker/dashboard.schema.json",
    "looker/movie_trends.yaml": "looker/dashboard.schema.json",
    "looker/user_360.yaml": "looker/dashboard.schema.json",
    "contracts/review.yaml": "contracts/review.schema.json",
}
LEVEL = "levels:\n  - {rule: COLUMN_SAME_UNIT, level: info, reason: Units are being written out.}\n"


def complaints(schema: str, text: str) -> list[str]:
    """What an editor would underline."""
    described = json.loads((ROOT / schema).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(described)
    errors = Draft202012Validator(described).iter_errors(yaml.safe_load(text))
    return [error.message for top in errors for error in (top, *(top.context or ()))]


@pytest.mark.parametrize("file", FILES)
def test_a_file_names_its_schema_and_keeps_to_it(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    comment, _, _ = text.partition("\n")
    assert comment == f"# yaml-language-server: $schema={Path(FILES[file]).name}"
    assert complaints(FILES[file], text) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("looker/user_360.yaml", "\npurpose:", "\npurpos:", "'purpos' was unexpected"),
        (
            "looker/user_360.yaml",
            "    look_at: Which",
            "    lookat: Which",
            "'lookat' was unexpected",
        ),
        ("looker/user_360.yaml", "kind: donut", "kind: dount", "'dount' is not one of"),
        ("looker/user_360.yaml", "aggregate: sum", "aggregate: add", "'add' is not one of"),
        ("looker/user_360.yaml", "{field: user_group, eq", "{feld: user_group, eq", "'feld' was"),
        ("looker/movie_trends.yaml", "    page_size: 10\n", "", "'page_size' is a required"),
        (
            "contracts/review.yaml",
            "organisation:",
            "organization:",
            "'organization' was unexpected",
        ),
        ("contracts/review.yaml", "levels: []", LEVEL, ""),
        ("contracts/review.yaml", "levels: []", LEVEL.replace("_UNIT", "_UNITS"), "is not one of"),
        ("contracts/review.yaml", "levels: []", LEVEL.replace("reason", "why"), "'why' was"),
        ("contracts/review.yaml", "levels: []", LEVEL.replace("info", "low"), "is not one of"),
    ],
)
def test_a_misspelt_key_or_word_is_refused(file: str, old: str, new: str, said: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert old in text
    found = complaints(FILES[file], text.replace(old, new, 1))
    assert any(said in one for one in found) if said else not found, found


def test_an_editor_completes_by_kind_and_tells_what_a_key_means() -> None:
    schema: dict[str, Any] = json.loads((ROOT / "looker/dashboard.schema.json").read_text())
    by_kind = schema["properties"]["charts"]["items"]["discriminator"]
    assert by_kind["propertyName"] == "kind"
    known = {word for kind in KINDS for word in kind.model_fields["kind"].annotation.__args__}
    assert set(by_kind["mapping"]) == known
    look_at = schema["$defs"]["Pie"]["properties"]["look_at"]
    assert look_at["description"] == "One sentence on what to look at."


def test_the_schemas_are_those_of_the_models() -> None:
    result = CliRunner().invoke(app, ["schema", "--check", "--project", str(PROJECT.root)])
    assert (result.exit_code, result.output.strip()) == (0, "all schemas are up to date")


def test_a_schema_or_a_comment_that_is_not_current_is_told_and_mended(tmp_path: Path) -> None:
    shutil.copy(ROOT / "config.yaml", tmp_path)
    for folder in ("looker", "contracts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    dashboard = tmp_path / "looker" / "user_360.yaml"
    dashboard.write_text(dashboard.read_text().partition("\n")[2])
    (tmp_path / "contracts" / "review.schema.json").unlink()

    def run(*words: str) -> tuple[int, list[str]]:
        result = CliRunner().invoke(app, ["-p", str(tmp_path), "schema", *words])
        return result.exit_code, result.output.strip().splitlines()

    stale = ["looker/user_360.yaml", "contracts/review.schema.json"]
    assert run("--check") == (1, [f"{name} is out of date: run `mesh schema`" for name in stale])
    assert run() == (0, [f"{name} written" for name in stale])
    assert run("--check") == (0, ["all schemas are up to date"])
    assert dashboard.read_text() == (ROOT / "looker" / "user_360.yaml").read_text()


@pytest.mark.parametrize("file", ["contracts/review.yaml", "looker/user_360.yaml"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"levels: [\n  a: b\n", "is no YAML"),
        (b"title: caf\xe9\n", "is not encoded in UTF-8"),
        (b"", "is empty"),
    ],
    ids=["no YAML", "not UTF-8", "empty"],
)
def test_a_file_that_is_no_yaml_is_told_and_stays(
    tmp_path: Path, file: str, content: bytes, says: str
) -> None:
    """A line before it made another file of it, and what was not UTF-8 was replaced in it."""
    (tmp_path / "config.yaml").write_text("model_defaults: {dialect: bigquery}\n")
    path = tmp_path / file
    path.parent.mkdir()
    path.write_bytes(content)
    result = CliRunner().invoke(app, ["schema", "-p", str(tmp_path)])
    assert isinstance(result.exception, FileInvalid)
    assert result.exception.exit_code == 1
    assert str(result.exception.where).startswith(f"{file}:")
    assert says in result.exception.message
    assert path.read_bytes() == content
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_project_without_such_files_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("{}\n")
    result = CliRunner().invoke(app, ["schema", "-p", str(tmp_path)])
    assert result.exit_code == 1
    assert "neither dashboards nor contracts" in str(result.exception)
