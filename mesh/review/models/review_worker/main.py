"""The process: reads one job as JSON from standard input, writes the answer into a file.

The input ends when the base has answered, for which the head waits.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from .facts import Job, Models, from_json, one_line, to_json


def run() -> None:
    """Do one job. The answer says why when the project does not load."""
    job = from_json(Job, sys.stdin.buffer.readline())
    try:
        answer = _work(job)
    except BaseException as error:
        answer = Models(problem=one_line(error, 2000) or type(error).__name__)
    partial = job.answer.with_suffix(".part")
    partial.write_bytes(to_json(answer))
    partial.rename(job.answer)


def _work(job: Job) -> Models:
    from . import planning, rows
    from .project import describe, open_project
    from .unit_tests import failing, to_be_run

    opened, note = open_project(job)
    context = opened.context
    notes = [note] if note else []
    answer = describe(context)
    if job.side == "base":
        return replace(answer, snapshots=planning.snapshots_of(context))
    plan = None
    if opened.state:
        try:
            plan = planning.plan_against_prod(context)
        except Exception as error:
            notes.append(f"The plan against prod failed: {one_line(error)}")
    sys.stdin.read()
    base = from_json(Models, job.base_answer.read_bytes())
    if not base.problem:
        plan = plan or planning.plan_against_base(context, base.snapshots)
        failed, unable = failing(context, to_be_run(base, answer))
        answer = replace(answer, failing=failed)
        if unable:
            names = ", ".join(unable[:3]) + (" …" if unable[3:] else "")
            tests = "unit test" if len(unable) == 1 else "unit tests"
            notes.append(f"{len(unable)} {tests} of the base cannot run here: {names}.")
    found = None
    if opened.state and job.environment:
        try:
            products, why = rows.environments_differ(context, "prod", job.environment)
            public = [
                name for name in products if name in answer.models and answer.models[name].public
            ]
            if why:
                notes.append(f"No data diff: {why}.")
            else:
                found = rows.data_diff(context, "prod", job.environment, public, job.personal)
        except Exception as error:
            notes.append(f"The data diff failed: {one_line(error)}")
    return replace(answer, plan=plan, rows=found, notes=tuple(notes))
