"""Tests in Python that went, are skipped, or ask for less now: SQLMesh does not know them."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from configparser import Error as ConfigError
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from mesh.review.models.both import Both
from mesh.review.models.lines import edited_at
from mesh.review.rules import PROJECT, WARNS, Change, Found, Place, Rules
from mesh.words import listed, many

rule: Rules[[Both]] = Rules("guard")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_Function = ast.FunctionDef | ast.AsyncFunctionDef
# What keeps pytest from running a test, or from failing when it fails.
_SKIPS = {"importorskip", "skip", "skipif", "xfail"}
_EXPECTS = {"fail", "raises", "warns"}
# By these a `conftest.py` leaves tests out, whatever they are called.
_LEAVE_OUT = {
    *("collect_ignore", "collect_ignore_glob"),
    *("pytest_collection_modifyitems", "pytest_ignore_collect"),
}
# And by these a file of settings, in the section that pytest reads.
_SETTINGS = {
    "pyproject.toml": "",
    "pytest.ini": "pytest",
    ".pytest.ini": "pytest",
    "setup.cfg": "tool:pytest",
    "tox.ini": "pytest",
}
_CHOOSE = (
    *("addopts", "norecursedirs", "python_classes", "python_files", "python_functions"),
    "testpaths",
)
_MOST = 5


@dataclass(frozen=True)
class _Test:
    """line: where it begins. does: what it is made of, whatever it is called. asks: how often it
    asserts something, or expects an error, itself or by functions of its file. cases: for how many
    values it runs; None where that is not written there."""

    line: int
    does: str
    skipped: bool
    asks: int
    cases: int | None


def _tests(file: Path) -> dict[str, _Test]:
    """The tests of a file, by name; none of a file that is none, or that Python cannot read."""
    return _tests_in(_source(file))


@lru_cache(maxsize=512)
def _tests_in(source: bytes) -> dict[str, _Test]:
    tree = _read(source)
    helpers = {one.name: one for one in tree.body if isinstance(one, _FUNCTIONS)}
    named = {
        ast.unparse(target): one.value
        for one in tree.body
        if isinstance(one, ast.Assign | ast.AnnAssign) and one.value
        for target in _targets(one)
    }
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
                does = ast.dump(ast.Module(one.body, []))
                asks = _asked_by(one, helpers)
                around_it = f"{holder.name}." if isinstance(holder, ast.ClassDef) else ""
                found[around_it + one.name] = _Test(
                    one.lineno, does, skipped, asks, _cases(one, named)
                )
    return found


def _source(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _read(source: bytes) -> ast.Module:
    """What a file says; nothing where Python cannot read it."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _skips(node: ast.AST) -> bool:
    words = (getattr(one, "attr", getattr(one, "id", "")) for one in ast.walk(node))
    return not _SKIPS.isdisjoint(words)


def _asked_by(function: _Function, others: dict[str, _Function]) -> int:
    """How much is asked for by a function, and by those of the others that it calls."""
    rest = {name: one for name, one in others.items() if one is not function}
    asked = 0
    for node in ast.walk(ast.Module(_runs(function.body), [])):
        called = node.func if isinstance(node, ast.Call) else None
        helper = rest.get(called.id) if isinstance(called, ast.Name) else None
        asked += _asked_by(helper, rest) if helper else _asks(node)
    return asked


def _cases(test: _Function, named: dict[str, ast.expr]) -> int | None:
    """For how many values a test is run, if its file says it. named: what its names stand for."""
    count = 1
    for one in test.decorator_list:
        if isinstance(one, ast.Call) and getattr(one.func, "attr", "") == "parametrize":
            given = [*one.args[1:2], *(k.value for k in one.keywords if k.arg == "argvalues")]
            values = _count(given[0], named) if given else None
            if values is None:
                return None
            count *= values
    return count


def _count(node: ast.expr, named: dict[str, ast.expr]) -> int | None:
    """How many values an expression lists; None where it has to be run."""
    try:
        match node:
            case ast.List(elts=values) | ast.Tuple(elts=values):
                return None if any(isinstance(one, ast.Starred) for one in values) else len(values)
            case ast.Name(id=name) if name in named:
                others = {key: value for key, value in named.items() if key != name}
                return _count(named[name], others)
            case ast.Subscript(value=value, slice=ast.Slice(lower, upper, step)):
                part: Any = slice(*(end and ast.literal_eval(end) for end in (lower, upper, step)))
                whole = _count(value, named)
                return None if whole is None else len(range(whole)[part])
            case ast.Call(func=ast.Name(id="range"), args=ends, keywords=[]):
                return len(range(*map(ast.literal_eval, ends)))
    except (TypeError, ValueError):
        return None
    return None


