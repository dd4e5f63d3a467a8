"""SQLMesh's configuration file as SQLMesh reads it, and YAML beside it.

shown, everywhere: what messages call the file. What cannot be read raises WrongUse: it is no answer
to what was asked, such as a contract that is not in order.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh.errors import Location, WrongUse
from mesh.secret import keep

if TYPE_CHECKING:
    import jinja2


def read_configuration(
    path: Path, shown: Path, env_var: Callable[..., str | None]
) -> Mapping[str, Any]:
    """What a configuration says: a template, with the environment's variables as env_var tells.

    One in Python is run, and what it sets is as it would stand in YAML.
    """
    if path.suffix == ".py":
        return _run(path, shown, path.stat().st_mtime_ns)
    from jinja2 import TemplateError

    text = _text(path, shown)
    try:
        # No plain function: by its globals a configuration knows that SQLMesh reads it.
        text = _template(text).render(env_var=partial(env_var), user=getpass.getuser)
    except TemplateError as error:
        raise _unreadable(shown, getattr(error, "lineno", None), str(error)) from error
    data = _parsed(text, shown) or {}
    if not isinstance(data, dict):
        raise _unreadable(shown, 1, "it holds no mapping")
    keep(data)
    return data


def read_yaml(path: Path, shown: Path) -> Any:
    """What a file in YAML says."""
    return _parsed(_text(path, shown), shown)


@lru_cache
def _run(path: Path, shown: Path, _edited: int) -> Mapping[str, Any]:
    """What a `config.py` gives SQLMesh; nothing when it makes no `Config`.

    It is run under no name, beside the module that SQLMesh makes of it.
    """
    import runpy

    from sqlmesh.core.config import Config
    from sqlmesh.utils import sys_path

    try:
        with sys_path(path.parent):
            made = runpy.run_path(str(path)).get("config")
    except Exception as error:
        raise _unreadable(shown, None, f"{type(error).__name__}: {error}") from error
    data = made.model_dump(by_alias=True) if isinstance(made, Config) else {}
    keep(data)
    return data


@lru_cache(maxsize=64)
def _template(text: str) -> jinja2.Template:
    """Compiled once: a command asks for its configuration a dozen times."""
    from jinja2 import Environment

    return Environment(autoescape=False).from_string(text)


def _text(path: Path, shown: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _unreadable(shown, line, "it is not encoded in UTF-8") from error


def _parsed(text: str, shown: Path) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        raise _unreadable(shown, mark.line + 1 if mark else None, reason) from error


def _unreadable(shown: Path, line: int | None, reason: str) -> WrongUse:
    return WrongUse(
        f"the file cannot be read: {' '.join(reason.split())}.",
        where=Location(shown, line),
        fix="Mend it; SQLMesh reads it too.",
    )
