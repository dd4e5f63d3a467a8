"""`mesh ingest`: MovieLens files become the operational tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from mesh.cli.options import Gateway, InProject, Json
from mesh.console import err, out, progress, say, say_json, table
from mesh.deliveries import WITHOUT_MONTH
from mesh.errors import WrongUse
from mesh.signals import held

if TYPE_CHECKING:
    from mesh.movielens.ingest import IngestResult
    from mesh.movielens.ingest.progress import Observer, Step
    from mesh.project import Project

COUNTED = ("read", "loaded", "rejected", "ignored", "replaced")


def ingest(
    project: InProject,
    source: Annotated[
        str | None,
        typer.Argument(
            help="Folder, .zip or gs://bucket/prefix with movies, ratings and tags, "
            "as CSV or Parquet; with --undo the number of a delivery.",
            show_default=False,
        ),
    ] = None,
    append: Annotated[
        bool,
        typer.Option(
            "--append", help="Add, and replace what is older; without it, replace everything."
        ),
    ] = False,
    max_rejected: Annotated[
        str | None,
        typer.Option(
            help="Share of a table's lines that may be rejected, such as 0.1% or 0.001.",
            show_default="0.1%",
        ),
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option(help="Also write the tables to this folder, as Parquet.")
    ] = None,
    undo: Annotated[
        bool,
        typer.Option(
            "--undo", help="Take the newest delivery out again: the tables are as before it."
        ),
    ] = False,
    gateway: Gateway = None,
    as_json: Json = False,
) -> None:
    """Load a MovieLens delivery into the operational tables, whole or not at all."""
    from mesh.movielens.ingest import ingest as load
    from mesh.movielens.ingest import undo as take_back
    from mesh.movielens.ingest.limit import DEFAULT_LIMIT
    from mesh.movielens.ingest.undo import delivery_number

    if undo:
        given = {"--append": append, "--parquet": parquet, "--max-rejected": max_rejected}
        for option, value in given.items():
            if value:
                raise WrongUse(
                    f"{option} is about loading a delivery, and --undo takes one out.",
                    fix=f"Leave {option} out.",
                )
        work = partial(take_back, delivery_number(source))
        do(work, project, gateway, as_json, _show_undo)
        return
    if source is None:
        raise WrongUse(
            "ingest needs a source: a folder, a .zip or gs://bucket/prefix with movies, ratings "
            "and tags.",
            fix="Name it, or take the newest delivery out again with --undo.",
        )
    work = partial(
        load,
        source,
        append=append,
        max_rejected=DEFAULT_LIMIT if max_rejected is None else max_rejected,
        contracts=project.contracts,
        parquet=parquet,
    )

    def show(result: IngestResult) -> None:
        _show(result)
        if parquet:
            say(f"The tables as Parquet: {parquet}")

    do(work, project, gateway, as_json, show)


def do(
    work: Callable[..., IngestResult],
    project: Project,
    gateway: str | None,
    as_json: bool,
    show: Callable[[IngestResult], None],
) -> None:
    """Change the operational tables and say so.

    work: is told database, target and observer.
    """
    from mesh.movielens.ingest.run import target_for
    from mesh.working_copy import writing

    target_for(gateway)  # a gateway that is none is refused before anything is shown
    with ExitStack() as until_told:
        with (
            writing(project, gateway) as tell,
            _observer(until_told, tell, quiet=as_json) as observer,
        ):
            target = target_for(gateway, observer)
            result = work(database=project.database, target=target, observer=observer)
        if as_json:
            say_json(_for_machines(result))
        else:
            show(result)


def _show_undo(result: IngestResult) -> None:
    say(
        f"ingest {result.ingest_id}: {result.source}; movies, ratings and tags are as before it. "
        f"Changed months: {span(list(result.changed_months))}."
    )
    further = result.notes or (
        "Next, if an environment shows it: `mesh refresh acceptance`, and when it is right there, "
        "`mesh promote acceptance prod`.",
    )
    for line in further:
        say(line)


@contextmanager
def _observer(
    until_told: ExitStack, tell_where: Callable[[], None], *, quiet: bool
) -> Iterator[Observer]:
    """A progress bar on a terminal; elsewhere one plain line at the start of each step.

    tell_where: is called with the first step, which a delivery that is none does not get to.
    until_told: from the commit on nothing stops the command until it has said what it did.
    """
    from mesh.movielens.ingest.progress import COMMITTING

    with nullcontext() if quiet else progress() as bar:
        if bar:
            bar.add_task("", total=1.0, detail="", visible=False)

        def told(step: Step) -> None:
            tell_where()
            if step.what == COMMITTING:
                until_told.enter_context(held())
            elif bar:
                _tell(bar, step)

        yield told


def _tell(bar: Progress, step: Step) -> None:
    """One step after the other, in one bar."""
    (task,) = bar.tasks
    if step.what != task.description:
        bar.reset(task.id, description=step.what, visible=True, detail="")
        if not err.is_terminal:
            err.print(step.what, markup=False)
    passed = task.elapsed or 0.0
    rate = f"{step.lines / passed:,.0f} lines/s" if step.lines and passed else ""
    bar.update(task.id, completed=step.done, detail=rate)


def _show(result: IngestResult) -> None:
    if result.nothing_changed:
        say(
            f"{result.source}: nothing changed, this is ingest {result.ingest_id} again. If "
            "rows were changed past it, `mesh ingest --undo` first, and then deliver it again."
        )
        return
    say(f"ingest {result.ingest_id}: {result.mode} of {result.source}")
    shown = [what for what in COUNTED if what in COUNTED[:3] or result.total(what)]
    heads = ["lines read" if what == "read" else what for what in shown]
    right = [*heads, "changed months"]
    made = table("table", *right, whole=("table", *heads), right=right)
    for name, counts in result.counts.items():
        months = [month for month in result.months[name] if month != WITHOUT_MONTH]
        numbers = (f"{getattr(counts, what):,}" for what in shown)
        made.add_row(name, *numbers, span(months))
    out.print(made)
    ignored, replaced = result.total("ignored"), result.total("replaced")
    say(
        f"{result.lines_loaded:,} loaded + {result.lines_rejected:,} rejected"
        f"{f' + {ignored:,} ignored' if ignored else ''} "
        f"= {result.lines_read:,} lines read, in {result.seconds:.1f} s "
        f"({result.lines_read / max(result.seconds, 0.001):,.0f} lines/s)."
    )
    told = {
        "rejected": result.lines_rejected,
        "ignored, since a newer one counts": ignored,
        "replaced, since a newer one came": replaced,
    }
    if kept := [f"{count:,} {what}" for what, count in told.items() if count]:
        say(
            f"Kept with their reasons in operational.rejected_lines (ingest_id "
            f"{result.ingest_id}): {'; '.join(kept)}."
        )
    if result.reasons:
        say(f"Most frequent: {result.reasons}.")
    for note in result.notes:
        say(note)


def span(months: list[date]) -> str:
    if not months:
        return "none"
    if len(months) == 1:
        return f"1 ({months[0]:%Y-%m})"
    return f"{len(months)} ({months[0]:%Y-%m} to {months[-1]:%Y-%m})"


def _for_machines(result: IngestResult) -> dict[str, object]:
    return {
        "ingest_id": result.ingest_id,
        "source": result.source,
        "mode": result.mode,
        "checksum": result.checksum,
        "nothing_changed": result.nothing_changed,
        "lines_read": result.lines_read,
        "lines_loaded": result.lines_loaded,
        "lines_rejected": result.lines_rejected,
        "lines_ignored": result.total("ignored"),
        "rows_replaced": result.total("replaced"),
        "tables": {
            name: {what: getattr(counts, what) for what in COUNTED}
            for name, counts in result.counts.items()
        },
        "changed_months": [month.isoformat() for month in result.changed_months],
        "seconds": round(result.seconds, 3),
        **({"undoes": result.undoes} if result.undoes else {}),
        "notes": list(result.notes),
    }
