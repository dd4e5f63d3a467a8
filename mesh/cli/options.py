"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any

import typer

from mesh.console import err, note, out
from mesh.errors import WrongUse
from mesh.project import Project, display, find_project

# The folder given before the command, as in `mesh --project P status`.
named_first: ContextVar[Path | None] = ContextVar("named_first", default=None)
FLAGS = ("--project", "-p")
ABOUT = "A folder with a SQLMesh project."
AROUND = "the one around the working directory"


def _around() -> Project:
    return find_project(named_first.get())


def _named(folder: str | Project) -> Project:
    project = folder if isinstance(folder, Project) else find_project(Path(folder))
    # Before anything is asked of it: every command goes by the variables that SQLMesh goes by.
    if other := project.read_dotenv():
        several = len(other) > 1
        note(
            f"{', '.join(other)} {'are' if several else 'is'} set in "
            f"{display(project.dotenv)} and otherwise in the environment. The file "
            f"wins, as it does in SQLMesh: take {'them' if several else 'it'} out there, or let "
            "SQLMESH_DOTENV_PATH name another file."
        )
    return project


def _set_up(folder: str | Project) -> Project:
    project = _named(folder)
    project.check_set_up()
    return project


def _option(parser: Callable[[str | Project], Project]) -> Any:
    return typer.Option(
        *FLAGS,
        parser=parser,
        default_factory=_around,
        show_default=AROUND,
        metavar="FOLDER",
        help=ABOUT,
    )


InProject = Annotated[Project, _option(_set_up)]
# Of whatever version of `mesh`, or of none.
InAnyProject = Annotated[Project, _option(_named)]
# The gateway that the command was given.
named_gateway: ContextVar[str | None] = ContextVar("named_gateway", default=None)


def _note_gateway(gateway: str | None) -> str | None:
    named_gateway.set(gateway)
    return gateway


Gateway = Annotated[
    str | None,
    typer.Option(
        "--gateway",
        callback=_note_gateway,
        help="A gateway of the configuration; by default its default.",
    ),
]


def tell_gateway() -> None:
    """Where commands were advised and a gateway is named, that they need it too."""
    gateway = named_gateway.get()
    if gateway and (out.advised or err.advised):
        note(f"run them with `--gateway {gateway}` as well; `sqlmesh` takes it before the command.")


# Each command that is about one environment takes its name as `sqlmesh plan dev` does, or so.
EnvironmentOption = Annotated[
    str | None,
    typer.Option(
        "--environment", "-e", help="The environment, in place of the argument.", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


def tell_left_out(project: Project) -> None:
    """A line for each contract that cannot be relied on, where the others are shown without it.

    WrongUse where there is none at all.
    """
    from mesh.contracts import contract_paths, read_contracts

    contract_paths(project.contracts)
    for error in read_contracts(project.contracts)[1].values():
        note(f"left out: {error}")


def tell_waiting(project: Project) -> None:
    """A line that names the drafts which wait under `uncontracted`, where they are left out."""
    from mesh.contracts import read_contracts

    invalid = read_contracts(project.contracts)[1]
    drafts = [name for name in project.settings.uncontracted if name in invalid]
    if drafts:
        note(
            f"left out, as drafts that wait under `uncontracted`: {', '.join(drafts)}. "
            "`mesh contracts lint` says what is still to be written."
        )


def data_of(default: str) -> Any:
    """The option by which a command that is about another thing looks at an environment's data.

    Where the environment is the thing, it is named after the command, as in `sqlmesh plan dev`.
    """
    said = "Whose data is looked at."
    return typer.Option("--environment", "-e", help=said, show_default=default)


def one_of(argument: str | None, option: str | None) -> str | None:
    """The environment that a command was told. WrongUse if it was told two."""
    if argument and option and argument != option:
        raise WrongUse(f"two environments are named, {argument} and {option}.", fix="Name one.")
    return argument or option


def environment_of(
    project: Project, gateway: str | None, argument: str | None, option: str | None
) -> str:
    """The environment that a command needs. WrongUse if it was told none, or two."""
    found = one_of(argument, option)
    if found is None:
        from mesh.environments import open_project

        names = ", ".join(open_project(project, gateway, models=False).environment_names)
        fix = f"Name it: {names}." if names else "There is none yet: `sqlmesh plan` makes one."
        raise WrongUse("which environment?", fix=fix)
    return found
