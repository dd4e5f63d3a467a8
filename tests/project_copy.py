"""A copy of the project in a folder of a test's own, to be broken there by hand.

Contracts are found beside the package `mesh`. So what edits contracts needs the package copied
too, and a process that imports the copy: this file, run as a script, answers one question per line.
"""

from __future__ import annotations

import compileall
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import processes

from mesh.project import Project

ROOT = Path(__file__).resolve().parent.parent
BUILDS = ROOT / ".cache" / "test-builds"
PROJECT = Project(ROOT)
PARTS = ("models", "contracts", "macros", "audits", "linter", "materializations", "mesh")
FILES = ("config.yaml", "external_models.yaml")
# Of each kind of model one or two, incremental, by month, a view, a mart, and what they stand on: a
# plan of these takes less than half the time of a plan of all.
FEW = {
    "interactions": (
        *("movies", "rating_events", "movie_ratings_daily", "movie_ratings_monthly"),
        *("tag_events", "movie_tags", "user_movie_ratings"),
        *("movies_engagement", "movies_engagement_daily"),
    ),
    "engagement": ("newest_rating", "windows", "thresholds", "trending_movies"),
}
# What users do and which genres they rate, where a test needs that as well, with all that it reads.
OF_USERS = (
    *("user_actions", "user_actions_monthly"),
    *("user_genre_ratings", "user_genre_ratings_monthly", "movie_genres"),
)
# And the groups that users make, which stand on those.
OF_GROUPS = ("user_groups", "audience_parts", "user_actions_and_groups", "audience_groups")
# A dashboard of few, of users and of groups.
FEW_DASHBOARDS = ROOT / "tests" / "fixtures" / "dashboards" / "few"


