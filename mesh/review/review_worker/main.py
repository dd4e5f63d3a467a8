"""The process: reads one job as JSON from standard input, writes the answer into a file."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

WAIT_SECONDS = 120


def run() -> None:
    """Do one job. The answer has `problem` instead of `models` when the project does not load."""
    job = json.load(sys.stdin)
    answer: dict[str, Any] = {}
    try:
        _work(job, answer)
    except BaseException as error:
        answer["problem"] = " ".join(str(error).split())[:2000] or type(error).__name__
        answer["traceback"] = traceback.format_exc()
    target = Path(job["answer"])
    partial = target.with_suffix(".part")
    partial.write_text(json.dumps(answer))
    partial.rename(target)


def _work(job: dict[str, Any], answer: dict[str, Any]) -> None:
    started = time.monotonic()
    from .planning import plan_against, plan_against_base, snapshots_of
    from .project import describe
    from .rows import data_diff, environments_differ

    notes: list[str] = []
    context = _open(job, notes)
    answer["models"] = describe(context)
    answer["seconds"] = round(time.monotonic() - started, 2)
    if job["side"] == "base":
        answer["snapshots"] = snapshots_of(context)
        return
    answer["notes"] = notes
    plan = None
    if job.get("state"):
        try:
            plan = plan_against(context)
        except Exception as error:
            notes.append("The plan against prod failed: " + " ".join(str(error).split())[:300])
    if plan is None:
        base = _wait_for(Path(job["base_answer"]))
        if base and "snapshots" in base:
            plan = plan_against_base(context, base["snapshots"])
    answer["plan"] = plan
    if job.get("state") and job.get("environment"):
        try:
            products, why = environments_differ(context, "prod", job["environment"])
            public = [p for p in products if answer["models"].get(p, {}).get("public")]
            if why:
                notes.append(f"No data diff: {why}.")
            else:
                answer["rows"] = data_diff(
                    context, "prod", job["environment"], public, job["personal"]
                )
        except Exception as error:
            notes.append("The data diff failed: " + " ".join(str(error).split())[:300])


def _open(job: dict[str, Any], notes: list[str]) -> Any:
    """The project with its state; without it when the local database cannot be opened."""
    from .project import load_context

    root, gateway = Path(job["root"]), job.get("gateway")
    if not job.get("state") or job.get("spare") is None:
        return load_context(root, gateway, False)
    try:
        context = load_context(root, gateway, job.get("read_only", False))
        context.engine_adapter.fetchone("SELECT 1")
        return context
    except Exception as error:
        text = " ".join(str(error).split())
        if not any(word in text for word in ("IO Error", "lock", "IOException", "Permission")):
            raise
        notes.append(f"No plan against prod: the database cannot be opened. {text[:200]}")
        job["state"] = False
        os.environ[job["variable"]] = job["spare"]
        return load_context(root, gateway, False)


def _wait_for(path: Path) -> dict[str, Any] | None:
    """The answer of the other process; None when it does not come."""
    end = time.monotonic() + WAIT_SECONDS
    while not path.exists():
        if time.monotonic() > end or os.getppid() == 1:
            return None
        time.sleep(0.05)
    return json.loads(path.read_text())
