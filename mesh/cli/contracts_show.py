"""`mesh contracts show`: a contract for people."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from mesh.cli.contracts_list import list_command
from mesh.cli.options import Gateway, InProject, Json, tell_left_out
from mesh.console import in_line, out, say, say_json, table

if TYPE_CHECKING:
    from mesh.catalogue.consumers import Consumer
    from mesh.catalogue.history import Release
    from mesh.catalogue.look import Look
    from mesh.contracts import Contract
    from mesh.dashboards import ChartUse


def show_command(
    project: InProject,
    product: Annotated[
        str | None, typer.Argument(help="A data product or a source; without one, all are listed.")
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option("--environment", "-e", help="Where its rows are looked at; by default prod."),
    ] = None,
    gateway: Gateway = None,
    as_json: Json = False,
) -> None:
    """Show a product: columns, promises, where it is, who may read it, who does, its versions."""
    if product is None:
        list_command(project, None, as_json)
        return
    from mesh.catalogue.consumers import charts, consumers
    from mesh.catalogue.history import history
    from mesh.catalogue.look import look
    from mesh.contracts import find
    from mesh.contracts.follow import looking
    from mesh.environments import open_project

    contract = find(product, project.contracts)
    tell_left_out(project)
    with looking():
        opened = open_project(project, gateway, unit_tests=False)
    readers = consumers(opened, contract.product)
    shown = charts([contract.product, *(reader.product for reader in readers)], project)
    releases = history(contract.path)
    seen = look(opened, contract, environment)
    if as_json:
        document = _document(contract, readers, shown, releases)
        document["place"] = asdict(seen) if seen else None
        say_json(document)
        return
    _heading(contract)
    _columns(contract)
    _values(contract)
    _place(contract, seen)
    _promises(contract)
    _people(contract, readers, shown)
    _versions(contract, releases)


def _document(
    contract: Contract,
    readers: tuple[Consumer, ...],
    shown: tuple[ChartUse, ...],
    releases: tuple[Release, ...],
) -> dict:
    return {
        "product": contract.product,
        "version": str(contract.version),
        "status": contract.status,
        "owner": contract.owner,
        "purpose": contract.purpose,
        "grain": contract.grain,
        "columns": [
            {
                "name": column.name,
                "type": column.bigquery_type,
                "required": column.required,
                "values": column.values_text(),
                "meanings": {str(one.value): one.description for one in column.enum},
                "classification": column.classification,
                "description": column.description,
            }
            for column in contract.columns
        ],
        "promises": [{"id": name, "description": text} for name, text in promises(contract)],
        "roles": [asdict(role) for role in contract.roles],
        "consumers": [asdict(reader) for reader in readers],
        "charts": [
            {"dashboard": use.dashboard, "chart": use.id}
            | {"title": use.title, "product": use.product}
            for use in shown
        ],
        "versions": [asdict(release) for release in releases],
    }


def promises(contract: Contract) -> list[tuple[str, str]]:
    """Id and sentence of what is promised beyond single columns."""
    grain = [("grain", f"{contract.grain_label} Unique: {', '.join(contract.grain)}.")]
    rules = [(rule.id, rule.description) for rule in contract.rules]
    levels = [
        (level.id or level.property, _level_text(level.value, level.unit, level.description))
        for level in contract.service_levels
    ]
    return [*(grain if contract.grain else []), *rules, *levels]


def _level_text(value: object, unit: str | None, description: str) -> str:
    from mesh.contracts.types import TIME_UNITS

    word = TIME_UNITS[unit][1][-1] if unit and unit in TIME_UNITS else unit or ""
    amount = f"{value} {word}".strip()
    return f"{amount}: {description}" if description else amount


def _heading(contract: Contract) -> None:
    from mesh.contracts.types import today

    state = contract.status
    if contract.end_of_life:
        ended = contract.ended(today())
        state += f"{', ended on' if ended else ' until'} {contract.end_of_life}"
    by = in_line(contract.owner)
    out.print(f"[bold]{contract.product}[/] {contract.version} ({state}), by {by}")
    for label, text in (
        ("What for", contract.purpose),
        ("How to use it", contract.usage),
        ("Limits", contract.limitations),
    ):
        if text:
            out.print(f"[bold]{label}:[/] {in_line(text)}")


def _columns(contract: Contract) -> None:
    names = ("column", "type", "values", "class", "description")
    made = table(*names, title="Columns", whole=("column", "class"))
    for column in contract.columns:
        name = f"{column.name} (key)" if column.grain_position else column.name
        kind = column.bigquery_type + ("" if column.required else ", or NULL")
        said = column.description + (" Deprecated." if column.deprecated else "")
        made.add_row(*map(in_line, (name, kind, column.values_text(), column.classification, said)))
    out.print(made)


def _values(contract: Contract) -> None:
    for column in contract.columns:
        if column.enum:
            out.print(f"[bold]What {column.name} means[/]")
        for allowed in column.enum:
            out.print(f"  {in_line(f'{allowed.value}: {allowed.description}')}")
    out.print()


def _place(contract: Contract, seen: Look | None) -> None:
    from mesh.files.problems import shown

    out.print("[bold]Where it is[/]")
    if seen is None:
        say("  in no environment yet: build it with `sqlmesh plan`")
        return
    out.print(escape(f"  {seen.address} in {seen.environment}"))
    out.print(escape(f"  {seen.query}"), soft_wrap=True)
    if contract.personal_columns:
        names = ", ".join(column.name for column in contract.personal_columns)
        out.print(escape(f"  No rows are shown: they are about persons ({names})."))
        return
    made = table(*seen.columns)
    for row in seen.rows:
        # Who wrote a text must not speak to the terminal.
        made.add_row(*("" if value is None else escape(shown(value)) for value in row))
    out.print(made if seen.rows else "  It has no rows.")


def _promises(contract: Contract) -> None:
    made = table("id", "words", title="Promises", whole=("id",))
    made.show_header = False
    for name, text in promises(contract):
        made.add_row(in_line(name), in_line(text))
    out.print(made)


def _people(contract: Contract, readers: tuple[Consumer, ...], shown: tuple[ChartUse, ...]) -> None:
    def listed(title: str, lines: list[str], none: str) -> None:
        out.print(f"[bold]{title}[/]")
        for line in lines or [none]:
            out.print(f"  {in_line(line)}")

    roles = [f"{role.name} ({role.access}): {role.description}" for role in contract.roles]
    listed("Who may read it", roles, "nobody but its owner")
    built = [
        f"{one.product} of {one.owner}, {'directly' if one.direct else 'through another product'}"
        for one in readers
    ]
    listed("Who reads it", built, "no other product")
    seen = [f"{one.name}: {one.title} (shows {one.product})" for one in shown]
    listed("Which charts show it", seen, "no chart, neither it nor what is built on it")
    asked = [
        f"{one.channel}{f' ({one.tool})' if one.tool else ''}: {one.description}"
        for one in contract.support
    ]
    listed("Where to ask", asked, f"the team {contract.owner}")


def _versions(contract: Contract, releases: tuple[Release, ...]) -> None:
    out.print("[bold]Versions[/]")
    if str(contract.version) not in {release.version for release in releases}:
        out.print(f"  {contract.version}: not committed yet")
    for release in releases:
        said = f"{release.version}: {release.date}, {release.commit}: {release.subject}"
        out.print(f"  {in_line(said)}")
