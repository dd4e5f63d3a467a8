"""`mesh dashboards`: the two dashboards, checked, built, served and linked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mesh.cli.options import Gateway, Json

app = typer.Typer(
    name="dashboards", help="Check, build, serve and link the dashboards.", no_args_is_help=True
)
Environment = Annotated[str, typer.Option("--environment", help="Whose data to show.")]
DEFAULT_OUT = Path("dist") / "dashboards"


@app.callback()
def dashboards() -> None:
    """Check, build, serve and link the dashboards."""


@app.command("check")
def check_command(
    folder: Annotated[
        Path | None, typer.Argument(help="The folder of the specs; by default looker/.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Hold every spec against the contracts: exit code 1 when something is wrong."""
    from mesh.console import out
    from mesh.dashboards.check import check
    from mesh.dashboards.read import SPECS

    count, problems = check(folder or SPECS)
    if as_json:
        found = [
            {
                "file": str(problem.where.path),
                "line": problem.line,
                "rule": problem.rule,
                "message": problem.message,
                "fix": problem.fix,
            }
            for problem in problems
        ]
        out.print_json(json.dumps({"dashboards": count, "problems": found}))
    else:
        for problem in problems:
            out.print(str(problem), markup=False, soft_wrap=True)
        number = len(problems)
        what = "no problems" if not number else "1 problem" if number == 1 else f"{number} problems"
        out.print(f"{count} dashboard{'' if count == 1 else 's'}: {what}")
    if problems:
        raise typer.Exit(1)


@app.command("build")
def build_command(
    environment: Environment = "prod",
    folder: Annotated[Path, typer.Option("--out", help="Where to write.")] = DEFAULT_OUT,
    png: Annotated[bool, typer.Option(help="Also take pictures of pages and charts.")] = True,
    gateway: Gateway = None,
) -> None:
    """Write each dashboard as one HTML file that needs no network, and PNGs."""
    from mesh.console import out
    from mesh.dashboards import build
    from mesh.environments import open_project

    project = open_project(gateway)
    try:
        written = build(project, environment, folder, png=png)
    finally:
        project.context.close()
    for path in written:
        if path.suffix == ".html":
            out.print(str(path), soft_wrap=True, markup=False)
    pictures = [path for path in written if path.suffix == ".png"]
    if pictures:
        out.print(f"{len(pictures)} PNGs in {pictures[0].parent}", soft_wrap=True, markup=False)
    if png and not any(path.stem == "user_360" for path in pictures):
        out.print(
            "No Chromium or no Playwright here, so pages have no PNG: `make pages` installs both."
        )


@app.command("serve")
def serve_command(
    port: Annotated[int, typer.Option(help="The port on this machine; 0 takes a free one.")] = 8360,
    environment: Annotated[
        str | None, typer.Option("--environment", help="Which to show first.")
    ] = None,
    gateway: Gateway = None,
) -> None:
    """Show the dashboards of any environment in a browser; they follow data and specs."""
    from mesh.console import out
    from mesh.dashboards.serve import serve

    serve(port, environment, gateway, announce=lambda url: out.print(url, markup=False))


@app.command("links")
def links_command(
    project: Annotated[str, typer.Option("--project", help="The Google Cloud project of prod.")],
    host: Annotated[
        str, typer.Option("--host", help="lookerstudio.google.com or datastudio.google.com.")
    ] = "lookerstudio.google.com",
    as_json: Json = False,
) -> None:
    """Print for each dashboard the link that opens it in Looker Studio on the prod views."""
    from mesh.console import out
    from mesh.dashboards.links import links

    found = links(project, host)
    if as_json:
        out.print_json(
            json.dumps(
                [{"dashboard": one.dashboard, "url": one.url, "note": one.note} for one in found]
            )
        )
        return
    for one in found:
        out.print(f"{one.title}: {one.note}", markup=False, soft_wrap=True)
        out.print(one.url, markup=False, soft_wrap=True)


@app.command("build-sheet")
def build_sheet_command(
    only_check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 1 when it is out of date.")
    ] = False,
) -> None:
    """Write into looker/README.md how to make each chart by hand, from the specs."""
    from mesh.console import out
    from mesh.dashboards.sheet import write_sheet

    changed = write_sheet(only_check=only_check)
    out.print(
        "looker/README.md " + ("is out of date" if only_check and changed else "is up to date")
    )
    if only_check and changed:
        raise typer.Exit(1)


@app.command("bytes")
def bytes_command(as_json: Json = False) -> None:
    """Show the most bytes that each chart's query can scan on BigQuery, by the contracts."""
    from mesh.console import out
    from mesh.dashboards.scan import chart_bytes, markdown

    found = chart_bytes()
    if as_json:
        out.print_json(json.dumps([vars(one) for one in found]))
        return
    out.print(markdown(found), markup=False, soft_wrap=True)
