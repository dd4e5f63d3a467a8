"""Movies as they are delivered become movies as they are kept: titles without blanks around them,
genres between bars. What a reader should know of them is noted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mesh.errors import CheckFailed, Location
from mesh.movielens.ingest.genres import NONE, Genres
from mesh.movielens.ingest.literals import literal, only_row
from mesh.movielens.ingest.rules import YEAR
from mesh.movielens.ingest.schema import MOVIES

if TYPE_CHECKING:
    from mesh.movielens.ingest.stage import Origin, Stage

SHOWN = 5
# Of so many titles one may lack its year before it is told; 1 of 700 does in MovieLens's own files.
YEARLESS = 10
_EXAMPLE = "`Toy Story (1995)`"
_GENRES = "`Comedy|Drama`"


def clean_movies(stage: Stage, origin: Origin, genres: Genres) -> None:
    """Put titles and genres of the staged movies into the form in which they are kept."""
    staged = stage.qualify(MOVIES)
    stage.without_breaks(MOVIES, "title", trimmed=True)
    found = stage.connection.execute(
        f"SELECT genres, count(*), min(rowid) FROM {staged} GROUP BY genres ORDER BY min(rowid)"
    ).fetchall()
    unknown: Counter[str] = Counter()
    first: dict[str, int] = {}
    other: dict[str | None, str] = {}
    for text, movies, row in found:
        names = genres.read(text or "")
        if (kept := "|".join(names) or NONE) != text:
            other[text] = kept
        for name in genres.unknown(names):
            unknown[name] += movies
            first.setdefault(name, row)
    if other:
        kept_table = pa.table({"text": list(other), "kept": list(other.values())})
        stage.connection.register("kept_genres", kept_table)
        stage.connection.execute(
            f"UPDATE {staged} SET genres = kept FROM kept_genres "
            f"WHERE {staged}.genres IS NOT DISTINCT FROM text"
        )
        stage.connection.unregister("kept_genres")
    if unknown:
        _unknown(stage, origin, genres, unknown, first)
    _years(stage, staged)
    if found and not stage.known and all(other.get(text, text) == NONE for text, *_ in found):
        stage.notes.append(
            "No movie has a genre: a plan stops at the rule some_have_genres, so that no product "
            f"shows it. Deliver movies with genres between bars, such as {_GENRES}."
        )


def _unknown(
    stage: Stage, origin: Origin, genres: Genres, unknown: Counter[str], first: dict[str, int]
) -> None:
    told = []
    for name, movies in unknown.most_common(SHOWN):
        ((file, number, _),) = origin.trace(np.array([first[name]]))
        count = "1 movie" if movies == 1 else f"{movies:,} movies"
        told.append(f"{name!r} ({count}, the first at {Location(Path(file), number)})")
    more = f"; and {len(unknown) - SHOWN:,} more" if len(unknown) > SHOWN else ""
    what = "1 genre is" if len(unknown) == 1 else f"{len(unknown):,} genres are"
    message = f"{what} not among those in {genres.place}: {'; '.join(told)}{more}."
    fix = "Correct the source, or add what is a genre there."
    if genres.refused:
        raise CheckFailed(f"{message} The tables are as they were.", fix=fix)
    stage.notes.append(f"{message} {fix}")


def _years(stage: Stage, staged: str) -> None:
    """Note when so many titles lack their year that a product by release decade is not whole.

    Of an appended delivery those that stand there already are not looked at.
    """
    lacking, movies = only_row(
        stage.connection.execute(
            f"SELECT count(*) FILTER (NOT regexp_matches(title, {literal(YEAR)})), count(*) "
            f"FROM {staged}"
        )
    )
    if lacking and lacking == movies and not stage.known:
        stage.notes.append(
            f"No title ends in its release year, such as {_EXAMPLE}: a plan stops at the rule "
            "titles_end_in_years, so that no product shows it. Deliver titles with years."
        )
    elif lacking * YEARLESS > movies:
        stage.notes.append(
            f"{lacking:,} of {movies:,} titles do not end in their release year, such as "
            f"{_EXAMPLE}: their ratings are in no release decade."
        )
