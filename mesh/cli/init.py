"""`mesh init`: set a SQLMesh project up for contracts."""

from __future__ import annotations

from typing import Annotated

import typer

from mesh.cli.options import InAnyProject
from mesh.console import err, out, say
from mesh.errors import CheckFailed, Location
from mesh.project import Project


def init(
    project: InAnyProject,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Change files that are there without asking.")
    ] = False,
) -> None:
    """Write the macro, audit and lint rules of contracts into a SQLMesh project, and say so.

    What is there already is changed only when you agree; else nothing is written.
    """
    from mesh.setup import apply, in_python, needed

    changes = needed(project)
    edits = [change for change in changes if not change.is_new]
    for change in edits:
        name = project.shown(change.path)
        say(f"{name}:\n{change.difference}")
    names = ", ".join(str(project.shown(change.path)) for change in edits)
    # A project with a part of it alone could not be planned.
    if edits and not (yes or (err.is_terminal and typer.confirm(f"Change {names} so?"))):
        raise CheckFailed(
            f"nothing is written: contracts are not enforced unless {names} can be changed so.",
            fix="Run `mesh init --yes`, or make these changes by hand and run `mesh init` again.",
        )
    apply(changes)
    for change in changes:
        done = "written" if change.is_new else "changed"
        say(f"{project.shown(change.path)} is {done}.")
    if lines := in_python(project):
        say(lines)
        raise CheckFailed(
            "its configuration is in Python, which `mesh init` does not edit, so contracts are not "
            "enforced yet, and SQLMesh stops until they are.",
            where=Location(project.config),
            fix="Give its `Config` what is above, and run `mesh init` again.",
        )
    if not changes:
        out.print("This project is set up.")
    out.print("Next: `mesh contracts new MODEL` drafts the contract of a model.")
    if Project(project.root).settings.uncontracted:
        say(
            "What has none yet may stay so: it stands under `uncontracted` in "
            f"{project.shown(project.config)}, and leaves it when its contract is finished."
        )
