"""Advice of a command that was given a gateway: what is to be run goes there too."""

from __future__ import annotations

from pathlib import Path

import pytest
from project_copy import ROOT

from mesh.cli.main import run
from mesh.cli.options import named_gateway
from mesh.console import err, out
from mesh.project import DATABASE_VARIABLE

NOTE = "run them with `--gateway duckdb` as well; `sqlmesh` takes it before the command."


@pytest.fixture(autouse=True)
def begin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATABASE_VARIABLE, str(tmp_path / "new.duckdb"))
    monkeypatch.setattr(out, "advised", False)
    monkeypatch.setattr(err, "advised", False)
    named_gateway.set(None)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["promote", "nope", "prod", "--gateway", "duckdb"], True),
        (["promote", "nope", "prod"], False),
        (["status", "--gateway", "duckdb"], True),
        (["status"], False),
    ],
)
def test_the_gateway_is_said_where_commands_are_advised(
    words: list[str], told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(["-p", str(ROOT), *words])
    said = "".join(capsys.readouterr())
    assert (NOTE in said) == told, said
