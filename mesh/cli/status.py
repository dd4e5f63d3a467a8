"""`mesh status`: what stands in the environments."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mesh.cli.options import Gateway, Json
from mesh.console import out

if TYPE_CHECKING:
    from mesh.environments import EnvironmentStatus


def status(
    environment: Annotated[
        str | None, typer.Argument(help="One environment; without it, all of them.")
    ] = None,
    gateway: Gateway = None,
    as_json: Json = False,
) -> None:
    """Show each data product of an environment: rows, newest month, last run."""
    from mesh.environments import open_project
    from mesh.environments import status as look

    project = open_project(gateway)
    names = [environment] if environment else project.environment_names
    found = [look(project, name) for name in names]
    if as_json:
        out.print_json(json.dumps([asdict(one) for one in found], default=_text))
        return
    if not found:
        out.print("There is no environment yet: `sqlmesh plan` makes dev.")
    for one in found:
        show_status(one)


def show_status(environment: EnvironmentStatus) -> None:
    """Print the products of an environment as a table."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=environment.environment, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("data product", no_wrap=True)
    table.add_column("rows", justify="right")
    table.add_column("newest month")
    table.add_column("last run (UTC)")
    for product in environment.products:
        table.add_row(
            product.product,
            f"{product.rows:,}",
            f"{product.newest_month:%Y-%m}" if product.newest_month else "–",
            f"{product.last_run:%Y-%m-%d %H:%M}" if product.last_run else "–",
        )
    out.print(table)


def _text(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
