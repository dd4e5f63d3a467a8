"""The code behind a model: of its macros, its signals and the way in which its table is filled."""

from __future__ import annotations

import ast
import inspect
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import sqlmesh.core.model as core
from sqlmesh.core.model.kind import CustomKind
from sqlmesh.core.snapshot.evaluator import get_custom_materialization_type

_WORD = re.compile(r"\w+")
_JINJA = re.compile(r"\{%-?\s*macro\s+(\w+)")


def texts(model: core.Model) -> dict[str, str]:
    """All that a model's code may call, by name, without comments and layout."""
    jinja = model.jinja_macros.root_macros if model.jinja_macros else {}
    found = {name: one.definition for name, one in jinja.items()}
    found |= {name: code.payload for name, code in model.python_env.items()}
    return {name: " ".join(str(text).split()) for name, text in found.items()}


def behind(text: str, model: core.Model) -> str:
    """The code that a text calls, and what that calls in its turn; empty where it calls none."""
    known = texts(model)
    reached: dict[str, str] = {}
    waiting = [text]
    while waiting:
        for name in {*_WORD.findall(waiting.pop())} & known.keys() - reached.keys():
            reached[name] = known[name]
            waiting.append(known[name])
    return " ".join(reached[name] for name in sorted(reached))


def materialization(model: core.Model) -> tuple[str, str]:
    """Of a kind that the project made: its code and the file in which that is."""
    if not isinstance(model.kind, CustomKind):
        return "", ""
    known = get_custom_materialization_type(model.kind.materialization, raise_errors=False)
    if known is None:
        return "", ""
    file = inspect.getfile(known[1])
    return " ".join(ast.unparse(ast.parse(Path(file).read_text("utf-8"))).split()), file


def files(model: core.Model, root: Path) -> tuple[str, ...]:
    """Where the code behind a model lies, from the root of its project."""
    found = {code.path for code in model.python_env.values() if code.path}
    if model.jinja_macros and (used := {*model.jinja_macros.root_macros}):
        found |= {path for path, made in _jinja_macros(root) if made & used}
    if (file := materialization(model)[1]) and not os.path.relpath(file, root).startswith(".."):
        found.add(os.path.relpath(file, root))
    return tuple(sorted(found))


@lru_cache(maxsize=4)
def _jinja_macros(root: Path) -> list[tuple[str, frozenset[str]]]:
    """The files of macros in Jinja, with the names of those in each; SQLMesh keeps no paths."""
    return [
        (os.path.relpath(file, root), frozenset(_JINJA.findall(file.read_text("utf-8", "replace"))))
        for file in sorted((root / "macros").rglob("*.sql"))
    ]


def named(model: core.Model, what: str, text: str) -> Iterator[tuple[str, str]]:
    """The code that something beside a query calls, by what it is."""
    if code := behind(text, model):
        yield f"code of the {what}", code
