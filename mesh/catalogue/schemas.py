"""`mesh schema`: the JSON schemas of the YAML files that people write here, and who names them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from mesh.dashboards.read import DASHBOARD, dashboard_files
from mesh.dashboards.spec import Dashboard
from mesh.errors import Location, WrongUse
from mesh.files.problems import FileKind
from mesh.files.schema import schema_text, with_comment
from mesh.project import Project
from mesh.review.levels import FILE_NAME, LEVELS, ReviewFile


@dataclass(frozen=True)
class _Described:
    """A kind of file in a project: its schema, beside the files that it describes."""

    schema: Path
    model: type[BaseModel]
    kind: FileKind
    files: tuple[Path, ...]


def _described(project: Project) -> Iterator[_Described]:
    if project.dashboards.is_dir():
        files = tuple(dashboard_files(project.dashboards))
        schema = project.dashboards / "dashboard.schema.json"
        yield _Described(schema, Dashboard, DASHBOARD, files)
    if project.contracts.is_dir():
        levels = project.contracts / FILE_NAME
        schema = project.contracts / "review.schema.json"
        yield _Described(schema, ReviewFile, LEVELS, (levels,) if levels.is_file() else ())


def schemas(project: Project) -> dict[Path, str]:
    """The texts of the schemas, and of the files with the line that names them.

    Raises WrongUse in a project without such files.
    """
    described = list(_described(project))
    if not described:
        raise WrongUse(
            "there is nothing to describe: this project has neither dashboards nor contracts.",
            where=Location(project.root),
            fix="Begin with a contract: `mesh contracts new MODEL`.",
        )
    wanted: dict[Path, str] = {}
    for one in described:
        wanted[one.schema] = schema_text(one.model, one.kind)
        for file in one.files:
            text = file.read_text(encoding="utf-8-sig", errors="replace")
            wanted[file] = with_comment(text, one.schema.name)
    return wanted
