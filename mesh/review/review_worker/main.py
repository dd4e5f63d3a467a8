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
    from .project import describe, load_context
    from .rows import data_diff, environments_differ

    context = load_context(Path(job["root"]), job.get("gateway"), job.get("read_only", False))
    answer["models"] = describe(context)
    answer["seconds"] = round(time.monotonic() - started, 2)
    if job["side"] == "base":
        answer["snapshots"] = snapshots_of(context)
        return
    notes: list[str] = []
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


def _wait_for(path: Path) -> dict[str, Any] | None:
    """The answer of the other process; None when it does not come."""
    end = time.monotonic() + WAIT_SECONDS
    while not path.exists():
        if time.monotonic() > end or os.getppid() == 1:
            return None
        time.sleep(0.05)
    return json.loads(path.read_text())
