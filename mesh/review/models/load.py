"""Both revisions' SQLMesh projects, each loaded once, side by side in processes of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from mesh.contracts.sound import FILE
from mesh.errors import WrongUse
from mesh.files.scratch import can_be_written
from mesh.project import DATABASE_VARIABLE, Project
from mesh.review.models.review_worker.facts import Job, Models, from_json, to_json
from mesh.secret import hidden

_HERE = Path(__file__).resolve().parent
_START = f"import sys; sys.path.append({str(_HERE)!r}); from review_worker.main import run; run()"
TIMEOUT = 1800
# What SQLMesh and the contract lint keep under a digest of all that it follows from.
_KEPT_BY_CONTENT = ("optimized_query", FILE)


def load_both(
    base: Project | None,
    head: Project,
    personal: Mapping[str, tuple[str, ...]],
    *,
    scratch: Path,
    gateway: str | None = None,
    environment: str | None = None,
) -> tuple[Models, Models]:
    """Load two projects. SQLMesh is loaded twice in all: once for each.

    base: None when the base had no project. personal: columns by product of which no values may be
    shown. scratch: an empty folder. environment: which one to compare with prod, row by row; None
    for no data diff. Raises WrongUse when it takes too long.
    """
    local = not head.is_on_bigquery(gateway)
    state = head.database.is_file() if local else True
    answers = {side: scratch / f"{side}.json" for side in ("base", "head")}
    databases = {side: scratch / f"{side}.duckdb" for side in answers}
    jobs = [
        Job(
            "head",
            head.root,
            answers["head"],
            answers["base"],
            gateway=gateway,
            state=state,
            spare=databases["head"] if local else None,
            variable=DATABASE_VARIABLE,
            environment=environment,
            personal=personal,
        )
    ]
    if state:
        databases["head"] = head.database
    if base is None:
        answers["base"].write_bytes(to_json(Models()))
    else:
        _lend(head.cache, base.cache)
        _make_room(base)
        jobs.insert(0, Job("base", base.root, answers["base"], answers["base"]))
    with ExitStack() as running:
        started = [running.enter_context(_run(job, databases[job.side], scratch)) for job in jobs]
        try:
            for job, process in zip(jobs, started, strict=True):
                # What it waits for is there.
                assert process.stdin
                process.stdin.close()
                process.wait(TIMEOUT)
                if not job.answer.is_file():
                    problem = "the process that loads it ended without an answer"
                    job.answer.write_bytes(to_json(Models(problem=problem)))
        except subprocess.TimeoutExpired:
            raise WrongUse(f"SQLMesh did not load both revisions within {TIMEOUT} s.") from None
    return _answer(answers["base"]), _answer(answers["head"])


@contextmanager
def _run(job: Job, database: Path, scratch: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process of a job. Whatever ends the review ends it, and all that it has started."""
    # What the project's file says of variables stands among them already, but for the database.
    no_variables = scratch / "none.env"
    no_variables.touch()
    settings = {
        **os.environ,
        "SQLMESH_DOTENV_PATH": str(no_variables),
        # The `mesh` that macros import is the one of the revision.
        "PYTHONPATH": str(job.root),
        "PYTHONSAFEPATH": "1",
        DATABASE_VARIABLE: str(database),
    }
    if not can_be_written(Project(job.root).cache):
        # SQLMesh keeps what it has read there. That it cannot is no fault of the change.
        settings["SQLMESH__CACHE_DIR"] = str(scratch / f"{job.side}-cache")
    with (scratch / f"{job.side}.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START],
            cwd=job.root,
            env=settings,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        assert process.stdin
        process.stdin.write(to_json(job) + b"\n")
        process.stdin.flush()
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _lend(kept: Path, to: Path) -> None:
    """Spare the base what was worked out for the work tree: most of both is the same."""
    for name in _KEPT_BY_CONTENT:
        with suppress(OSError):
            if (kept / name).is_dir():
                shutil.copytree(kept / name, to / name)
            else:
                to.mkdir(exist_ok=True)
                shutil.copy2(kept / name, to / name)


def _make_room(base: Project) -> None:
    """Folders for the databases of a revision: what git ignores is not laid out with it."""
    for database in base.databases.values():
        if database.resolve().is_relative_to(base.root.resolve()):
            database.parent.mkdir(parents=True, exist_ok=True)


def _answer(path: Path) -> Models:
    found = from_json(Models, path.read_bytes())
    # In that process nothing of what is kept is known.
    rows = found.rows and tuple(replace(row, problem=hidden(row.problem)) for row in found.rows)
    notes = tuple(map(hidden, found.notes))
    return replace(found, problem=hidden(found.problem), notes=notes, rows=rows)
