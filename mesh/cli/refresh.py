"""`mesh refresh`, `mesh promote`, `mesh rollback`: change what an environment shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mesh.cli.options import EnvironmentOption, Gateway, InProject, Json, environment_of
from mesh.console import out, say_json
from mesh.signals import held
from mesh.words import many

if TYPE_CHECKING:
    from mesh.environments import RefreshResult
    from mesh.environments.deliveries import Delivery

SHOWN_MONTHS = 12


def refresh(
    project: InProject,
    environment: Annotated[
        str | None, typer.Argument(help="The environment, such as prod.", show_default=False)
    ] = None,
    option: EnvironmentOption = None,
    found: Annotated[
        bool,
        typer.Option(
            "--found", help="Also take over what was changed in the source past all deliveries."
        ),
    ] = False,
    gateway: Gateway = None,
    as_json: Json = False,
) -> None:
    """Let an environment show the newest delivery; months that it did not change are not built.

    No other environment changes. What it shows is checked before it is shown.
    """
    from mesh.environments import open_project
    from mesh.environments import refresh as run
    from mesh.working_copy import writing

    environment = environment_of(project, gateway, environment, option)
    with writing(project, gateway) as tell:
        opened = open_project(project, gateway, models=False)
        opened.environment(environment)
        tell()
        result = run(opened, environment, take_found=found)
    nothing = f"{environment} was up to date."
    if found:
        nothing += (
            " No rows of its source came or went since; of values that were changed past all "
            f"deliveries `mesh contracts verify {environment}` tells."
        )
    _show(result, as_json, nothing)


def promote(
    project: InProject,
    source: Annotated[str, typer.Argument(help="The environment that shows it, such as dev.")],
    environment: Annotated[str, typer.Argument(help="The environment that will, such as prod.")],
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Also take away promised products that it does not have."),
    ] = False,
    gateway: Gateway = None,
    as_json: Json = False,
) -> None:
    """Let an environment show just what another shows, models and deliveries; nothing is built."""
    from mesh.environments import open_project
    from mesh.environments import promote as run
    from mesh.working_copy import writing

    with writing(project, gateway) as tell:
        opened = open_project(project, gateway, models=False)
        opened.environment(source)
        opened.expected(environment)
        if source != environment:  # What is refused below.
            tell()
        result = run(opened, source, environment, take_away=yes)
    nothing = f"{environment} shows what {source} shows already."
    _show(result, as_json, nothing, f"shows what {source} shows")


def rollback(
    project: InProject,
    environment: Annotated[
        str | None,
        typer.Argument(help="The environment to take back, such as prod.", show_default=False),
    ] = None,
    option: EnvironmentOption = None,
    gateway: Gateway = None,
    as_json: Json = False,
) -> None:
    """Let an environment show again what it showed before its last plan, refresh or promotion."""
    from mesh.environments import open_project
    from mesh.environments import rollback as run
    from mesh.working_copy import writing

    environment = environment_of(project, gateway, environment, option)
    nothing = f"{environment} shows what it showed before already."
    with writing(project, gateway) as tell:
        opened = open_project(project, gateway, models=False)
        opened.environment(environment)
        tell()
        # Done a second time it goes forward again.
        with held():
            result = run(opened, environment)
            _show(result, as_json, nothing, "shows what it showed before")


def _show(result: RefreshResult, as_json: bool, nothing: str, done: str = "is up to date") -> None:
    """nothing: what is said when nothing changed; done: when no delivery came or went."""
    months = [f"{month:%Y-%m}" for month in result.changed_months]
    if as_json:
        answer = {
            "environment": result.environment,
            "changed": result.changed,
            "deliveries": [delivery.number for delivery in result.deliveries],
            "no_longer_shown": [delivery.number for delivery in result.before],
            "changed_months": months,
            "models": list(result.models),
            "made_again": list(result.made_again),
            "taken_away": list(result.taken_away),
            "seconds": round(result.seconds, 3),
        }
        say_json(answer)
        return
    if result.made_again:
        out.print(f"Was gone and is there again: {', '.join(result.made_again)}.")
    if result.taken_away:
        out.print(f"{result.environment} has no longer: {', '.join(result.taken_away)}.")
    if not result.changed:
        out.print(nothing)
        return
    said = [
        *([f"shows {_numbers(result.deliveries)} now"] if result.deliveries else []),
        *([f"shows {_numbers(result.before)} no longer"] if result.before else []),
    ] or [done]
    shown = ", ".join(months[:SHOWN_MONTHS]) + (", …" if len(months) > SHOWN_MONTHS else "")
    changed = many(len(months), "changed month")
    changed = "any month may have changed" if result.any_month else changed
    out.print(
        f"{result.environment} {' and '.join(said)}: {changed}{f' ({shown})' if months else ''}, "
        f"{len(set(result.models))} models run in {result.seconds:.1f} s."
    )


def _numbers(deliveries: tuple[Delivery, ...]) -> str:
    from mesh.environments.deliveries import numbered, told

    return (told if any(one.found for one in deliveries) else numbered)(deliveries)
