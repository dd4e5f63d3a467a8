"""`mesh dashboards`: the dashboards of a project, checked, built, served and linked."""

from __future__ import annotations

from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mesh.cli.options import EnvironmentOption, Gateway, InProject, Json, one_of
from mesh.console import out, say, say_json
from mesh.project import PROD_VARIABLE
from mesh.words import many

app = typer.Typer(
    name="dashboards", help="Check, build, serve and link the dashboards.", no_args_is_help=True
)
DEFAULT_OUT = Path("dist") / "dashboards"


class Host(StrEnum):
    """The two names of Google's Looker Studio: a link to another would hand out the project's."""

    LOOKER = "lookerstudio.google.com"
    DATA = "datastudio.google.com"


@app.command("check")
def check_command(
    project: InProject,
    folder: Annotated[
        Path | None, typer.Argument(help="The folder of the specs; by default looker/.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Hold every spec against the contracts: exit code 1 when something is wrong."""
    from mesh.dashboards.check import check

    count, problems = check(folder or project.dashboards, project.contracts)
    if as_json:
        found = [problem.as_data() for problem in problems]
        say_json({"dashboards": count, "problems": found})
    else:
        for problem in problems:
            say(problem)
        what = many(len(problems), "problem") if problems else "no problems"
        out.print(f"{many(count, 'dashboard')}: {what}")
    if problems:
        raise typer.Exit(1)


@app.command("build")
def build_command(
    project: InProject,
    environment: Annotated[
        str | None, typer.Argument(help="Whose data to show.", show_default="prod")
    ] = None,
    option: EnvironmentOption = None,
    folder: Annotated[Path, typer.Option("--out", help="Where to write.")] = DEFAULT_OUT,
    png: Annotated[bool, typer.Option(help="Also take pictures of pages and charts.")] = True,
    gateway: Gateway = None,
) -> None:
    """Write each dashboard as one HTML file that needs no network, and PNGs."""
    from mesh.dashboards.check import checked_dashboards
    from mesh.dashboards.preview.build import build
    from mesh.environments import open_project

    environment = one_of(environment, option) or "prod"
    checked_dashboards(project.dashboards, project.contracts)
    opened = open_project(project, gateway, unit_tests=False)
    with closing(opened.context):
        written = build(opened, environment, folder, png=png)
    pages = [path for path in written if path.suffix == ".html"]
    pictures = [path for path in written if path.suffix == ".png"]
    for path in pages:
        say(path)
    if pictures:
        say(f"{len(pictures)} PNGs in {pictures[0].parent}")
    if png and not pictures:
        out.print(
            "No Chromium or no Playwright here, so there are no PNGs: `pip install playwright` and "
            "`playwright install chromium` bring both."
        )


@app.command("serve")
def serve_command(
    project: InProject,
    environment: Annotated[str | None, typer.Argument(help="Which to show first.")] = None,
    port: Annotated[int, typer.Option(help="The port on this machine; 0 takes a free one.")] = 8360,
    option: EnvironmentOption = None,
    gateway: Gateway = None,
) -> None:
    """Show the dashboards of any environment in a browser; they follow data and specs."""
    from mesh.dashboards.preview.serve import serve

    first = one_of(environment, option)
    serve(project, port, first, gateway, announce=say)


@app.command("links")
def links_command(
    project: InProject,
    prod: Annotated[
        str,
        typer.Option(
            "--google-project", envvar=PROD_VARIABLE, help="The Google Cloud project of prod."
        ),
    ],
    host: Annotated[Host, typer.Option("--host", help="Where Looker Studio is.")] = Host.LOOKER,
    as_json: Json = False,
) -> None:
    """Print for each dashboard the link that opens it in Looker Studio on the prod views."""
    from mesh.dashboards.looker.links import links

    found = links(project.dashboards, project.contracts, prod, host)
    if as_json:
        told = [{"dashboard": one.dashboard, "url": one.url, "note": one.note} for one in found]
        say_json(told)
        return
    for one in found:
        say(f"{one.title}: {one.note}")
        say(one.url)
