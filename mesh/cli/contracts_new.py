"""`mesh contracts new`: a first draft of a contract, to be finished by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from mesh.cli.options import Gateway, InProject, data_of
from mesh.console import out


def new_command(
    project: InProject,
    model: Annotated[str, typer.Argument(help="A model, such as sales.orders.")],
    environment: Annotated[str | None, data_of("where a bare plan goes, else prod")] = None,
    gateway: Gateway = None,
) -> None:
    """Draft the contract of a model from its columns and its data; you write what says TODO."""
    from mesh.catalogue.new import new_contract
    from mesh.contracts.follow import drafting
    from mesh.environments import open_project

    with drafting():
        opened = open_project(project, gateway)
        with opened.readable_errors():
            drafted = new_contract(opened, model, environment)
    path = project.shown(drafted.path)
    source = "from its columns alone: no environment has rows of it"
    if drafted.rows:
        made = "in" if drafted.built else "that its query makes of"
        source = f"from its columns and {drafted.rows:,} rows {made} {drafted.environment}"
    out.print(f"{path}: drafted {source}.", soft_wrap=True)
    out.print(
        f"{drafted.left} places are left to write: `mesh contracts lint {path}` names each.",
        soft_wrap=True,
    )
    if drafted.test:
        test = project.shown(drafted.test)
        out.print(f"{test}: drafted from rows of its inputs; {drafted.about_test}", soft_wrap=True)
    if not drafted.built:
        out.print("What follows from them is written by `mesh docs` and `sqlmesh format`.")
