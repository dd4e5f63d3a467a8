"""`mesh docs`, `mesh codeowners`, `mesh schema`: files that are drawn from the project."""

from __future__ import annotations

from typing import Annotated

import typer

from mesh.cli.options import InProject, tell_left_out
from mesh.console import out, say
from mesh.errors import CheckFailed, Location

OnlyCheck = Annotated[
    bool, typer.Option("--check", help="Only say which are out of date: exit code 1.")
]


def docs(project: InProject, check: OnlyCheck = False) -> None:
    """Draw pages, code owners, schemas and the dashboards' build sheet from the project.

    A contract that is not finished, or not valid, is left out with a note of where.
    """
    from mesh.catalogue.generated import generated
    from mesh.contracts.follow import looking
    from mesh.environments import open_project
    from mesh.files.generated import update

    tell_left_out(project)
    with looking():
        opened = open_project(project, unit_tests=False)
    changed = update(generated(opened), only_check=check)
    names = ", ".join(str(project.shown(path)) for path in changed)
    if changed and check:
        raise CheckFailed(f"{names}: not what the project says.", fix="Run `mesh docs`.")
    say(f"{names}: written." if changed else "All are current.")


def codeowners(project: InProject, check: OnlyCheck = False) -> None:
    """Write the repository's CODEOWNERS from the contracts: producers, and the teams that read."""
    from mesh.files.generated import update
    from mesh.review.codeowners import codeowners as write

    texts = write(project)
    stale = update(texts, only_check=check)
    if stale and check:
        raise CheckFailed(
            "The owners are not those of the contracts.",
            where=Location(project.shown(stale[0])),
            fix="Run `mesh codeowners`, and commit the file.",
        )
    for path in texts:
        state = "is written" if path in stale else "is up to date"
        say(f"{project.shown(path)} {state}.")


def schema(project: InProject, check: OnlyCheck = False) -> None:
    """Write the JSON schemas of dashboards and review levels, and name them in each file."""
    from mesh.catalogue.schemas import schemas
    from mesh.files.generated import update

    changed = update(schemas(project), only_check=check)
    for path in changed:
        what = "is out of date: run `mesh schema`" if check else "written"
        say(f"{project.shown(path)} {what}")
    if not changed:
        out.print("all schemas are up to date")
    if changed and check:
        raise typer.Exit(1)
