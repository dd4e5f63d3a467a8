"""`mesh docs`: all files that are drawn from the project."""

from __future__ import annotations

from typing import Annotated

import typer

from mesh.cli.options import InProject
from mesh.console import out
from mesh.errors import CheckFailed


def docs(
    project: InProject,
    check: Annotated[
        bool, typer.Option("--check", help="Only say which are out of date: exit code 1.")
    ] = False,
) -> None:
    """Draw pages, code owners, schemas and the dashboards' build sheet from the project."""
    from mesh.catalogue.generated import generated
    from mesh.environments import open_project
    from mesh.files.generated import update

    changed = update(generated(open_project(project)), only_check=check)
    names = ", ".join(str(project.shown(path)) for path in changed)
    if changed and check:
        raise CheckFailed(f"{names}: not what the project says.", fix="Run `mesh docs`.")
    out.print(f"{names}: written." if changed else "All are current.", markup=False, soft_wrap=True)
