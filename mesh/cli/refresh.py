"""`mesh refresh`: bring an environment up to date with all that was ingested."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from mesh.cli.options import Gateway, Json
from mesh.console import out


def refresh(
    environment: Annotated[str, typer.Argument(help="dev, test, acceptance, prod or dev_<name>.")],
    gateway: Gateway = None,
    as_json: Json = False,
) -> None:
    """Build the months that deliveries changed again, and nothing else.

    Tables are shared by all environments that have the same version of a model, so what one of
    them brings up to date is up to date in the others as well.
    """
    from mesh.environments import open_project
    from mesh.environments import refresh as run

    result = run(open_project(gateway), environment)
    months = [f"{month:%Y-%m}" for month in result.changed_months]
    if as_json:
        answer = {
            "environment": result.environment,
            "changed_months": months,
            "models": list(result.models),
            "seconds": round(result.seconds, 3),
        }
        out.print_json(json.dumps(answer))
    elif not result.models:
        out.print(f"{environment} was up to date.")
    else:
        shown = ", ".join(months[:12]) + (", …" if len(months) > 12 else "")
        out.print(
            f"{environment} is up to date: {len(months)} changed month"
            f"{'' if len(months) == 1 else 's'}{f' ({shown})' if months else ''}, "
            f"{len(set(result.models))} models run in {result.seconds:.1f} s."
        )
