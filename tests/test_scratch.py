"""Folders for a run's own files, and what becomes of those that a killed run left behind."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mesh.files.scratch import scratch


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_gone_afterwards(temporary):
    with scratch("kind") as folder:
        (folder / "file").write_text("x")
        assert folder.parent == temporary
    assert list(temporary.iterdir()) == []


def test_what_a_killed_run_left_is_swept_and_what_is_used_is_not(temporary):
    code = (
        "import time; from mesh.files.scratch import scratch\n"
        "with scratch('kind') as f: (f / 'x').touch(); print(f.name, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={"TMPDIR": str(temporary), "PATH": ""},
        cwd=Path(__file__).parents[1],
    ) as process:
        left = process.stdout.readline().strip()
        (temporary / "other-1").mkdir()
        with scratch("kind") as mine, scratch("kind"):
            assert (temporary / left / "x").is_file()
            assert mine.is_dir()
        process.kill()
        process.wait()
    with scratch("kind"):
        assert not (temporary / left).exists()
    assert [path.name for path in temporary.iterdir()] == ["other-1"]
