"""What the steps of workflows are, of those that check something: when and with what they run."""

from __future__ import annotations

import itertools
import json
import math
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from mesh.review.rules import Place

# What a step calls when it checks something.
TOOLS = ("make", "mesh", "mypy", "pre-commit", "pytest", "ruff", "sqlfluff", "sqlmesh", "tox")
# What GitHub runs a script with that names no shell, or just this one.
_SHELLS = {"": "bash -e {0}", "bash": "bash --noprofile --norc -eo pipefail {0}", "sh": "sh -e {0}"}
# Of a job and a step what is compared as such, and what decides about nothing.
_KNOWN = {
    *("continue-on-error", "defaults", "env", "id", "if", "name", "outputs", "permissions"),
    *("run", "runs-on", "shell", "steps"),
}
SCHEDULE = "schedule"
_USED = re.compile(r"\bmatrix\.([\w-]+)")
# With these in its condition a job runs whatever became of those that it waits for.
_ANYWAY = re.compile(r"\b(?:always|cancelled)\s*\(")
# GitHub makes no more jobs of a matrix.
_MOST_JOBS = 256
_ASSIGNED = re.compile(r"\w+=")
# A line that shows something, and does not write it into a file or call another program.
_SHOWS = re.compile(r"(?:cat|date|echo|env|ls|printf|pwd)\b[^>|;&`$]*$")


Part = frozenset[tuple[str, str]]
"""Values of a matrix that a step runs with, each by its name."""


@dataclass(frozen=True)
class Step:
    """A command of a workflow that checks something.

    command: the tool and its words before the first option. options: in order. events: on which it
    runs, with the branches. unless: conditions of its own and of its job. forgiven: whether it may
    fail. script: of the step that it is a line of. released_by: the environment of GitHub's, with
    the people who agree, that its job waits for. prepared: the steps of its job before it that
    check nothing: scripts, and actions with what they are told, whichever their version. around:
    what else is set for its job, and for it. parts: of the matrix that it speaks of. waits:
    conditions of the jobs that its job waits for.
    """

    file: str
    job: str
    line: int
    command: str
    options: tuple[str, ...]
    events: frozenset[str]
    unless: tuple[str, ...]
    forgiven: bool
    script: str
    environment: tuple[tuple[str, str], ...] = ()
    filters: tuple[tuple[str, str, frozenset[str]], ...] = ()
    shell: str = ""
    around: tuple[tuple[tuple[str, str], ...], ...] = ()
    released_by: str = ""
    prepared: tuple[str, ...] = ()
    parts: frozenset[Part] = frozenset()
    waits: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        return Place(self.file, self.line)


def steps_of(folder: Path, shown: str) -> list[Step]:
    """In the order in which they are written. shown: the folder in messages."""
    found: list[Step] = []
    for file in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        try:
            text = file.read_text(encoding="utf-8")
            data = yaml.safe_load(text)
            found += _steps(f"{shown}/{file.name}", text, data)
        except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, TypeError):
            continue
    return found


def _steps(name: str, text: str, data: dict[Any, Any]) -> Iterator[Step]:
    # YAML reads a bare `on` as true.
    on = data.get("on", data.get(True))
    on = on if isinstance(on, dict) else dict.fromkeys(on if isinstance(on, list) else [on])
    events, filters = frozenset(map(str, on)), tuple(_filters(on))
    lines = text.splitlines()
    at: dict[str, int] = {}
    jobs = data.get("jobs") or {}
    for job, content in jobs.items():
        waits = waited_for(jobs, job)
        prepared: list[str] = []
        gate = content.get("environment") or ""
        for step in content.get("steps") or ():
            script = str(step.get("run", ""))
            levels = (content, step)
            shells = [step.get("shell")]
            shells += [
                ((one.get("defaults") or {}).get("run") or {}).get("shell")
                for one in (content, data)
            ]
            shell = next((str(one) for one in shells if one), "")
            others = tuple(
                tuple(sorted((str(k), text_of(v)) for k, v in one.items() if k not in _KNOWN))
                for one in levels
            )
            environment: dict[str, str] = {}
            for one in (data, *levels):
                environment |= {str(k): str(v) for k, v in (one.get("env") or {}).items()}
            parts = parts_of(content, step, content.get("env"))
            commands = [*_commands(script)]
            if not commands:
                prepared += filter(None, [_does(script, step)])
            for command, options, written in commands:
                # Of several that are written alike the next.
                below = range(at.get(written, 0), len(lines))
                at[written] = next((n + 1 for n in below if written in lines[n]), 1)
                yield Step(
                    name,
                    str(job),
                    at[written],
                    command,
                    options,
                    events,
                    tuple(str(one["if"]) for one in levels if "if" in one),
                    any(one.get("continue-on-error") not in (None, False) for one in levels),
                    script,
                    tuple(sorted(environment.items())),
                    filters,
                    _SHELLS.get(shell, shell),
                    others,
                    str(gate["name"] if isinstance(gate, dict) else gate),
                    tuple(prepared),
                    parts,
                    waits,
                )


def _does(script: str, step: dict[Any, Any]) -> str:
    """What a step does that checks nothing: its lines, or an action with what it is told."""
    if script.strip():
        lines = (line.strip() for line in script.splitlines())
        return "; ".join(line for line in lines if line and not _SHOWS.match(line))
    action, told = str(step.get("uses")).partition("@")[0], step.get("with")
    return f"{action} with {json.dumps(told, default=str)}" if told else action


def _filters(on: dict[Any, Any]) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Of each event what it is limited to: by branches, paths, types, and when."""
    for event, limits in on.items():
        if event == SCHEDULE:
            yield event, "cron", frozenset(str(one.get("cron")) for one in limits or ())
        for name, values in limits.items() if isinstance(limits, dict) else ():
            listed = values if isinstance(values, list) else [values]
            yield str(event), str(name), frozenset(map(str, listed))


def _commands(script: str) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """The checks among the commands of a script, each with its options and its first line."""
    joined = re.sub(r"\\\n\s*", " ", script)
    for line in joined.splitlines():
        for part in re.split(r"&&|\|\||;|(?<!\|)\|(?!\|)|(?<![&>])&(?![&>])", line):
            try:
                words = shlex.split(part, comments=True)
            except ValueError:
                words = part.split()
            words = [word for word in words if not _ASSIGNED.match(word)]
            at = next((n for n, w in enumerate(words) if PurePosixPath(w).name in TOOLS), None)
            if at is None or any(word in ("echo", "printf", "pip", "uv") for word in words[:at]):
                continue
            after = words[at + 1 :]
            first = next((n for n, word in enumerate(after) if word.startswith("-")), len(after))
            command = " ".join([PurePosixPath(words[at]).name, *after[:first]])
            yield command, tuple(after[first:]), part.strip().split("\n")[0].strip()


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
    if math.prod(len(values) for values in axes.values()) > _MOST_JOBS:
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
