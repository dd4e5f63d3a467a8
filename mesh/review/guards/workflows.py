"""Steps of workflows that check something: gone, or made so that they stop nobody."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from mesh.project import AS_OF_VARIABLE
from mesh.review.models.both import Both
from mesh.review.rules import BREAKS, NONE, WARNS, Change, Place, Rules

Found = Iterator[Change]
rule: Rules[[Both]] = Rules("guard")
# What a step calls when it checks something.
TOOLS = ("make", "mesh", "mypy", "pre-commit", "pytest", "ruff", "sqlfluff", "sqlmesh", "tox")
# A failure that follows one of these is none.
_FORGIVES = re.compile(
    r"\|\|\s*(true|:|exit 0|echo\b)|^\s*set \+(?:e|o errexit)"
    r"|^\s*(?:if|while|until)\s+(?!\[|test\b)",
    re.MULTILINE,
)
_FAILS = re.compile(r"^\s*(exit (?!0\b).*|set -\w*e\w*.*)$", re.MULTILINE)
_ASSIGNED = re.compile(r"\w+=")


@dataclass(frozen=True)
class Step:
    """A command of a workflow that checks something.

    command: the tool and its words before the first option. options: in order. events: on which it
    runs, with the branches. unless: conditions of its own and of its job. forgiven: whether it may
    fail. script: of the step that it is a line of.
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

    @property
    def place(self) -> Place:
        return Place(self.file, self.line)


def steps_of(folder: Path, shown: str) -> dict[tuple[str, str], Step]:
    """By file and command; of several that are alike the first. shown: the folder in messages."""
    found: dict[tuple[str, str], Step] = {}
    for file in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        try:
            text = file.read_text(encoding="utf-8")
            data = yaml.safe_load(text)
            for step in _steps(f"{shown}/{file.name}", text, data):
                found.setdefault((step.file, step.command), step)
        except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, TypeError):
            continue
    return found


def _steps(name: str, text: str, data: dict[Any, Any]) -> Iterator[Step]:
    # YAML reads a bare `on` as true.
    events = _events(data.get("on", data.get(True)))
    lines = text.splitlines()
    for job, content in (data.get("jobs") or {}).items():
        for step in content.get("steps") or ():
            script = str(step.get("run", ""))
            levels = (content, step)
            environment: dict[str, str] = {}
            for one in (data, *levels):
                environment |= {str(k): str(v) for k, v in (one.get("env") or {}).items()}
            for command, options, written in _commands(script):
                yield Step(
                    name,
                    str(job),
                    next((n for n, one in enumerate(lines, 1) if written in one), 1),
                    command,
                    options,
                    events,
                    tuple(str(one["if"]) for one in levels if "if" in one),
                    any(one.get("continue-on-error") not in (None, False) for one in levels),
                    script,
                    tuple(sorted(environment.items())),
                )


def _events(on: Any) -> frozenset[str]:
    if isinstance(on, dict):
        return frozenset(map(str, on))
    return frozenset(map(str, on if isinstance(on, list) else [on]))


def _commands(script: str) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """The checks among the commands of a script, each with its options and its first line."""
    joined = re.sub(r"\\\n\s*", " ", script)
    for line in joined.splitlines():
        for part in re.split(r"&&|\|\||;|(?<!\|)\|(?!\|)", line):
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


def _both(both: Both) -> tuple[dict[tuple[str, str], Step], dict[tuple[str, str], Step]]:
    shown = os.path.relpath(both.workflows, both.new.root)
    return steps_of(both.old.workflows, shown), steps_of(both.workflows, shown)


@rule(BREAKS, NONE, "Bring the step back.")
def step_no_delete(both: Both) -> Found:
    """What no workflow runs stops nobody."""
    before, after = _both(both)
    there = {(step.command, step.events) for step in after.values()}
    for key, step in before.items():
        if key not in after and (step.command, step.events) not in there:
            file = both.workflows / PurePosixPath(step.file).name
            line = both.files.edited.get(step.file, 1) if file.is_file() else 1
            message = f"`{step.command}` no longer runs: it was taken out of the job {step.job}."
            yield Change(product="project", message=message, where=Place(step.file, line))


@rule(BREAKS, NONE, "Let the step fail when what it checks fails, and run when it ran.")
def step_no_weaken(both: Both) -> Found:
    """A step that may fail, or is skipped, is green whatever happens."""
    before, after = _both(both)
    for key, was in before.items():
        now = after.get(key)
        if now is None or was == now:
            continue
        for why in _weaker(was, now):
            message = f"`{now.command}` in the job {now.job} {why}."
            yield Change(product="project", message=message, where=now.place)


def _weaker(was: Step, now: Step) -> Iterator[str]:
    if now.forgiven and not was.forgiven:
        yield "may fail now: `continue-on-error`"
    if new := [one for one in now.unless if one not in was.unless]:
        yield f"runs only if {' and '.join(new)}"
    if lost := sorted(was.events - now.events):
        yield f"no longer runs on {', '.join(lost)}"
    if len(_FORGIVES.findall(now.script)) > len(_FORGIVES.findall(was.script)):
        yield "may fail now: its script goes on"
    fails = [one.strip() for one in _FAILS.findall(was.script)]
    if lost := [one for one in fails if one not in now.script]:
        yield f"may fail now: its script no longer has `{lost[0]}`"
    if (day := _fixed_day(now)) and day != _fixed_day(was):
        yield f"measures freshness against {day}, whatever day it is"
    skips = [o for o in now.options if o.startswith(("--skip", "--no-")) and o not in was.options]
    skips = [one for one in skips if one != "--no-prompts"]
    lost = [o for o in was.options if o.startswith("--") and o not in now.options]
    if skips or lost:
        words = [f"with {o}" for o in skips] + [f"without {o}" for o in lost]
        yield f"runs {' and '.join(words)}"


def _fixed_day(step: Step) -> str:
    """The day of use that is written down for a check; empty where it is today, or a variable."""
    asked = [o.partition("=")[2] for o in step.options if o.startswith("--as-of=")]
    asked += [new for old, new in pairwise(step.options) if old == "--as-of"]
    day = asked[0] if asked else dict(step.environment).get(AS_OF_VARIABLE, "")
    return "" if day.startswith("$") else day


def _asked(step: Step) -> tuple[object, ...]:
    return step.options, step.script, step.unless, step.environment


@rule(WARNS, NONE, "See whether it still stops what it stopped.")
def step_changed(both: Both) -> Found:
    """Who reviews sees when a check is run otherwise."""
    before, after = _both(both)
    for key, was in before.items():
        now = after.get(key)
        if now is None or [*_weaker(was, now)]:
            continue
        if _asked(was) != _asked(now):
            message = f"`{now.command}` in the job {now.job} is run otherwise."
            yield Change(product="project", message=message, where=now.place)
