"""`mesh erase`: users who want to be forgotten leave the operational tables."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from mesh.cli.ingest import do, span
from mesh.cli.options import Gateway, InProject, Json
from mesh.console import say

if TYPE_CHECKING:
    from mesh.movielens.ingest import IngestResult


def erase(
    project: InProject,
    users: Annotated[
        list[int], typer.Argument(help="The ids of users, as the source has them.", metavar="USER")
    ],
    gateway: Gateway = None,
    as_json: Json = False,
) -> None:
    """Erase what users did from the operational tables, for good.

    Their ratings and tags go, and so do they from rejected lines and from what undoing a delivery
    would bring back. Environments show them until they are refreshed.
    """
    from mesh.movielens.ingest import erase as take_out

    do(partial(take_out, users), project, gateway, as_json, _show)


def _show(result: IngestResult) -> None:
    if not result.nothing_changed:
        months = span(list(result.changed_months))
        say(f"ingest {result.ingest_id}: {result.source}. Changed months: {months}.")
    for note in result.notes:
        say(note)
