#!/usr/bin/env python3
"""Run the whole test suite: independent parts side by side, one summary at the end.

    python tools/run_tests.py [PART …]

There is a part for each core. So of small data DuckDB does more with one core than with several,
and SQLMesh loads models in the process itself: to fork one that holds projects takes longer.

Each part writes to a log of its own; the log of a part that fails is printed whole. The last line
counts the tests of all parts, as pytest does. Exit code: 0 if every part passed, else 1.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".cache" / "test-logs"
BIN = Path(sys.executable).parent
ALONE = {"MESH_DUCKDB_THREADS": "1", "MAX_FORK_WORKERS": "1"}
COUNTS = re.compile(r"(\d+) (passed|failed|errors?|skipped)")


@dataclass(frozen=True)
class Part:
    """Commands that run one after the other, in the project's root."""

    name: str
    commands: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Outcome:
    part: Part
    code: int
    seconds: float
    log: Path


def _pytest(*arguments: str) -> tuple[str, ...]:
    return (str(BIN / "python"), "-m", "pytest", "-p", "no:cacheprovider", *arguments)


HERE = "not bigquery and not browser"
# Files of tests by what they are about, as patterns of their names; all others are a part as well.
BY_SUBJECT = {
    # What plans whole projects.
    "planning": (
        *("contract_audits", "contract_macro", "contracts_new", "demo", "fresh_clone", "linter"),
        *("refresh", "status", "verify", "verify_levels", "verify_reports"),
    ),
    "contracts": ("bite*", "catalogs", "contract*", "lint*", "prove", "source_rules"),
    "projects": ("any_*",),
    "review": ("review*",),
    "ingest": ("generate*", "ingest*"),
    "environments": (
        *("environment_models", "environment_kills", "environment_law", "held_database"),
    ),
    # Sequences of deliveries and commands; they share the builds that they compare with.
    "paths": ("environment_paths", "environment_hands"),
}


def _files() -> dict[str, list[str]]:
    """The files of each part; of several patterns that fit one, the first has it."""
    folders = (ROOT / "tests", ROOT / "tests" / "bigquery")
    left = sorted(path.relative_to(ROOT) for one in folders for path in one.glob("test_*.py"))
    found: dict[str, list[str]] = {}
    for part, names in BY_SUBJECT.items():
        own = [one for one in left if any(one.match(f"test_{name}.py") for name in names)]
        found[part] = [str(one) for one in own]
        left = [one for one in left if one not in own]
    return {**found, "tests": [str(one) for one in left]}


FILES = _files()


def _on_duckdb(part: str) -> Part:
    return Part(part, (_pytest("-m", HERE, "--durations=25", *FILES[part]),))


# The longest first: each core takes the next part when it has done one.
PARTS = (
    Part(
        "bigquery",
        (
            ("tests/servers/bigquery-emulator", "install"),
            ("tests/servers/postgres", "install"),
            _pytest("-m", "bigquery", "--durations=25"),
        ),
    ),
    *map(_on_duckdb, ("planning", "contracts", "environments", "tests")),
    *map(_on_duckdb, ("paths", "projects", "review", "ingest")),
    Part("browser", (("tests/servers/install-chromium",), _pytest("-m", "browser"))),
    Part("checks", ((str(BIN / "python"), "tools/checks.py"),)),
    Part("peer", ((str(BIN / "python"), "tests/servers/peer", "--sample"),)),
    Part("infra", (("make", "--silent", "test-infra"),)),
)


def run(part: Part) -> Outcome:
    """Run the commands of a part until one fails."""
    started = time.monotonic()
    log = LOGS / f"{part.name}.log"
    code = 0
    with log.open("w") as stream:
        for command in part.commands:
            stream.write(f"$ {' '.join(command)}\n")
            stream.flush()
            done = subprocess.run(
                command,
                cwd=ROOT,
                env={**os.environ, **ALONE},
                stdout=stream,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
            if done.returncode:
                stream.write(f"exit code {done.returncode}\n")
                code = 1
                break
    outcome = Outcome(part, code, time.monotonic() - started, log)
    print(f"{part.name}: {'failed' if code else 'passed'} in {outcome.seconds:.0f} s", flush=True)
    return outcome


def main(names: list[str]) -> int:
    known = {part.name: part for part in PARTS}
    if unknown := [name for name in names if name not in known]:
        print(f"there is no part {', '.join(unknown)}: {', '.join(known)}", file=sys.stderr)
        return 2
    LOGS.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
        outcomes = list(pool.map(run, [known[name] for name in names or known]))
    totals = dict.fromkeys(("passed", "failed", "skipped"), 0)
    for outcome in outcomes:
        text = outcome.log.read_text(errors="replace")
        if outcome.code:
            print(f"\n----- {outcome.part.name} -----\n{text}")
        for line in text.splitlines():
            if re.search(r"\d+ (passed|failed|errors?|skipped).* in [\d.]+s", line):
                for count, what in COUNTS.findall(line):
                    key = "failed" if what.startswith("error") else what
                    totals[key] += int(count)
    broken = [outcome for outcome in outcomes if outcome.code]
    failed = max(totals["failed"], len(broken))
    print(f"{totals['passed']} passed, {failed} failed, {totals['skipped']} skipped")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
