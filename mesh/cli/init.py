"""`mesh init`: set a SQLMesh project up for contracts."""

from __future__ import annotations

from typing import Annotated

import typer

from mesh.cli.options import InAnyProject
from mesh.console import err, out
from mesh.errors import CheckFailed, Location


def init(
    project: InAnyProject,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Change files that are there without asking.")
    ] = False,
) -> None:
    """Write the macro, audit and lint rules of contracts into a SQLMesh project, and say so.

    What is there already is changed only when you agree.
    """
    from mesh.setup import apply, in_python, needed

    changes = needed(project)
    new = [change for change in changes if change.is_new]
    edits = [change for change in changes if not change.is_new]
    apply(new)
    for change in new:
        out.print(f"{project.shown(change.path)} is written.", markup=False)
    left = []
    for change in edits:
        name = project.shown(change.path)
        out.print(f"{name}:\n{change.difference}", markup=False, soft_wrap=True)
        if yes or (err.is_terminal and typer.confirm(f"Change {name} so?")):
            apply([change])
            out.print(f"{name} is changed.", markup=False)
        else:
            left.append(str(name))
    if left:
        raise CheckFailed(
            f"{', '.join(left)} {'is' if len(left) == 1 else 'are'} as before, so contracts are "
            "not enforced yet.",
            fix="Make these changes by hand, or run `mesh init --yes`.",
        )
    if lines := in_python(project):
        out.print(lines, markup=False, soft_wrap=True)
        raise CheckFailed(
            "its configuration is in Python, which `mesh init` does not edit, so contracts are not "
            "enforced yet.",
            where=Location(project.config),
            fix="Give its `Config` what is above, and run `mesh init` again.",
        )
    if not changes:
        out.print("This project is set up.")
    out.print("Next: `mesh contracts new MODEL` drafts the contract of a model.")
