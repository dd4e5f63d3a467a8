"""What the machine refuses is said in a sentence, and is no error of ours."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mesh.cli import main
from mesh.environments import open_project
from mesh.environments.opened import CACHE_VARIABLE
from mesh.project import Project
from tests.review_projects import shop

ROOM = "Make room, here and in the folder for temporary files, then run again."
SAID = {
    errno.EACCES: "contracts/a.yaml: permission denied. Give yourself access, or take another "
    "path.",
    errno.EROFS: "contracts/a.yaml: this cannot be used: read-only file system. Check the path, "
    "then run again.",
    errno.ENOSPC: f"contracts/a.yaml: the disk is full. {ROOM}",
    errno.EDQUOT: f"contracts/a.yaml: the disk is full. {ROOM}",
}


def said(error: OSError, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture) -> str:
    def work(**_: object) -> None:
        raise error

    monkeypatch.setattr(main, "app", work)
    with pytest.raises(SystemExit) as ended:
        main.run(["docs"])
    assert ended.value.code == 2
    return " ".join(capfd.readouterr().err.split())


@pytest.mark.parametrize("number", SAID)
def test_what_the_machine_refuses_is_told_with_the_file(
    number: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    error = OSError(number, os.strerror(number), "contracts/a.yaml")
    assert said(error, monkeypatch, capfd) == f"error: {SAID[number]}"


def test_a_full_disk_is_told_without_a_file(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert said(error, monkeypatch, capfd) == f"error: the disk is full. {ROOM}"


def test_another_error_of_the_system_stays_unexpected(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    error = OSError(errno.ENOENT, os.strerror(errno.ENOENT), "x")
    assert "unexpected error: FileNotFoundError" in said(error, monkeypatch, capfd)


def test_a_project_without_a_cache_of_its_own_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a folder that may be read alone; SQLMesh said that a model cannot be loaded."""
    monkeypatch.setenv(CACHE_VARIABLE, "")
    monkeypatch.delenv(CACHE_VARIABLE)
    project = Project(shop(tmp_path / "shop"))
    project.cache.write_text("no folder")
    opened = open_project(project)
    assert opened.context.models
    opened.close()
    kept = Path(os.environ[CACHE_VARIABLE])
    assert any(kept.iterdir()) and project.cache.is_file()
