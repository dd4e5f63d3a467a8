"""Entry point of `mesh`: gathers the commands and turns errors into one line and an exit code.

Exit codes: 0 all is well, 1 what was checked is not in order, 2 wrong use, 130 stopped.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from mesh.cli.contracts import app as contracts_app
from mesh.cli.contracts_diff import contracts_diff
from mesh.cli.cost import cost
from mesh.cli.dashboards import app as dashboards_app
from mesh.cli.demo import demo
from mesh.cli.docs import codeowners, docs, schema
from mesh.cli.erase import erase
from mesh.cli.generate import generate
from mesh.cli.ingest import ingest
from mesh.cli.init import init
from mesh.cli.options import ABOUT, AROUND, FLAGS, named_first, tell_gateway
from mesh.cli.refresh import promote, refresh, rollback
from mesh.cli.review import review
from mesh.cli.status import status
from mesh.console import err
from mesh.errors import MeshError, WrongUse
from mesh.secret import hidden
from mesh.signals import ending

app = typer.Typer(
    name="mesh",
    help="Data products under contract: what SQLMesh does not do.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"mesh {version('movie-audience-mesh')}")
        raise typer.Exit


@app.callback()
def options(
    project: Annotated[
        Path | None, typer.Option(*FLAGS, help=ABOUT, metavar="FOLDER", show_default=AROUND)
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_tell_version, help="Tell the version, and stop."
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback behind an error.")
    ] = False,
) -> None:
    """Data products under contract: what SQLMesh does not do."""
    named_first.set(project)


app.command()(init)
app.command()(demo)
app.command()(generate)
app.command()(ingest)
app.command()(erase)
app.command()(cost)
app.command()(refresh)
app.command()(promote)
app.command()(rollback)
app.command()(status)
contracts_app.command("diff")(contracts_diff)
app.add_typer(contracts_app)
app.add_typer(dashboards_app)
app.command()(review)
app.command()(codeowners)
app.command()(docs)
app.command()(schema)


def _report(error: BaseException) -> int:
    if isinstance(error, OSError):
        from mesh.files.machine import is_of_machine, said_by_machine

        error = said_by_machine(error) if is_of_machine(error) else error
    if isinstance(error, MeshError):
        err.print(f"[bold red]error:[/] {escape(str(error))}")
        return error.exit_code
    text = hidden(" ".join(str(error).split()))
    err.print(
        f"[bold red]unexpected error:[/] {type(error).__name__}: {escape(text)} "
        "Run again with `mesh --debug …` and report the traceback."
    )
    return 2


def _stopped(error: BaseException | None) -> bool:
    """Whether it follows from Ctrl-C: a module that is being imported makes another error of it,
    and so may what cleans up.
    """
    while error and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _flush() -> None:
    """WrongUse if what the command said cannot be written where it was sent."""
    try:
        if isinstance(sys.exception(), OSError):
            # What failed may be gone from its buffer.
            sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError as error:
        # Python would try once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise WrongUse(
            f"what the command says cannot be written: {error.strerror}.",
            fix="Make room, or send its output elsewhere.",
        ) from error


def run(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    with ending() as came:
        try:
            try:
                app(args=words, prog_name="mesh")
            finally:
                _flush()
        except BaseException as error:
            if came or _stopped(error):
                err.print("stopped")
                raise SystemExit(128 + (came[0] if came else signal.SIGINT)) from None
            if isinstance(error, SystemExit) or "--debug" in words:
                tell_gateway()
                raise
            code = _report(error)
            tell_gateway()
            raise SystemExit(code) from None


if __name__ == "__main__":
    run()
