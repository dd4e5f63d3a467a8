"""The other tests of the base, run on what a change makes, and files that decide on checks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from mesh.files.scratch import scratch
from mesh.review.contracts.words import shortened
from mesh.review.guards.stated import PATH, BaseTests, Guards, read_guards
from mesh.review.models.both import Both
from mesh.review.models.lines import blocks, edited_at, files_of, lies_in
from mesh.review.rules import BREAKS, PROJECT, WARNS, Change, Found, Rules

rule: Rules[[Both]] = Rules("guard")
TIMEOUT = 1800


@rule(BREAKS, instead="Mend it, or say in contracts/review.yaml why the test was wrong.")
def base_tests_hold(both: Both) -> Found:
    """A change together with its tests would otherwise agree with itself."""
    for tests in read_guards(both.old.contracts).base_tests:
        made = both.files.made_in(*tests.paths)
        if made is None:
            continue
        code, said = _run(both, tests)
        if code:
            what = "no longer hold" if code == 1 else "cannot be run any more"
            message = f"The tests of {tests.name} as they are in the base {what}: {said}"
            yield Change(PROJECT, message, made)


def _run(both: Both, tests: BaseTests) -> tuple[int, str]:
    """The exit code of the tests of the base on a copy of the work tree, and their last words."""
    with scratch("mesh-base-tests") as folder:
        copy = folder.resolve() / "project"
        for name in files_of(both.new.root):
            _copy(both.new.root / name, copy / name)
        for top in tests.tests:
            shutil.rmtree(copy / top, ignore_errors=True)
            (copy / top).unlink(missing_ok=True)
        for name in files_of(both.old.root):
            if any(name == top or name.startswith(f"{top.rstrip('/')}/") for top in tests.tests):
                _copy(both.old.root / name, copy / name)
        command = [sys.executable if word == "python" else word for word in tests.command]
        try:
            done = subprocess.run(
                command,
                cwd=copy,
                env={**os.environ, "PYTHONPATH": str(copy)},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return 2, str(error)
        lines = [line for line in done.stdout.splitlines() + done.stderr.splitlines() if line]
        told = [line for line in lines if line.startswith(("E  ", "FAILED", "ERROR"))] or lines
        text = " ".join(" ".join(told[-4:]).split()).replace(f"{copy}/", "")
        return done.returncode, shortened(text, 400)


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.is_file():
        shutil.copy(file, target)


@rule(BREAKS, instead="Put it back into contracts/review.yaml.")
def review_no_less(both: Both) -> Found:
    """What a review looks at is not taken from it by what it looks at."""
    was, now = (read_guards(side.contracts) for side in (both.old, both.new))
    for what in [one for one in _asked(was) if one not in _asked(now)]:
        yield Change(PROJECT, f"Reviews no longer ask for {what}.", edited_at(both.files, PATH))


def _asked(file: Guards) -> list[str]:
    """All that a file asks for, in words."""
    tests = [
        f"the tests of {one.name} ({text})"
        for one in file.base_tests
        for text in (" ".join(one.command), *(f"on changes of {path}" for path in one.paths))
    ]
    return [*tests, *(f"{name} to stay as it is" for name in file.guards)]


@rule(WARNS, instead="See whether everything that was checked still is.")
def guard_file_same(both: Both) -> Found:
    """A check that is taken out of a list fails no more, nor one that a new line leaves out."""
    guards = read_guards(both.old.contracts).guards
    for name in both.files.edited:
        if not any(lies_in(name, one) for one in guards):
            continue
        before, after = _lines(both, name)
        other = blocks(before, after)
        gone = _said(before[start:end] for start, end, *_ in other)
        came = _said(after[start:end] for *_, start, end in other)
        if gone or came:
            told = [f"what stood in {name} and is gone: {gone}"] if gone else []
            told += [f"what is new{'' if gone else f' in {name}'}: {came}"] if came else []
            message = "; ".join(told)
            message = f"{message[0].upper()}{message[1:]}"
            yield Change(PROJECT, message, edited_at(both.files, name))


def _said(parts: Iterable[tuple[str, ...]]) -> str:
    lines = [line.strip() for part in parts for line in part]
    return shortened(" ".join(line for line in lines if line and not line.startswith("#")), 300)


def _lines(both: Both, name: str) -> list[tuple[str, ...]]:
    """A file before and after; what is written from contracts was to become what it becomes."""
    files = [side.root / name for side in (both.old, both.new)]
    before, after = (one.read_text("utf-8", "replace") if one.is_file() else "" for one in files)
    return [tuple(text.splitlines()) for text in (both.brought_up.get(name, before), after)]
