"""`mesh contracts verify`: does the data of an environment keep what the contracts promise?"""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from mesh.cli.options import EnvironmentOption, Gateway, InProject, Json, tell_waiting
from mesh.console import err, in_line, out, say, say_json, table
from mesh.errors import WrongUse
from mesh.project import Project, moment
from mesh.words import many

if TYPE_CHECKING:
    from mesh.verify import Outcome, ProductReport, VerifyReport


def verify_command(
    project: InProject,
    environment: Annotated[
        str | None,
        typer.Argument(metavar="environment", help="Whose data, such as prod.", show_default=False),
    ] = None,
    products: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="product",
            help="Data products or sources; by default all that have a contract.",
            show_default=False,
        ),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="The day of use that freshness is measured against, YYYY-MM-DD, UTC; "
            "by default the one that the configuration states, else today.",
            show_default=False,
        ),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a JUnit file too.")
    ] = None,
    option: EnvironmentOption = None,
    gateway: Gateway = None,
    as_json: Json = False,
) -> None:
    """Verify the data of an environment inside the engine.

    Exit code 1 when a promise is broken, be it only that data is late; the last line tells both
    apart. 0 when all are kept, 2 for wrong use.
    """
    named = [*([environment] if environment else []), *(products or [])]
    if option:
        named.insert(0, option)
    if not named:
        raise WrongUse("verify needs an environment.", fix="Name it: `mesh contracts verify prod`.")
    environment, *products = named
    day = _day(as_of)
    if junit:
        from mesh.files.reports import check_writable

        check_writable(junit)
    from mesh.contracts import find

    for product in products:
        find(product, project.contracts)
    if not products:
        tell_waiting(project)
    from mesh.environments import open_project
    from mesh.verify import verify

    opened = open_project(project, gateway, models=False)
    with err.status("") if err.is_terminal else nullcontext() as line:
        report = verify(opened, environment, products, day, tell=line.update if line else None)
    if junit:
        from mesh.verify.junit import write_junit

        write_junit(report, junit)
    if as_json:
        say_json(as_document(report))
    else:
        _show(report, project)
    if not report.ok:
        raise typer.Exit(1)


def _day(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return moment(text)
    except ValueError:
        raise WrongUse(
            f"--as-of {text!r} is no date.", fix="Write it as YYYY-MM-DD, such as 2018-09-30."
        ) from None


def as_document(report: VerifyReport) -> dict[str, object]:
    """The report as JSON-ready data."""
    return {
        "environment": report.environment,
        "ok": report.ok,
        "as_of": report.as_of,
        "as_of_reason": report.as_of_reason,
        "seconds": round(report.seconds, 3),
        "without_contract": list(report.without_contract),
        "lacking": [delivery.number for delivery in report.lacking],
        "unbuilt": list(report.unbuilt),
        "products": [
            {
                "product": product.product,
                "version": product.version,
                "table": product.table,
                "rows": product.rows,
                "ok": product.ok,
                "seconds": round(product.seconds, 3),
                "rules": [_rule(outcome) for outcome in product.outcomes],
            }
            for product in report.products
        ],
    }


def _rule(outcome: Outcome) -> dict[str, object]:
    data = asdict(outcome)
    where = data.pop("where")
    data["sample"] = [{name: _number(v) for name, v in row.items()} for row in outcome.sample]
    return {**data, "file": str(where["path"]), "line": where["line"]}


def _number(value: object) -> object:
    """JSON has no NaN and no infinity: they are written as text."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _show(report: VerifyReport, project: Project) -> None:
    from mesh.verify.report import TODAY

    for product in report.products:
        _show_product(product)
    out.print(
        f"{report.summary} Freshness as of {report.as_of:%Y-%m-%d} ({report.as_of_reason}); "
        f"{report.seconds:.1f} s."
    )
    if report.is_late and report.as_of_reason == TODAY:
        say(
            "If no data of the project grows any more, state the day of use: --as-of, or once by "
            f"{project.day_is_stated_by}."
        )
    if report.lacking:
        from mesh.environments.deliveries import told

        out.print(f"{report.environment} does not show {told(report.lacking)} yet.")
    if report.unbuilt:
        from mesh.environments.versions import months_are_missing

        missing = months_are_missing(report.environment, len(report.unbuilt))
        out.print(f"{missing}: `mesh refresh {report.environment}` builds the others.")
    if report.without_contract:
        names = ", ".join(report.without_contract)
        out.print(f"Without a contract, so not looked at: {names}.")
    if report.empty:
        fix = "of what was looked at, nothing has a row."
        if project.settings.deliveries:
            fix = f"`mesh ingest` a delivery, then `mesh refresh {report.environment}`."
        out.print(f"{report.environment} holds no data: {fix}")


def _show_product(product: ProductReport) -> None:
    from mesh.verify.text import finding, sample_text

    rows = "not read" if product.rows is None else many(product.rows, "row")
    state = "" if product.ok else f": [bold red]{len(product.broken)} broken[/]"
    title = f"{product.product} {product.version} ({rows}, {product.seconds:.1f} s){state}"
    numbers = ("checked", "failing")
    made = table("rule", *numbers, "found", title=title, whole=("rule", *numbers), right=numbers)
    for one in product.outcomes:
        made.add_row(
            escape(one.rule) if one.ok else f"[red]✗ {escape(one.rule)}[/]",
            "–" if one.checked is None else f"{one.checked:,}",
            "–" if one.failing is None else f"{one.failing:,}",
            escape("\n".join(map(sample_text, one.sample)) or finding(one)),
        )
    out.print(made)
    for one in product.broken:
        found = finding(one)
        text = f"{one.where}: {one.rule}: {one.description}" + (f" But {found}." if found else "")
        out.print(f"[red]✗[/] {in_line(text)}", soft_wrap=True)
    if product.broken:
        out.print()