@dataclass(frozen=True)
class ProjectCopy:
    """The project at `root`, with a database of its own there."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "mesh.duckdb"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a process that works on the copy."""
        return {
            **os.environ,
            "PYTHONPATH": str(self.root),
            "PYTHONDONTWRITEBYTECODE": "1",
            "MESH_DUCKDB": str(self.database),
            "COLUMNS": "200",
        }

    def read(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace the first `old`, which must be there."""
        text = self.read(path)
        assert old in text, f"{path} has no {old!r}"
        self.write(path, text.replace(old, new, 1))

    def keep_few(self, *more: str) -> None:
        """Take all models out but few and `more`, with their contracts; these name some that are
        gone."""
        for rule in ("contractsaresound", "rulesareinforce"):
            self.edit("config.yaml", f"    - {rule}\n", "")
        for kind in ("models", "contracts"):
            for domain, few in FEW.items():
                for file in (self.root / kind / domain).rglob("*.*"):
                    if file.name.partition(".")[0] not in (*few, *more):
                        file.unlink()

    @property
    def products(self) -> set[str]:
        """The data products it has, with their schemas: contracts that are not with a source."""
        contracts = (self.root / "contracts").glob("*/*.odcs.yaml")
        names = {f"{path.parent.name}.{path.name.partition('.')[0]}" for path in contracts}
        return {name for name in names if not name.startswith("operational.")}

    def line(self, path: str, text: str, after: str = "") -> int:
        """The number of the first line with `text`, at or below the first with `after`."""
        lines = self.read(path).splitlines()
        start = next(i for i, line in enumerate(lines) if after in line)
        return next(i for i, line in enumerate(lines, start=1) if i > start and text in line)

    def run(
        self, *command: str, check: bool = False, timeout: int = 240
    ) -> subprocess.CompletedProcess[str]:
        """A command of the project's environment, such as `sqlmesh lint`, in the copy."""
        return processes.run(
            *command, cwd=self.root, env=self.environment, timeout=timeout, check=check
        )

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        """A process that has imported the copy."""
        process = subprocess.Popen(
            [sys.executable, __file__],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield Worker(process)
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait(timeout=60)
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()


PRODUCTS = len(ProjectCopy(ROOT).products)


@dataclass(frozen=True)
class Worker:
    process: subprocess.Popen[str]

    def ask(self, question: str, **arguments: Any) -> Any:
        """The answer of a function of the same name below; the error's text if it raised."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin and stdout
        stdin.write(json.dumps({"question": question, **arguments}) + "\n")
        stdin.flush()
        line = stdout.readline()
        assert line, self.process.stderr.read() if self.process.stderr else ""
        return json.loads(line)


def copy_project(to: Path, *, loaded: bool = True) -> ProjectCopy:
    """Copy what SQLMesh and `mesh` read; not the tests, so that plans do not run them.

    loaded: whether it was loaded and linted before, as the project of who works on it: SQLMesh then
    finds the queries that it has optimized, and lint the contracts that it found sound.
    """
    if loaded:
        shutil.copytree(_loaded(), to, dirs_exist_ok=True)
        return ProjectCopy(to)
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    for part in PARTS:
        shutil.copytree(ROOT / part, to / part, ignore=ignore)
    for name in FILES:
        shutil.copy2(ROOT / name, to / name)
    copy = ProjectCopy(to)
    copy.edit("config.yaml", "    - publicmodelneedstest\n", "")
    return copy


def share_analyzer(root: Path) -> None:
    """Let a project use Google's analyzer in the machine code that this one keeps.

    To make it takes a minute of CPU.
    """
    kept = PROJECT.cache / "googlesql"
    kept.mkdir(parents=True, exist_ok=True)
    Project(root).cache.mkdir(exist_ok=True)
    (Project(root).cache / kept.name).symlink_to(kept)


def _loaded() -> Path:
    """A copy that was loaded and linted, to be copied."""
    with once(f"loaded-{made_of(ROOT)}") as (place, made):
        if made:
            copy = copy_project(made / "project", loaded=False)
            (copy.root / ".cache").mkdir()
            (copy.root / ".cache" / ".gitignore").write_text("*\n")
            with copy.worker() as worker:
                worker.ask("lint")
            for file in copy.root.glob("mesh.duckdb*"):
                file.unlink()
            shutil.rmtree(copy.root / "logs", ignore_errors=True)
            # Each process of a copy would compile the package again; copied files keep their time.
            compileall.compile_dir(copy.root / "mesh", quiet=1)
    return place / "project"


@contextmanager
def once(name: str) -> Iterator[tuple[Path, Path | None]]:
    """A folder that the parts of a test run, its workers, and the next run of that day share.

    With it the folder to be filled, by whoever comes first, or None where it was. What is noted in
    there can be of the day (environments expire, contracts end), so a day has its own.
    """
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    place = BUILDS / f"{day}-{name}"
    BUILDS.mkdir(parents=True, exist_ok=True)
    for old in BUILDS.iterdir():
        if not old.name.startswith((day, "tmp")):
            shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink(missing_ok=True)
    with (BUILDS / f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if place.is_dir():
            yield place, None
            return
        with tempfile.TemporaryDirectory(dir=BUILDS) as folder:
            made = Path(folder) / "made"
            made.mkdir()
            yield place, made
            made.rename(place)


def made_of(root: Path, *others: object) -> str:
    """What a build is made of: a project, the package, what is installed, and others by their text.

    The tests import the package of the checkout, whatever a copy holds.
    """
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    digest.update(repr(others).encode())
    files = [path for part in PARTS for path in (root / part).rglob("*")]
    files += [root / name for name in FILES]
    for base, paths in ((root, files), (ROOT, (ROOT / "mesh").rglob("*.py"))):
        for path in sorted(paths):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(base)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


# --- within the worker ---


def _context() -> Any:
    from sqlmesh import Context

    return Context(paths=["."])


def lint() -> list[dict[str, str]]:
    """All violations of a freshly loaded project."""
    context = _context()
    found = context.lint_models(raise_on_error=False)
    context.close()
    return [
        {
            "level": violation.violation_type,
            "rule": violation.rule.name,
            "model": violation.model.name,
            "message": violation.violation_msg,
        }
        for violation in found
    ]


def header(model: str) -> dict[str, Any]:
    """What a freshly loaded model says about itself, as text."""
    context = _context()
    found = context.get_model(model, raise_if_missing=True)
    answer = {
        "owner": found.owner,
        "description": found.description,
        "grain": [grain.sql(dialect="bigquery") for grain in found.grains],
        "column_descriptions": found.column_descriptions,
        "tags": found.tags,
        "grants": found.grants,
        "labels": found.virtual_properties["labels"].sql(dialect="bigquery"),
        "depends_on": sorted(name.replace('"', "") for name in found.depends_on),
        "audits": {
            name: {key: value.sql(dialect="bigquery") for key, value in arguments.items()}
            for name, arguments in found.audits
        },
    }
    context.close()
    return answer


def plan(environment: str) -> list[str]:
    """Plan without building anything; the models that it would change, as text differences."""
    context = _context()
    changes = context.plan(
        environment, no_prompts=True, skip_tests=True, auto_apply=False
    ).context_diff
    texts = [changes.text_diff(name) for name in changes.modified_snapshots]
    context.close()
    return texts


def apply(environment: str) -> None:
    """Plan and apply without any data."""
    context = _context()
    context.plan(environment, no_prompts=True, auto_apply=True, skip_tests=True, skip_backfill=True)
    context.close()


def _serve(questions: IO[str], answers: IO[str]) -> None:
    known = {function.__name__: function for function in (lint, header, plan, apply)}
    for line in questions:
        arguments = json.loads(line)
        try:
            answer = known[arguments.pop("question")](**arguments)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer, default=str) + "\n")
        answers.flush()


if __name__ == "__main__":
    # SQLMesh prints; only answers may go out where the test reads them.
    real = sys.stdout
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    from sqlmesh.core.console import NoopConsole, set_console

    set_console(NoopConsole())
    _serve(sys.stdin, real)
