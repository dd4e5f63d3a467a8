"""`mesh codeowners`: who has to agree to a change, from the contracts."""

from __future__ import annotations

from typing import Annotated

import typer

from mesh.cli.options import InProject


def codeowners(
    project: InProject,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the file is up to date.")
    ] = False,
) -> None:
    """Write .github/CODEOWNERS from the contracts: producers, and the teams that read."""
    from mesh.console import out
    from mesh.contracts import load_contracts
    from mesh.errors import CheckFailed, Location
    from mesh.review.charts import read_charts
    from mesh.review.codeowners import PATH
    from mesh.review.codeowners import codeowners as write
    from mesh.review.levels import read_organisation

    charts, _ = read_charts(project.root)
    organisation = read_organisation(project.contracts)
    text = write(load_contracts(project.contracts), charts, organisation, project.root)
    file = project.root / PATH
    same = file.is_file() and file.read_text(encoding="utf-8") == text
    if same:
        out.print(f"{PATH} is up to date.", markup=False)
    elif check:
        raise CheckFailed(
            "The owners are not those of the contracts.",
            where=Location(project.shown(file)),
            fix="Run `mesh codeowners`, and commit the file.",
        )
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        out.print(f"{PATH} is written.", markup=False)
