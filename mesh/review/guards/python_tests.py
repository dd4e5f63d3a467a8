"""Tests in Python that went, or that are skipped now: SQLMesh does not know them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mesh.review.contracts.words import listed
from mesh.review.models.both import Both
from mesh.review.rules import NONE, WARNS, Change, Place, Rules

Found = Iterator[Change]
rule: Rules[[Both]] = Rules("guard")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# What keeps pytest from running a test, or from failing when it fails.
_SKIPS = {"importorskip", "skip", "skipif", "xfail"}
_MOST = 5


@dataclass(frozen=True)
class _Test:
    """line: where it begins. does: what it is made of, whatever it is called."""

    line: int
    does: str
    skipped: bool


def _tests(file: Path) -> dict[str, _Test]:
    """The tests of a file, by name; none of a file that is none, or that Python cannot read."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return {}
    own = [one for one in tree.body if not isinstance(one, (*_FUNCTIONS, ast.ClassDef))]
    everywhere = any(map(_skips, own))
    found = {}
    classes = [one for one in tree.body if isinstance(one, ast.ClassDef)]
    holders: list[ast.Module | ast.ClassDef] = [tree, *classes]
    for holder in holders:
        around = everywhere or any(map(_skips, getattr(holder, "decorator_list", ())))
        for one in holder.body:
            if isinstance(one, _FUNCTIONS) and one.name.startswith("test"):
                skipped = around or any(map(_skips, (*one.decorator_list, *one.body)))
                found[one.name] = _Test(one.lineno, ast.dump(ast.Module(one.body, [])), skipped)
    return found


def _skips(node: ast.AST) -> bool:
    words = (getattr(one, "attr", getattr(one, "id", "")) for one in ast.walk(node))
    return not _SKIPS.isdisjoint(words)


def _edited(both: Both) -> list[str]:
    """The files with tests that differ, by the names that pytest looks for."""
    return [
        name
        for name in both.files.edited
        for path in [PurePosixPath(name)]
        if path.match("test_*.py") or path.match("*_test.py")
    ]


@rule(WARNS, NONE, "Bring it back, or say why nothing is lost.")
def python_test_no_delete(both: Both) -> Found:
    """What no test holds any more changes unseen."""
    files = _edited(both)
    after = {name: test for file in files for name, test in _tests(both.new.root / file).items()}
    kept = {test.does for test in after.values()}
    for file in files:
        before = _tests(both.old.root / file)
        gone = [name for name, one in before.items() if name not in after and one.does not in kept]
        if gone:
            there = (both.new.root / file).is_file()
            where = Place(file, both.files.edited[file] if there else 1)
            yield Change(
                product="project", message=f"Tests went: {listed(gone, _MOST)}.", where=where
            )


@rule(WARNS, NONE, "Let it run, or say why it cannot.")
def python_test_no_skip(both: Both) -> Found:
    """A test that is skipped is green whatever happens."""
    for file in _edited(both):
        before, after = (_tests(side.root / file) for side in (both.old, both.new))
        skipped = [
            name
            for name, one in after.items()
            if one.skipped and name in before and not before[name].skipped
        ]
        if skipped:
            where = Place(file, after[skipped[0]].line)
            message = f"Tests are skipped, or may fail, now: {listed(skipped, _MOST)}."
            yield Change(product="project", message=message, where=where)
