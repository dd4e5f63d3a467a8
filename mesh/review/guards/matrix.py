"""What a job of a workflow runs its steps with: a matrix, and the jobs that it waits for."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_USED = re.compile(r"\bmatrix\.([\w-]+)")
# With these in its condition a job runs whatever became of those that it waits for.
_ANYWAY = re.compile(r"\b(?:always|cancelled)\s*\(")
# GitHub makes no more jobs of a matrix.
_MOST = 256

Part = frozenset[tuple[str, str]]
"""Values of a matrix that a step runs with, each by its name."""


def parts_of(job: Mapping[str, Any], *used_by: object) -> frozenset[Part]:
    """The values with which something runs that speaks of the job's matrix; none if they are not
    written down, or it does not."""
    names = {*_USED.findall(json.dumps(used_by, default=str))}
    matrix = (job.get("strategy") or {}).get("matrix")
    if not names or not isinstance(matrix, dict):
        return frozenset()
    found = (((n, v) for n, v in one.items() if n in names) for one in _combined(matrix))
    return frozenset(frozenset(one) for one in found)


def lost_parts(was: Iterable[Part], now: Iterable[Part]) -> list[str]:
    """What something ran with and runs with no longer, in words; only of what it still uses."""
    kept = {name for part in now for name, _ in part}
    before = {frozenset(pair for pair in part if pair[0] in kept) for part in was}
    gone = before - {*now} - {frozenset()}
    return sorted(", ".join(f"{n}: {v}" for n, v in sorted(part)) for part in gone)


def _combined(matrix: Mapping[str, Any]) -> list[dict[str, str]]:
    axes = {str(n): v for n, v in matrix.items() if n not in ("include", "exclude")}
    if not all(isinstance(values, list) for values in axes.values()):
        return []
    if math.prod(len(values) for values in axes.values()) > _MOST:
        return []
    pairs = ([(name, text_of(value)) for value in values] for name, values in axes.items())
    found = [dict(one) for one in itertools.product(*pairs)] if axes else []
    for out in _listed(matrix.get("exclude")):
        found = [one for one in found if not out.items() <= one.items()]
    original = len(found)
    for more in _listed(matrix.get("include")):
        fixed = {name: value for name, value in more.items() if name in axes}
        taken = [one for one in found[:original] if fixed.items() <= one.items()]
        for one in taken:
            one.update(more)
        if not taken:
            found.append(more)
    return found


def _listed(value: Any) -> list[dict[str, str]]:
    rows = value if isinstance(value, list) else []
    return [{str(n): text_of(v) for n, v in row.items()} for row in rows if isinstance(row, dict)]


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def waited_for(jobs: Mapping[str, Any], job: str) -> tuple[str, ...]:
    """The conditions of the jobs that a job waits for: where one is skipped, it is skipped too."""
    return tuple(dict.fromkeys(_conditions(jobs, job, {job})))


def _conditions(jobs: Mapping[str, Any], job: str, seen: set[str]) -> Iterator[str]:
    content = jobs.get(job) or {}
    if _ANYWAY.search(str(content.get("if", ""))):
        return
    needs = content.get("needs") or []
    for name in needs if isinstance(needs, list) else [needs]:
        if name in seen or name not in jobs:
            continue
        seen.add(name)
        if "if" in jobs[name]:
            yield str(jobs[name]["if"])
        yield from _conditions(jobs, name, seen)
