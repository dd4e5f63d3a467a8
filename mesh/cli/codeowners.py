"""`mesh codeowners`: who has to agree to a change, from the contracts."""

from __future__ import annotations

from typing import Annotated

import typer


def codeowners(
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
    from mesh.settings import PROJECT_ROOT

    charts, _ = read_charts(PROJECT_ROOT)
    organisation = read_organisation(PROJECT_ROOT / "contracts")
    text = write(load_contracts(), charts, organisation, PROJECT_ROOT)
    file = PROJECT_ROOT / PATH
    same = file.is_file() and file.read_text(encoding="utf-8") == text
    if same:
        out.print(f"{PATH} is up to date.", markup=False)
    elif check:
        raise CheckFailed(
            "The owners are not those of the contracts.",
            where=Location(file.relative_to(PROJECT_ROOT)),
            fix="Run `mesh codeowners`, and commit the file.",
        )
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        out.print(f"{PATH} is written.", markup=False)
