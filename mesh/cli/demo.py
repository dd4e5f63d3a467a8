"""`mesh demo`: the whole way once, on a sample or on your own files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mesh.cli.options import InProject
from mesh.cli.status import show_status
from mesh.console import out

NEXT_STEPS = """\
Next:
  sqlmesh plan                  see and apply your changes in dev
  sqlmesh ui                    look at models and lineage in a browser
  mesh status                   all environments
  mesh contracts show PRODUCT   what a data product promises
  mesh dashboards serve         the dashboards, with an environment picker
  mesh ingest SOURCE            the next delivery, then: mesh refresh dev"""


def demo(
    project: InProject,
    source: Annotated[
        Path | None,
        typer.Option(
            help="A MovieLens folder or .zip; without it, a sample is generated, unless the "
            "database holds other data."
        ),
    ] = None,
) -> None:
    """Ingest, plan dev, test, acceptance and prod, verify, and draw the dashboards."""
    from mesh.movielens.demo import demo as run
    from mesh.working_copy import writing

    with writing(project) as tell:

        def say(step: str) -> None:
            tell()
            out.print(f"• {step}", highlight=False)

        result = run(project, source, say=say)
    show_status(result.status)
    out.print(f"Audience: {result.audience}\n")
    out.print("Dashboards:", *(f"  {page}" for page in result.dashboards), sep="\n", soft_wrap=True)
    out.print(f"\n{NEXT_STEPS}")
