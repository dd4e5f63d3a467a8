"""Whole builds that several tests start from or compare with, each made once.

They are kept in .cache/test-builds by what they are made of, so that the parts of a test run, its
workers, and the next run of the same day share them. Nobody writes to them: copy them.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from audience import Audience, opened
from project_copy import FILES, PARTS, ROOT, ProjectCopy

from mesh.environments import plan
from mesh.movielens.ingest import ingest

BUILDS = ROOT / ".cache" / "test-builds"


def built(copy: ProjectCopy, audience: Audience, environment: str) -> Path:
    """The database of a project to which that audience alone was delivered, and then planned."""
    # Environments expire after days, so a day has its own.
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    key = f"{day}-{_made_of(copy, audience, environment)}"
    database = BUILDS / key / "mesh.duckdb"
    BUILDS.mkdir(parents=True, exist_ok=True)
    for old in BUILDS.iterdir():
        if not old.name.startswith((day, "tmp")):
            shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink(missing_ok=True)
    with (BUILDS / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not database.is_file():
            with tempfile.TemporaryDirectory(dir=BUILDS) as folder:
                made = Path(folder) / "made"
                ingest(audience.deliver(made / "source"), database=made / "mesh.duckdb")
                with opened(copy, made / "mesh.duckdb") as project:
                    plan(project, environment)
                made.rename(database.parent)
    return database


def _made_of(copy: ProjectCopy, audience: Audience, environment: str) -> str:
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    digest.update(repr((audience.movies, audience.ratings, audience.tags, environment)).encode())
    files = [path for part in PARTS for path in (copy.root / part).rglob("*")]
    for path in sorted([*files, *(copy.root / name for name in FILES)]):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(copy.root)).encode() + path.read_bytes())
    # The tests import the package of the checkout, whatever the copy holds.
    for path in sorted((ROOT / "mesh").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
