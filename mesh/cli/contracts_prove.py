"""`mesh contracts prove`: Google's own analyzer on everything that BigQuery would run."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from mesh.cli.options import InProject, Json, tell_waiting
from mesh.console import out, progress, say, say_json
from mesh.words import many


def prove_command(
    project: InProject,
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="model", help="Models by name; by default all, and all charts."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove that BigQuery takes every query, and answers with the contracts' columns and types.

    Of a hundred models and charts it takes half a minute, the first time a minute more: the
    analyzer is compiled then.
    """
    from mesh.dashboards.chart_queries import chart_queries
    from mesh.prove import prove

    tell_waiting(project)
    with progress() as bar:
        task = bar.add_task("proving", total=1.0, detail="")
        proof = prove(
            project,
            tuple(models or ()),
            charts=chart_queries(project),
            tell=lambda what, done: bar.update(task, completed=done, detail=what),
        )
    if as_json:
        found = [
            asdict(finding) | {"path": str(project.shown(finding.path))}
            for finding in proof.findings
        ]
        say_json({"subjects": proof.subjects, "statements": proof.statements, "findings": found})
    else:
        for finding in proof.findings:
            say(finding)
        count = len(proof.findings)
        result = many(count, "finding") if count else "BigQuery takes them all"
        out.print(
            f"{len(proof.subjects)} models and charts, {proof.statements} statements: {result}"
        )
    if proof.findings:
        raise typer.Exit(1)
