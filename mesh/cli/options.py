"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Gateway = Annotated[
    str | None,
    typer.Option("--gateway", help="duckdb (the default) or bigquery, as in config.yaml."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
