"""`mesh contracts new`: a first draft of a contract, to be finished by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mesh.cli.options import Gateway, InProject, data_of
from mesh.console import say
from mesh.words import many

if TYPE_CHECKING:
    from pathlib import Path

    from mesh.catalogue.new import NewContract
    from mesh.project import Project


def new_command(
    project: InProject,
    models: Annotated[
        list[str], typer.Argument(metavar="model", help="Models, such as sales.orders.")
    ],
    environment: Annotated[str | None, data_of("where a bare plan goes, else prod")] = None,
    gateway: Gateway = None,
) -> None:
    """Draft the contracts of models from their columns and data; you write what says TODO."""
    from mesh.catalogue.new import new_contracts
    from mesh.contracts.follow import drafting
    from mesh.environments import open_project

    with drafting():
        opened = open_project(project, gateway)
        with opened.readable_errors():
            every: list[NewContract] = []
            try:
                for drafted in new_contracts(opened, models, environment):
                    _show(project, drafted)
                    every.append(drafted)
            finally:
                # What is there is finished likewise where others could not be drafted.
                _tell_what_next(every)


def _tell_what_next(every: list[NewContract]) -> None:
    if any(drafted.is_new and not drafted.built for drafted in every):
        say(
            "Once the contract is finished, run `mesh docs`, which writes the pages about it in "
            "docs/, and `sqlmesh format`, which lays out the model."
        )


def _show(project: Project, drafted: NewContract) -> None:
    path = project.shown(drafted.path)
    if drafted.is_new:
        _show_contract(path, drafted)
    elif drafted.test:
        say(f"{path} is there already, and stays; there was no unit test.")
    for note in drafted.notes:
        begin = "" if drafted.is_new else f"{path}: "
        say(f"{begin}{note}")
    if drafted.test:
        test = project.shown(drafted.test)
        say(f"{test}: drafted from rows of its inputs; {drafted.about_test}")


def _show_contract(path: Path, drafted: NewContract) -> None:
    source = "from its columns alone: no environment has rows of it"
    if drafted.rows:
        made = "in" if drafted.built else "that its query makes of"
        source = f"from its columns and {many(drafted.rows, 'row')} {made} {drafted.environment}"
    say(f"{path}: drafted {source}.")
    say(f"{drafted.left} places are left to write: `mesh contracts lint {path}` names each.")
