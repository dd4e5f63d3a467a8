"""Options that several commands share."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path
from typing import Annotated

import typer

from mesh.project import Project, find_project

# The folder given before the command, as in `mesh --project P status`.
named_first: ContextVar[Path | None] = ContextVar("named_first", default=None)
FLAGS = ("--project", "-p")
ABOUT = "A folder with a SQLMesh project."
AROUND = "the one around the working directory"


def _around() -> Project:
    return find_project(named_first.get())


def _named(folder: str | Project) -> Project:
    return folder if isinstance(folder, Project) else find_project(Path(folder))


InProject = Annotated[
    Project,
    typer.Option(
        *FLAGS,
        parser=_named,
        default_factory=_around,
        show_default=AROUND,
        metavar="FOLDER",
        help=ABOUT,
    ),
]
Gateway = Annotated[
    str | None,
    typer.Option("--gateway", help="duckdb (the default) or bigquery, as in config.yaml."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
