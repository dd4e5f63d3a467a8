"""`mesh generate`: sample data where nothing can be downloaded."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from mesh.console import say


def generate(
    users: Annotated[int, typer.Option(help="How many users; 600 give about 92,000 ratings.")],
    out: Annotated[Path, typer.Option(help="Folder for movies.csv, ratings.csv and tags.csv.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 25,
    movies: Annotated[
        int | None, typer.Option(help="How many movies; by default by the number of users.")
    ] = None,
    end: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%d"], show_default="2019-11-21", help="Day of the newest rating."
        ),
    ] = datetime(2019, 11, 21),
    later_months: Annotated[
        int,
        typer.Option(
            help="So many last months are deliveries to append, in folders beside --out: "
            "OUT-2019-11."
        ),
    ] = 0,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the files of a folder that is not empty.")
    ] = False,
) -> None:
    """Write sample data in the MovieLens formats, calibrated against the real data sets."""
    from mesh.movielens.generate import generate as make

    made = make(
        out, users, seed, movies=movies, end=end.date(), later_months=later_months, force=force
    )
    say(
        f"{made.folder}: {made.users:,} users, {made.movies:,} movies, {made.ratings:,} ratings, "
        f"{made.tags:,} tags in {made.seconds:.1f} s ({made.rows / made.seconds:,.0f} rows/s)"
    )
