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
    """Draw docs/data-model.md and docs/architecture.md from the project."""
    from mesh.catalogue import architecture, data_model
    from mesh.environments import open_project
    from mesh.errors import CheckFailed
    from mesh.settings import PROJECT_ROOT

    project = open_project()
    pages = {data_model.PATH: data_model.render(project), architecture.PATH: architecture.render()}
    for path, text in pages.items():
        page = path.relative_to(PROJECT_ROOT)
        if not check:
            path.write_text(text, encoding="utf-8")
            out.print(f"{page} is written.")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            raise CheckFailed(f"{page} is not what the project says.", fix="Run `mesh docs`.")
        else:
            out.print(f"{page} is current.")
