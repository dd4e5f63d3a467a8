"""`mesh schema`: the JSON schemas of the YAML files that people write here, and who names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel

from mesh.dashboards.read import DASHBOARD, dashboard_files
from mesh.dashboards.spec import Dashboard
from mesh.errors import Location, WrongUse
from mesh.files.problems import FileKind
from mesh.files.schema import schema_text, with_comment
from mesh.files.tree import read_tree
from mesh.project import Project
from mesh.review.levels import FILE_NAME, LEVELS, ReviewFile


def schemas(project: Project) -> dict[Path, str]:
    """The texts of the schemas, and of the files with the line that names them.

    Raises WrongUse in a project without such files, and FileInvalid for one that is no YAML.
    """
    wanted: dict[Path, str] = {}
    if (folder := project.dashboards).is_dir():
        files = dashboard_files(folder)
        wanted |= _described(folder / "dashboard.schema.json", Dashboard, DASHBOARD, files)
    if (folder := project.contracts).is_dir():
        levels = filter(Path.is_file, [folder / FILE_NAME])
        wanted |= _described(folder / "review.schema.json", ReviewFile, LEVELS, levels)
    if not wanted:
        raise WrongUse(
            "there is nothing to describe: this project has neither dashboards nor contracts.",
            where=Location(project.root),
            fix="Begin with a contract: `mesh contracts new MODEL`.",
        )
    return wanted


def _described(
    schema: Path, model: type[BaseModel], kind: FileKind, files: Iterable[Path]
) -> Iterator[tuple[Path, str]]:
    """A schema, beside the files that it describes. Raises `kind.invalid` for what is none."""
    yield schema, schema_text(model, kind)
    for file in files:
        # Of what is no YAML nobody knows where a line may stand, nor what else would be lost.
        read_tree(file, kind)
        yield file, with_comment(file.read_text(encoding="utf-8-sig"), schema.name)
