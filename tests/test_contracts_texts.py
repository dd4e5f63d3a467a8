"""What commands print of contracts' texts: each stays within its line, and steers nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesh.cli.main import app
from tests.test_codeowners import project_at

PRODUCT = "engagement/audience_actions.odcs.yaml"
NASTY = r"Nice\e]0;title\a\n::error::no\n\nNothing is broken. "


@pytest.fixture
def here(tmp_path: Path) -> tuple[Path, list[str]]:
    here = project_at(tmp_path / "project")
    return tmp_path / "project", here


@pytest.mark.parametrize("command", ["list", "diff"])
def test_a_text_stays_within_its_line(here: tuple[Path, list[str]], command: str) -> None:
    root, project = here
    before = root / "before"
    shutil.copytree(root / "contracts", before)
    path = root / "contracts" / PRODUCT
    text = path.read_text()
    head, _, rest = text.partition("  purpose:")
    path.write_text(f'{head}  purpose: "{NASTY}"\n  usage:{rest.partition("  usage:")[2]}')
    words = ["list"] if command == "list" else ["diff", str(before), "."]
    result = CliRunner().invoke(app, ["contracts", *words, *project], env={"COLUMNS": "160"})
    assert "Nice␛]0;title␇" in result.output, result.output
    assert "\x1b" not in result.output and "\a" not in result.output
    lines = [line.strip() for line in result.output.splitlines()]
    assert not [one for one in lines if one.startswith(("::", "Nothing is broken"))]
