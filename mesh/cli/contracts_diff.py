"""`mesh contracts diff`: what changed between two states of contracts, under named rules."""

from __future__ import annotations

from typing import Annotated

import typer

from mesh.cli.options import InProject, Json
from mesh.console import say_json


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

        say_json(diff_json(result))
    else:
        print_contract_diff(result)
    if result.breaking:
        raise typer.Exit(1)
