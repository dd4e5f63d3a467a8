"""Small projects in git for the tests of `mesh review`."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import mesh.review.models
from mesh.project import Project
from mesh.review.contracts.two_states import ContractReview, compare_states
from mesh.review.models.review_worker.facts import Models, from_json, to_json
from mesh.review.run import Personal
from tests.project_copy import PROJECT

FIXTURES = Path(__file__).parent / "fixtures"
SHOP = FIXTURES / "review" / "shop"
BREAKING = FIXTURES / "breaking"
TODAY = datetime.date(2026, 11, 24)
ORDERS = "contracts/shop/orders.odcs.yaml"
DELETED = ".deleted"
_LOCK = threading.Lock()


def overlay(target: Path, files: Path) -> None:
    """Lay the files of a fixture over a project; `<file>.deleted` takes a file away.

    `<file>.as_is` is a file that SQLMesh would take for one of this project's unit tests.
    """
    for file in sorted(p for p in files.rglob("*") if p.is_file() and p.name != ".keep"):
        place = target / file.relative_to(files)
        if file.name.endswith(DELETED):
            place.with_name(file.name.removesuffix(DELETED)).unlink()
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place.with_name(place.name.removesuffix(".as_is")))


def shop(target: Path, *overlays: Path) -> Path:
    """A copy of the shop, with fixtures laid over it."""
    shutil.copytree(SHOP, target)
    for files in overlays:
        overlay(target, files)
    return target


def change(folder: Path, file: str, old: str, new: str) -> None:
    """Replace a text of a file that is there, once."""
    text = (folder / file).read_text()
    assert old in text, old
    (folder / file).write_text(text.replace(old, new, 1))


def git(folder: Path, *words: str) -> str:
    """Run git as somebody, on no settings of this machine."""
    settings = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **{
            f"GIT_{who}_{what}": "test@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *words],
        cwd=folder,
        env=settings,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    """Make a project a git repository with one commit on main, and be on a branch of it."""
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text(".cache/\ndata/\nlogs/\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "base")
    git(folder, "switch", "-q", "-c", "change")
    return folder


@contextmanager
def worker() -> Iterator[None]:
    """As in the process of a revision: its modules can be imported."""
    folder = str(Path(mesh.review.models.__file__).parent)
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def load_here(base: Project | None, head: Project, personal: Personal) -> tuple[Models, Models]:
    """What `load_both` does, in this process: much faster for many small projects."""
    del personal
    before = described(base.root) if base else Models()
    return before, described(head.root, before)


def described(root: Path, base: Models | None = None) -> Models:
    """The facts of a project, and how the unit tests of the base do on its models."""
    here, database = Path.cwd(), os.environ.get("MESH_DUCKDB")
    os.environ["MESH_DUCKDB"] = str(root.parent / f"{root.name}.duckdb")
    try:
        with _LOCK, worker():
            from review_worker import facts, project, unit_tests

            context = project.load_context(root, None, read_only=False)
            made = project.describe(context)
            if base:
                before = facts.from_json(facts.Models, to_json(base))
                failing, _ = unit_tests.failing(context, unit_tests.to_be_run(before, made))
                made = replace(made, failing=failing)
            return from_json(Models, facts.to_json(made))
    except Exception as error:
        return Models(problem=" ".join(str(error).split()))
    finally:
        os.chdir(here)
        if database is None:
            del os.environ["MESH_DUCKDB"]
        else:
            os.environ["MESH_DUCKDB"] = database


def diff(before: Path, after: Path) -> ContractReview:
    return compare_states(PROJECT, str(before), str(after), TODAY)


def edited(tmp_path: Path, *edits: tuple[str, str]) -> ContractReview:
    """The diff between the contract of the fixtures and the same with texts replaced."""
    before = BREAKING / "COLUMN_NO_DELETE" / "before"
    shutil.copytree(before, tmp_path, dirs_exist_ok=True)
    file = tmp_path / ORDERS
    text = file.read_text()
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    file.write_text(text)
    return diff(before, tmp_path)


def rules_of(review: ContractReview) -> list[str]:
    return [found.rule for found in review.findings if found.rule != "VERSION_TOO_SMALL"]
