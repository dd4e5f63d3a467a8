"""`mesh erase`: users who want to be forgotten leave the operational tables."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Annotated

import typer

from mesh.cli.ingest import for_machines, observed, span
from mesh.cli.options import Gateway, InProject, Json
from mesh.console import out

NEXT = (
    "Next, for each environment that shows them: `mesh refresh <environment>`. Then `sqlmesh "
    "janitor --ignore-ttl` takes away the tables that no environment shows any more; no rollback "
    "leads back to them."
)


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
    from mesh.movielens.ingest.run import target_for
    from mesh.working_copy import writing

    target_for(gateway)
    with ExitStack() as until_told:
        with (
            writing(project, gateway) as tell,
            observed(until_told, tell, quiet=as_json) as observer,
        ):
            result = take_out(
                users,
                database=project.database,
                target=target_for(gateway, observer),
                observer=observer,
            )
        if as_json:
            typer.echo(json.dumps({**for_machines(result), "notes": list(result.notes)}, indent=2))
            return
        if not result.nothing_changed:
            months = span(list(result.changed_months))
            out.print(
                f"ingest {result.ingest_id}: {result.source}. Changed months: {months}.",
                markup=False,
                soft_wrap=True,
            )
        further = () if result.nothing_changed else (NEXT,)
        out.print(*result.notes, *further, sep="\n", markup=False, soft_wrap=True)
