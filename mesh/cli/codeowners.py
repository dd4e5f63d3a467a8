"""`mesh codeowners`: who has to agree to a change, from the contracts."""

from __future__ import annotations

from typing import Annotated

import typer

from mesh.cli.options import InProject
from mesh.console import out
from mesh.errors import CheckFailed, Location


def codeowners(
    project: InProject,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the file is up to date.")
    ] = False,
) -> None:
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
        out.print(f"{project.shown(path)} {state}.", markup=False)