def _asks(node: ast.AST) -> int:
    """How much is asked for here: of several things at once each counts, a constant does not."""
    if isinstance(node, ast.Assert):
        match node.test:
            case ast.BoolOp(op=ast.And(), values=parts):
                return sum(not isinstance(part, ast.Constant) for part in parts)
            case ast.BoolOp(op=ast.Or(), values=parts):
                return not any(isinstance(part, ast.Constant) and part.value for part in parts)
            case test:
                return not isinstance(test, ast.Constant)
    if not isinstance(node, ast.Call):
        return 0
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    return name in _EXPECTS or name.startswith("assert")


def _runs(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a test before it returns."""
    ends = (number for number, one in enumerate(body) if isinstance(one, ast.Return))
    return body[: next(ends, len(body))]


def _edited(both: Both) -> list[str]:
    """The files with tests that differ, by the names that pytest looks for."""
    return [
        name
        for name in both.files.edited
        for path in [PurePosixPath(name)]
        if path.match("test_*.py") or path.match("*_test.py")
    ]


def _kept(both: Both) -> Iterator[tuple[str, list[tuple[str, _Test, _Test]]]]:
    """Of each of these files the tests that are still there, before and after."""
    for file in _edited(both):
        before, after = (_tests(side.root / file) for side in (both.old, both.new))
        yield file, [(name, before[name], now) for name, now in after.items() if name in before]


@rule(WARNS, instead="Bring it back, or say why nothing is lost.")
def python_test_no_delete(both: Both) -> Found:
    """What no test holds any more changes unseen."""
    files = _edited(both)
    after = {name: test for file in files for name, test in _tests(both.new.root / file).items()}
    kept = {test.does for test in after.values()}
    for file in files:
        before = _tests(both.old.root / file)
        gone = [name for name, one in before.items() if name not in after and one.does not in kept]
        if gone:
            message = f"Tests went: {listed(gone, _MOST)}."
            yield Change(PROJECT, message, edited_at(both.files, file))


@rule(WARNS, instead="Let it run, or say why it cannot.")
def python_test_no_skip(both: Both) -> Found:
    """A test that is skipped is green whatever happens."""
    for file, tests in _kept(both):
        skipped = {name: now for name, was, now in tests if now.skipped and not was.skipped}
        if skipped:
            where = Place(file, next(iter(skipped.values())).line)
            message = f"Tests are skipped, or may fail, now: {listed([*skipped], _MOST)}."
            yield Change(PROJECT, message, where)


@rule(WARNS, instead="Let it ask for what it asked, or say why nothing is lost.")
def python_test_no_loosen(both: Both) -> Found:
    """A test that asserts less lets through what it stopped."""
    for file, tests in _kept(both):
        for name, was, now in tests:
            place = Place(file, now.line)
            if not now.skipped and now.asks < was.asks:
                less = f"{many(was.asks, 'thing')} before, and for {now.asks or 'nothing'} now"
                yield Change(PROJECT, f"The test {name} asked for {less}.", place)
            if not now.skipped and was.cases and now.cases is not None and now.cases < was.cases:
                less = f"{many(was.cases, 'case')} before, and with {now.cases or 'none'} now"
                yield Change(PROJECT, f"The test {name} ran with {less}.", place)


@rule(WARNS, instead="See whether every test still runs.")
def python_test_no_leave_out(both: Both) -> Found:
    """A test that pytest does not look for fails no more."""
    for file in both.files.edited:
        name = PurePosixPath(file).name
        if name != "conftest.py" and name not in _SETTINGS:
            continue
        read = _left_out if name == "conftest.py" else _chosen
        before, after = (read(side.root / file) for side in (both.old, both.new))
        if told := [one for one, what in after.items() if before.get(one) != what]:
            message = f"Which tests pytest runs is told otherwise: {listed(told, _MOST)}."
            yield Change(PROJECT, message, edited_at(both.files, file))


def _left_out(file: Path) -> dict[str, str]:
    """What a `conftest.py` says of tests that do not run, by name."""
    named = [
        (name, one)
        for one in _read(_source(file)).body
        for name in ([one.name] if isinstance(one, _FUNCTIONS) else map(ast.unparse, _targets(one)))
    ]
    return {name: ast.dump(one) for name, one in named if name in _LEAVE_OUT}


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, (ast.AnnAssign, ast.AugAssign)) else []


def _chosen(file: Path) -> dict[str, str]:
    """What a file of settings says of the tests that pytest runs, by name."""
    settings: dict[str, object] = {}
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".toml":
            settings = tomllib.loads(text).get("tool", {}).get("pytest", {}).get("ini_options", {})
        else:
            parser = ConfigParser(interpolation=None)
            parser.read_string(text)
            section = _SETTINGS[file.name]
            settings = dict(parser[section]) if section in parser else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ConfigError):
        return {}
    found = {name: str(settings[name]) for name in _CHOOSE if name in settings}
    # As soon as it is there, pytest reads no other file of settings.
    return {**found, file.name: "is read"} if file.name.endswith("pytest.ini") else found
