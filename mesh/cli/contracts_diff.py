"""`mesh contracts diff`: what changed between two states of contracts, under named rules."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from mesh.cli.options import InProject, Json


def contracts_diff(
    project: InProject,
    before: Annotated[str, typer.Argument(help="A contract, a folder of contracts or a revision.")],
    after: Annotated[
        str, typer.Argument(help="The same, later; `.` is the work tree.", show_default=True)
    ] = ".",
    as_json: Json = False,
) -> None:
    """Compare contracts by the rules of a review: exit code 1 when a change is breaking."""
    from mesh.review.contracts.two_states import compare_states
    from mesh.review.report.terminal import print_contract_diff

    result = compare_states(project, before, after)
    if as_json:
        from mesh.review.report.machine import diff_json

        typer.echo(json.dumps(diff_json(result), indent=2))
    else:
        print_contract_diff(result)
    if result.breaking:
        raise typer.Exit(1)
