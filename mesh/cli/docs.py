"""`mesh docs`: the files that are drawn from the project."""

from __future__ import annotations

from typing import Annotated

import typer

from mesh.cli.options import InProject
from mesh.console import out


def docs(
    project: InProject,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the pages are current: exit code 1.")
    ] = False,
) -> None:
    """Draw docs/data-model.md and docs/architecture.md from the project."""
    from mesh.catalogue import architecture, data_model
    from mesh.environments import open_project
    from mesh.errors import CheckFailed

    opened = open_project(project)
    pages = {
        project.docs / "data-model.md": data_model.render(opened),
        project.docs / "architecture.md": architecture.render(opened),
    }
    for path, text in pages.items():
        page = project.shown(path)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            out.print(f"{page} is written.")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            raise CheckFailed(f"{page} is not what the project says.", fix="Run `mesh docs`.")
        else:
            out.print(f"{page} is current.")
