"""What an environment lacks is told apart from what fell due since it was built."""

from __future__ import annotations

from pathlib import Path

import pytest
from scene import clock
from sqlmesh.core.snapshot import Snapshot
from stranger import Stranger

from mesh.environments import open_project, promote
from mesh.environments.status import status
from mesh.project import Project

MODEL = "sqlmesh_example.incremental_model"


def test_what_fell_due_since_the_last_run_is_missing_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = Stranger(tmp_path)
    stranger.run("sqlmesh", "init", "duckdb")
    stranger.run("sqlmesh", "plan", "--auto-apply", "--no-prompts")
    stranger.run("mesh", "init", "--yes")
    monkeypatch.chdir(stranger.root)
    opened = open_project(Project(stranger.root))
    try:
        with clock(days=3):
            assert status(opened, "prod").unbuilt == ()
        # A run in which one model failed: the others are of a later day than it.
        built = opened.there(opened.environment("prod"))[MODEL]
        assert isinstance(built, Snapshot)
        start, end = built.intervals[-1]
        assert start < end
        day = 24 * 60 * 60 * 1000
        opened.context.state_sync.remove_intervals([(built, (end - day, end))])
        for days in (0, 3):
            with clock(days=days):
                assert status(opened, "prod").unbuilt == (MODEL,)
        # Nor does what fell due stand in the way of a promotion, which builds nothing.
        with clock(days=3):
            opened.context.plan("dev", no_prompts=True, auto_apply=True, include_unmodified=True)
        with clock(days=5):
            assert status(opened, "dev").unbuilt == ()
            assert promote(opened, "dev", "prod").models == ()
    finally:
        opened.close()
