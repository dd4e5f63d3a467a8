"""Files of SQLMesh's unit tests.

Of one that cannot be read SQLMesh does not say which it is, and reads all of them anew whenever it
loads a project, which takes as long as the models do.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from pydantic import ValidationError
from ruamel.yaml.error import MarkedYAMLError
from sqlmesh.core.loader import SqlMeshLoader
from sqlmesh.core.test import ModelTestMetadata
from sqlmesh.utils.cache import FileCache
from sqlmesh.utils.errors import ConfigError, SQLMeshError

from mesh.files.problems import shown
from mesh.project import display
from mesh.wrapping import wrap

_EMPTY = "YAML source can't be empty"
_NO_TEST = (
    "There is no unit test in this file. Write each as a mapping of `model`, `inputs` and "
    "`outputs` under its name, or delete the file."
)
_NO_MAPPING = "object has no attribute"
# What a template says depends on more than its file.
_TEMPLATE = ("{{", "{%", "{#")

Tests = dict[str, ModelTestMetadata]


def install() -> None:
    """Say it, and read a file once, in each process."""
    if not hasattr(SqlMeshLoader._load_model_test_file, "__wrapped__"):
        wrap(SqlMeshLoader, "_load_model_test_file", _placed)


def _placed(read: Any, loader: SqlMeshLoader, path: Path) -> Tests:
    line = 1
    try:
        return _kept(read, loader, path)
    except AttributeError as error:
        if _NO_MAPPING not in str(error):
            raise
        said = _NO_TEST
    except ValidationError as error:
        odd = shown(error.errors()[0]["input"])
        said = f"`{odd}` is no unit test. Write a mapping of `model`, `inputs` and `outputs`."
    except TemplateError as error:
        said = f"This is no template of Jinja: {error.message}."
        line = getattr(error, "lineno", line)
    except MarkedYAMLError as error:
        said = f"This is no YAML: {error.problem}."
        line = error.problem_mark.line + 1 if error.problem_mark else 1
    except SQLMeshError as error:
        said = _NO_TEST if _EMPTY in str(error) else str(error)
    raise ConfigError(f"{display(path)}:{line}: {said}")


def _kept(read: Any, loader: SqlMeshLoader, path: Path) -> Tests:
    """The tests of a file, from the project's cache where its text is one that was read before."""
    text = path.read_text(encoding="utf-8")
    if any(mark in text for mark in _TEMPLATE):
        return read(loader, path)
    bodies: dict[str, Any] = _cache(loader.context.cache_dir).get_or_load(
        hashlib.sha256(text.encode()).hexdigest(),
        loader=lambda: {name: test.body for name, test in read(loader, path).items()},
    )
    return {
        name: ModelTestMetadata(path=path, test_name=name, body=body)
        for name, body in bodies.items()
    }


@cache
def _cache(folder: Path) -> FileCache[dict[str, Any]]:
    return FileCache(folder, prefix="unit_test")
