"""`mesh status`: what stands in the environments."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from mesh.cli.options import EnvironmentOption, Gateway, InProject, Json, one_of, tell_left_out
from mesh.console import out, say, say_json, table
from mesh.words import many

if TYPE_CHECKING:
    from mesh.environments import EnvironmentStatus, ProductStatus


def status(
    project: InProject,
    environment: Annotated[
        str | None, typer.Argument(help="One environment; without it, all of them.")
    ] = None,
    option: EnvironmentOption = None,
    gateway: Gateway = None,
    as_json: Json = False,
) -> None:
    """Show which deliveries an environment shows and lacks, and how young each product is.

    Exit code 1 when something is not in order: a delivery that is not shown, a product that is
    gone, or one that is late, as for `mesh contracts verify`. 0 when all is, 2 for wrong use.
    """
    from mesh.environments import open_project
    from mesh.environments import status as look

    tell_left_out(project)
    opened = open_project(project, gateway, models=False)
    environment = one_of(environment, option)
    names = [environment] if environment else opened.environment_names
    found = [look(opened, name) for name in names]
    if as_json:
        say_json([asdict(one) for one in found])
    else:
        if not found:
            out.print("There is no environment yet: `sqlmesh plan` makes one.")
        for one in found:
            show_status(one)
        if project.day_of_use is None and any(one.late for one in found):
            stated = f"state the day of use by {project.day_is_stated_by}."
            say(f"If no data of the project grows any more, {stated}")
    if any(map(findings, found)):
        raise typer.Exit(1)


def show_status(environment: EnvironmentStatus) -> None:
    """Print what an environment shows and lacks, and its products as a table."""
    heads = ("data product", "rows", "newest month", "by its contract", "data changed (UTC)")
    made = table(*heads, title=_headline(environment), whole=heads[:1], right=("rows",))
    for product in environment.products:
        made.add_row(
            product.product,
            f"{product.rows:,}" if product.rows is not None else "[red]not readable[/]",
            f"{product.newest_month:%Y-%m}" if product.newest_month else "–",
            _age(product),
            f"{product.changed_at:%Y-%m-%d %H:%M}" if product.changed_at else "–",
        )
    for name in environment.absent:
        made.add_row(name, "[dim]not there[/]", "–", "–", "–")
    out.print(made)
    for line in findings(environment):
        out.print(f"[red]✗[/] {escape(line)}", soft_wrap=True)


def findings(environment: EnvironmentStatus) -> list[str]:
    """What is not in order in an environment, each with what to do."""
    from mesh.environments.deliveries import told
    from mesh.environments.unaccounted import what_to_do
    from mesh.environments.versions import months_are_missing

    name = environment.environment
    found = []
    if environment.lost:
        found.append(
            f"{name} has lost {', '.join(environment.lost)}: `mesh refresh {name}` makes them "
            "again."
        )
    if environment.absent:
        found.append(
            f"{name} has {len(environment.products)} of "
            f"{len(environment.products) + len(environment.absent)} data products, as after a plan "
            f"of some models: `sqlmesh plan {name}` makes the others."
        )
    if environment.unbuilt:
        missing = months_are_missing(name, len(environment.unbuilt))
        found.append(f"{missing}: `mesh refresh {name}` builds the others.")
    if environment.mixed:
        found.append(
            f"{name} shows different deliveries in different products, as after a plan of some "
            f"models: `sqlmesh plan {name}` or `mesh refresh {name}` brings all to the newest."
        )
    elif environment.lacking:
        lacking = told(environment.lacking)
        does = f"`mesh refresh {name}` does."
        if environment.lacking[-1].found:
            does = f"no delivery brought these rows. {what_to_do(name)}"
        found.append(f"{name} does not show {lacking} yet: {does}")
    elif environment.shows and environment.shows.found:
        shown = told([environment.shows])
        found.append(
            f"{name} shows {shown}: no delivery brought these rows. If nobody meant it, deliver "
            "all of it again with `mesh ingest`."
        )
    if late := environment.late:
        names = ", ".join(product.product for product in late)
        found.append(
            f"{name} has {len(late)} of {many(len(environment.products), 'product')} late, older "
            f"than promised: {names}."
        )
    return found


def _headline(environment: EnvironmentStatus) -> str:
    shows, told = environment.shows, ""
    if shows:
        told = f" shows delivery {shows.number} of {shows.finished_at:%Y-%m-%d %H:%M}"
    elif environment.lacking:
        told = " shows nothing"
    late = environment.late
    age = f", {len(late)} of {len(environment.products)} products late" if late else ""
    return f"{environment.environment}{told}{age}"


def _age(product: ProductStatus) -> str:
    if product.age_days is None or product.fresh is None:
        return "–"
    days = many(product.age_days, "day")
    return f"fresh, {days} old" if product.fresh else f"[red]late[/], {days} old"
