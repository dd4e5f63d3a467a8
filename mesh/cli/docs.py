"""`mesh docs`: the pages under docs/ that are drawn from the project."""

from __future__ import annotations

from typing import Annotated

import typer

from mesh.console import out


def docs(
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the pages are current: exit code 1.")
    ] = False,
) -> None:
    """Draw docs/data-model.md from models and contracts."""
    from mesh.docs import data_model
    from mesh.environments import open_project
    from mesh.errors import CheckFailed
    from mesh.settings import PROJECT_ROOT

    project = open_project()
    page = data_model.PATH.relative_to(PROJECT_ROOT)
    if not check:
        data_model.write(project)
        out.print(f"{page} is written.")
    elif data_model.PATH.read_text(encoding="utf-8") != data_model.render(project):
        raise CheckFailed(f"{page} is not what the project says.", fix="Run `mesh docs`.")
    else:
        out.print(f"{page} is current.")
