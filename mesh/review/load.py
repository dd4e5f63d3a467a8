"""Both revisions' SQLMesh projects, each loaded once, side by side in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mesh.errors import WrongUse
from mesh.settings import BIGQUERY_GATEWAY, DATABASE_VARIABLE, DEFAULT_DATABASE

_HERE = Path(__file__).resolve().parent
_START = f"import sys; sys.path.append({str(_HERE)!r}); from review_worker.main import run; run()"
TIMEOUT = 1800


@dataclass(frozen=True)
class Models:
    """What one revision's project says of its models; plain data of `review_worker.project`.

    problem: why it did not load; then all else is empty.
    """

    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    problem: str = ""
    plan: dict[str, Any] | None = None
    rows: list[dict[str, Any]] | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


def load_both(
    *,
    base: Path | None,
    head: Path,
    scratch: Path,
    gateway: str | None = None,
    environment: str | None = None,
    personal: dict[str, list[str]] | None = None,
) -> tuple[Models, Models]:
    """Load the projects at two roots. SQLMesh is loaded twice in all: once for each.

    base: None when the base had no project. environment: which one to compare with prod, row by
    row; None for no data diff.
    """
    local = gateway != BIGQUERY_GATEWAY
    database = head / Path(os.environ.get(DATABASE_VARIABLE) or DEFAULT_DATABASE)
    state = database.is_file() if local else True
    answers = {side: scratch / f"{side}.json" for side in ("base", "head")}
    common = {"personal": personal or {}, "base_answer": str(answers["base"])}
    jobs = {
        "base": {"side": "base", "root": str(base), "gateway": None, **common},
        "head": {
            "side": "head",
            "root": str(head),
            "gateway": gateway,
            "state": state,
            # A table diff writes temporary tables; without one the file is only read.
            "read_only": state and local and environment is None,
            "environment": environment,
            "variable": DATABASE_VARIABLE,
            "spare": str(scratch / "head.duckdb") if local else None,
            **common,
        },
    }
    databases = {
        "base": scratch / "base.duckdb",
        "head": database if state else scratch / "head.duckdb",
    }
    if base is None:
        del jobs["base"]
        answers["base"].write_text(json.dumps({"models": {}, "snapshots": {}}))
    running = {}
    for side, job in jobs.items():
        job["answer"] = str(answers[side])
        running[side] = _start(
            job, Path(str(job["root"])), databases[side], scratch / f"{side}.log"
        )
    for side, process in running.items():
        try:
            process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            raise WrongUse(f"SQLMesh did not load the {side} within {TIMEOUT} s.") from None
    return _answer(answers["base"]), _answer(answers["head"])


def _start(job: dict[str, Any], root: Path, database: Path, log: Path) -> subprocess.Popen[bytes]:
    settings = {
        **os.environ,
        # The `mesh` that macros import is the one of the revision.
        "PYTHONPATH": str(root),
        "PYTHONSAFEPATH": "1",
        DATABASE_VARIABLE: str(database),
        "MAX_FORK_WORKERS": "1",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START],
            cwd=root,
            env=settings,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
        )
    assert process.stdin
    process.stdin.write(json.dumps(job).encode())
    process.stdin.close()
    return process


def _answer(path: Path) -> Models:
    if not path.is_file():
        return Models(problem="the process that loads it ended without an answer")
    data = json.loads(path.read_text())
    if "problem" in data:
        return Models(problem=data["problem"])
    return Models(
        data["models"],
        "",
        data.get("plan"),
        data.get("rows"),
        tuple(data.get("notes", ())),
        data.get("seconds", 0.0),
    )
