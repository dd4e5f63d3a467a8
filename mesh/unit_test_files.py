"""Files of SQLMesh's unit tests: of one that cannot be read SQLMesh does not say which it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from pydantic import ValidationError
from ruamel.yaml.error import MarkedYAMLError
from sqlmesh.core.loader import SqlMeshLoader
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


def install() -> None:
    """Say it, once per process."""
    if not hasattr(SqlMeshLoader._load_model_test_file, "__wrapped__"):
        wrap(SqlMeshLoader, "_load_model_test_file", _placed)


def _placed(read: Any, loader: SqlMeshLoader, path: Path) -> Any:
    line = 1
    try:
        return read(loader, path)
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
