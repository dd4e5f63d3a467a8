"""`mesh contracts`: what people do with contracts."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from mesh.cli.contracts_bite import bite_command
from mesh.cli.contracts_list import list_command
from mesh.cli.contracts_new import new_command
from mesh.cli.contracts_prove import prove_command
from mesh.cli.contracts_show import show_command
from mesh.cli.contracts_verify import verify_command
from mesh.cli.options import InProject, Json
from mesh.console import out, say, say_json
from mesh.words import many

app = typer.Typer(
    name="contracts", help="Check, show and verify data contracts.", no_args_is_help=True
)


@app.command("lint")
def lint_command(
    project: InProject,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="path", help="Contracts or folders; by default all contracts."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Find every problem of every contract: exit code 1 when there is one."""
    from mesh.bite.excuses import lint_bite
    from mesh.contracts.lint import lint
    from mesh.review.levels import lint_levels

    looked_at = paths or [project.contracts]
    result = lint(looked_at, project.cache)
    folders = [path for path in looked_at if path.is_dir()]
    levels = [problem for folder in folders for problem in lint_levels(folder)]
    problems = {*result.problems, *levels, *lint_bite(looked_at)}
    result = dataclasses.replace(result, problems=tuple(sorted(problems)))
    if as_json:
        found = [problem.as_data() for problem in result.problems]
        say_json({"files": result.files, "problems": found})
    else:
        for problem in result.problems:
            say(problem)
        files = many(result.files, "contract")
        # The levels are no contract.
        beside = sorted({str(problem.where.path) for problem in levels})
        broken = len({problem.path for problem in {*result.problems} - {*levels}})
        places = [f"{broken} of {files}"] * bool(broken) + beside
        if result.problems:
            count = many(len(result.problems), "problem")
            say(f"{count} in {' and in '.join(places)}")
        else:
            out.print(f"{files}: no problems")
    if result.problems:
        raise typer.Exit(1)


app.command("verify")(verify_command)
app.command("bite")(bite_command)
app.command("prove")(prove_command)
app.command("list")(list_command)
app.command("show")(show_command)
app.command("new")(new_command)
