"""`mesh schema`: JSON schemas by which editors complete and check the YAML of a project."""

from __future__ import annotations

from typing import Annotated

import typer

from mesh.cli.options import InProject
from mesh.console import out


def schema(
    project: InProject,
    only_check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 1 when one is out of date.")
    ] = False,
) -> None:
    """Write the JSON schemas of dashboards and review levels, and name them in each file."""
    from mesh.catalogue.schemas import schemas
    from mesh.files.generated import update

    changed = update(schemas(project), only_check=only_check)
    for path in changed:
        what = "is out of date: run `mesh schema`" if only_check else "written"
        out.print(f"{project.shown(path)} {what}", soft_wrap=True, markup=False)
    if not changed:
        out.print("all schemas are up to date")
    if changed and only_check:
        raise typer.Exit(1)
