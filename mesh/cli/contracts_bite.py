"""`mesh contracts bite`: which damages to the data would the rules of the contracts notice?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mesh.cli.options import Gateway, InProject, Json, data_of, tell_waiting
from mesh.console import out, progress, say, say_json
from mesh.errors import WrongUse
from mesh.words import many

if TYPE_CHECKING:
    from mesh.bite.run import BiteReport, Bitten


def bite_command(
    project: InProject,
    products: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="product",
            help="Data products, or sources; by default all data products.",
            show_default=False,
        ),
    ] = None,
    environment: Annotated[str | None, data_of("that of a bare plan, or else prod")] = None,
    gateway: Gateway = None,
    as_json: Json = False,
) -> None:
    """Damage copies of the data in standard ways, and see which damages the rules notice.

    Exit code 1 when a contract notices less than it, or the project, demands.
    """
    from mesh.contracts import find

    for product in products or ():
        find(product, project.contracts)
    if not products:
        tell_waiting(project)
    from mesh.bite.run import bite
    from mesh.environments import open_project

    opened = open_project(project, gateway, models=False)
    named = environment or opened.usual_environment
    if named is None:
        raise WrongUse("there is no environment yet.", fix="Create one with `sqlmesh plan`.")
    with progress() as bar:
        task = bar.add_task("damaging", detail="")

        def tell(product: str, number: int, of: int) -> None:
            bar.update(task, completed=number, total=of, detail=product)

        report = bite(opened, named, products, tell=tell)
    if as_json:
        say_json(as_document(report))
    else:
        _show(report)
    if not report.ok:
        raise typer.Exit(1)


def as_document(report: BiteReport) -> dict[str, object]:
    """The report as JSON-ready data."""
    return {
        "environment": report.environment,
        "ok": report.ok,
        "seconds": round(report.seconds, 3),
        "products": [
            {
                "product": one.product,
                "version": str(one.contract.version),
                "rows": one.rows,
                "ok": one.ok,
                "share": None if one.share is None else round(one.share, 4),
                "demanded": one.demanded,
                "seconds": round(one.seconds, 3),
                "noticed": dict(one.noticed),
                "survivors": [
                    {
                        "damage": survivor.damage,
                        "done": survivor.words,
                        "suggestion": survivor.suggestion and survivor.suggestion.rule,
                    }
                    for survivor in one.survivors
                ],
                "equal": list(one.equal),
                "excused": dict(one.excused),
                "needless_excuses": list(one.needless),
                "broken_rules": dict(one.broken),
            }
            for one in report.products
        ],
    }


def _show(report: BiteReport) -> None:
    for one in report.products:
        for line in _lines(one, report.environment):
            say(line)
    noticed = sum(len(one.noticed) for one in report.products)
    counted = sum(one.counted for one in report.products)
    products = many(len(report.products), "product")
    out.print(
        f"{noticed:,} of {counted:,} damages to {products} of "
        f"{report.environment} are noticed; {report.seconds:.1f} s."
    )


def _lines(one: Bitten, environment: str) -> list[str]:
    if not one.rows and one.may_be_empty:
        return [f"{one.product} has no rows in {environment}, which is excused: {one.may_be_empty}"]
    if not one.rows:
        return [
            f"✗ {one.product} has no rows in {environment}: nothing can be damaged, so nothing is "
            "known of what its rules notice."
        ]
    share = "" if one.share is None else f", {_percent(one.share)}"
    demanded = "" if one.demanded is None else f" ({_percent(one.demanded)} demanded)"
    mark = "" if one.ok else "✗ "
    lines = [
        f"{mark}{one.product} {one.contract.version}: {len(one.noticed)} of {one.counted} damages "
        f"noticed{share}{demanded}"
    ]
    lines += [f"  rule {rule} notices nothing: {why}" for rule, why in one.broken.items()]
    lines += [f"  {damage} need not be excused" for damage in one.needless]
    rules: dict[str, list[str]] = {}
    for survivor in one.survivors:
        found = survivor.suggestion
        how = f" Noticed by {found.id}." if found else " No rule was found that would notice it."
        lines.append(f"  {survivor.damage}: {survivor.words}.{how}")
        if found:
            rules[found.id] = found.lines()
    if rules:
        lines.append(f"  To be pasted under `quality` in {one.contract.location().path}:")
    for text in rules.values():
        lines += ["", *text]
    return [*lines, ""] if one.survivors else lines


def _percent(share: float) -> str:
    """Rounded down: 94.9 % is not 95 %."""
    return f"{int(share * 1000) / 10:g} %"
