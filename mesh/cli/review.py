"""`mesh review`: what a pull request does to everyone who depends on the data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mesh.cli.options import Gateway, InProject, Json, data_of
from mesh.console import say_json


def review(
    project: InProject,
    base: Annotated[
        str | None,
        typer.Option(help="Branch, tag or commit to compare with; by default the main branch."),
    ] = None,
    environment: Annotated[str | None, data_of("none: its rows would be compared")] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write the comment for a pull request to this file.")
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option(help="Write the findings as SARIF 2.1.0 to this file.")
    ] = None,
    cost: Annotated[
        bool, typer.Option("--cost", help="Also tell what a month of runs scans, before and after.")
    ] = False,
    gateway: Gateway = None,
    as_json: Json = False,
    rules: Annotated[bool, typer.Option("--rules", help="Show all rules, and stop.")] = False,
) -> None:
    """Compare with a base revision: exit code 1 if a contract is broken, 2 if nobody can tell."""
    from mesh.review.report import machine, terminal

    if rules:
        if as_json:
            say_json(machine.rules_json())
        else:
            terminal.print_rules()
        return
    from mesh.files.reports import check_writable, write_report
    from mesh.review.run import review as look

    for file in filter(None, (markdown, sarif)):
        check_writable(file)
    result = look(project, base, gateway=gateway, environment=environment, cost=cost)
    if markdown:
        from mesh.review.report.markdown import markdown as write

        write_report(markdown, write(result))
    if sarif:
        write_report(
            sarif, json.dumps(machine.sarif(result.findings, result.prefix), indent=2) + "\n"
        )
    if as_json:
        say_json(machine.review_json(result))
    else:
        terminal.print_review(result)
    if result.breaking:
        raise typer.Exit(1)
    if result.unknown:
        raise typer.Exit(2)
