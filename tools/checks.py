#!/usr/bin/env python3
"""The checks of this project, once: what `make lint`, `make test`, commits and workflows run.

    python tools/checks.py                      all
    python tools/checks.py ruff sqlmesh-lint    these
    python tools/checks.py --files FILE …       those that one of the files concerns
    python tools/checks.py --staged             those that the next commit concerns

They run side by side and change nothing. What a check that failed has written is printed. Exit
code: 0 if all passed, 1 if one failed, 2 if there is no such check.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTHON = r"\.pyi?$|^pyproject\.toml$"
MODELS = (
    r"^(models|macros|audits|linter|materializations|contracts|mesh)/"
    r"|^(config|external_models)\.yaml$"
)


@dataclass(frozen=True)
class Check:
    """A command of this project's environment, and a pattern of the files that concern it."""

    name: str
    command: tuple[str, ...]
    files: str


# The longest first.
CHECKS = (
    Check("contracts-prove", ("mesh", "contracts", "prove"), f"{MODELS}|^looker/"),
    Check("sqlmesh-test", ("sqlmesh", "test"), rf"{MODELS}|^tests/.*\.yaml$"),
    Check("sqlmesh-lint", ("sqlmesh", "lint"), MODELS),
    Check("sqlmesh-format", ("sqlmesh", "format", "--check"), r"^(models|audits)/.*\.sql$"),
    Check("dashboards", ("mesh", "dashboards", "check"), r"^(looker|contracts|mesh)/"),
    Check("docs", ("mesh", "docs", "--check"), rf"{MODELS}|^(looker|docs|\.github)/"),
    Check("contracts", ("mesh", "contracts", "lint"), r"^(contracts|mesh)/"),
    Check("mypy", ("mypy",), PYTHON),
    Check("ruff", ("ruff", "check", "."), PYTHON),
    Check("format", ("ruff", "format", "--check", "."), PYTHON),
)


@dataclass(frozen=True)
class Outcome:
    check: Check
    code: int
    output: str
    seconds: float


def run(check: Check) -> Outcome:
    """Run one check in the project's root."""
    started = time.monotonic()
    done = subprocess.run(
        [str(BIN / check.command[0]), *check.command[1:]],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(check, done.returncode, done.stdout, time.monotonic() - started)


def staged() -> list[str]:
    """What the next commit changes; pre-commit names no files that it deletes."""
    words = ("git", "diff", "--cached", "--name-only", "--no-renames", "-z")
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return [name for name in done.stdout.split("\0") if name]


def main() -> int:
    parser = argparse.ArgumentParser(prog="checks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="CHECK", help="by default all")
    parser.add_argument("--files", nargs="*", default=[], help="only what concerns these files")
    parser.add_argument("--staged", action="store_true", help="and what is staged, or deleted")
    parser.add_argument("--list", action="store_true", help="name them, and run none")
    options = parser.parse_args()
    if unknown := set(options.names) - {check.name for check in CHECKS}:
        known = ", ".join(check.name for check in CHECKS)
        parser.error(f"there is no check {', '.join(sorted(unknown))}; there are {known}.")
    files = [*options.files, *(staged() if options.staged else ())]
    wanted = [
        check
        for check in CHECKS
        if (not options.names or check.name in options.names)
        and (not (files or options.staged) or any(re.search(check.files, one) for one in files))
    ]
    if options.list:
        print(*(check.name for check in wanted), sep="\n")
        return 0
    failed = 0
    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
        for outcome in pool.map(run, wanted):
            how = "failed" if outcome.code else "passed"
            print(f"{outcome.check.name}: {how} in {outcome.seconds:.1f} s", flush=True)
            if outcome.code:
                failed += 1
                print(f"$ {' '.join(outcome.check.command)}\n{outcome.output}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
