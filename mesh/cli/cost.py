"""`mesh cost`: what the project scans on BigQuery, and what that costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mesh.cli.options import InProject, Json, data_of
from mesh.console import note, out, say_json, table

if TYPE_CHECKING:
    from mesh.cost import Cost


# Beyond any table and any price: without a bound "infinity" is a number too.
MOST = 10**15


def cost(
    project: InProject,
    environment: Annotated[str | None, data_of("prod, or else the first")] = None,
    base: Annotated[
        str | None, typer.Option("--base", help="A git revision to compare with.")
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(
            "--rows",
            min=1,
            max=MOST,
            help="Reckon for that many rows of the largest source, as 25000000.",
        ),
    ] = None,
    per_tib: Annotated[
        float, typer.Option("--price", min=0, max=MOST, help="US dollars per TiB.")
    ] = 6.25,
    as_json: Json = False,
) -> None:
    """Tell the bytes that a full build, a month and each chart scan, and their price.

    A month has as many runs of a model as its cron says.
    """
    from mesh import cost as costs
    from mesh.dashboards.chart_queries import chart_queries

    new = costs.cost(project, chart_queries, environment=environment, rows=rows)
    if new.unbuilt:
        note(
            "counted as empty, since the environment does not have them: "
            f"{', '.join(new.unbuilt)}. Plan them there."
        )
    old = costs.cost_of_revision(project, base, new.sizes, chart_queries) if base else None
    if as_json:
        say_json(_data(new, old, per_tib))
    else:
        _show(new, old, base, per_tib)


def _data(new: Cost, old: Cost | None, per_tib: float) -> dict[str, object]:
    from mesh.cost import price

    def side(one: Cost) -> dict[str, object]:
        return {
            "models": {
                m.model: {
                    "runs_a_month": round(m.runs, 2),
                    "monthly": round(m.monthly),
                    "monthly_audits": round(m.monthly_audits),
                    "monthly_billed": round(m.monthly_billed),
                    "full": round(m.full),
                    "full_billed": round(m.full_billed),
                }
                for m in one.models
            },
            "charts": {c.chart: round(c.scanned) for c in one.charts},
            "monthly": round(one.monthly),
            "monthly_build": round(one.monthly_build),
            "full": round(one.full),
            "dashboards": round(one.dashboards),
            "monthly_price": price(one.monthly, per_tib),
            "full_price": price(one.full, per_tib),
        }

    told: dict[str, object] = {"rows": new.rows, "month": new.month.isoformat()}
    told |= {"price_per_tib": per_tib, "unbuilt": new.unbuilt}
    return told | side(new) | ({"base": side(old)} if old else {})


def _show(new: Cost, old: Cost | None, base: str | None, per_tib: float) -> None:
    from mesh.cost import price

    before = {model.model: model for model in old.models} if old else {}
    title = f"{new.rows:,} rows in the largest source, month {new.month:%Y-%m}"
    right = ["runs a month", "a month", "of it audits", "full build"]
    right += [f"a month, against {base}"] if old else []
    made = table("model", *right, title=title, whole=("model",), right=right)
    names = [*(model.model for model in new.models), *before]
    here = {model.model: model for model in new.models}
    for name in dict.fromkeys(names):
        one, was = here.get(name), before.get(name)
        cells = [f"{one.runs:,.3g}" if one else ""]
        cells += [megabytes(getattr(one, key, 0)) for key in ("monthly", "monthly_audits", "full")]
        if old:
            cells.append(difference((one.monthly if one else 0) - (was.monthly if was else 0)))
        made.add_row(name, *cells)
    cells = ["", *(megabytes(x) for x in (new.monthly, new.monthly - new.monthly_build, new.full))]
    if old:
        cells.append(difference(new.monthly - old.monthly))
    made.add_section()
    made.add_row("in all", *cells)
    out.print(made)
    charts = table("chart", "a look", whole=("chart",), right=("a look",))
    for chart in new.charts:
        charts.add_row(chart.chart, megabytes(chart.scanned))
    if new.charts:
        out.print(charts)
    out.print(
        "A month has as many runs of each model as its `cron` says, as `sqlmesh run` makes them.",
        highlight=False,
    )
    out.print(
        f"At {per_tib:.2f} US dollars per TiB: {price(new.monthly, per_tib):.4f} a month, "
        f"{price(new.full, per_tib):.4f} for a full build."
    )


def megabytes(size: float) -> str:
    """Bytes as people read them, in units of 1,000."""
    for unit, one in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= one:
            return f"{size / one:,.1f} {unit}"
    return f"{size:,.0f} B"


def difference(size: float) -> str:
    if round(size) == 0:
        return "same"
    return f"{'+' if size > 0 else '-'}{megabytes(abs(size))}"
