"""Small MovieLens deliveries, their ingest, and what stands in the tables afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mesh.errors import MeshError
from mesh.movielens.ingest import IngestResult, ingest

NOW = datetime(2020, 1, 1, tzinfo=UTC)
MOVIES = 'movieId,title,genres\n1,Toy Story (1995),Animation|Comedy\n2,"Heat, The (1995)",Crime\n'
RATINGS = (
    "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,2,3.5,1000000000\n2,1,0.5,1100000000\n"
)
TAGS = 'userId,movieId,tag,timestamp\n1,1,fun,964982703\n2,2,"slow, but good",1000000000\n'
HEADERS = {
    "movies": "movieId,title,genres",
    "ratings": "userId,movieId,rating,timestamp",
    "tags": "userId,movieId,tag,timestamp",
}


def write(folder: Path, **texts: str | bytes) -> Path:
    """Write each text as the CSV file of its name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        data = text if isinstance(text, bytes) else text.encode()
        (folder / f"{name}.csv").write_bytes(data)
    return folder


def deliver(folder: Path, **texts: str | bytes) -> Path:
    """Write a delivery: the small one above, except for what is given."""
    return write(folder, **{"movies": MOVIES, "ratings": RATINGS, "tags": TAGS, **texts})


def loader(database: Path) -> Callable[..., IngestResult]:
    """`ingest` into that database, by default with any number of rejected lines."""

    def load(source: Path, **options) -> IngestResult:
        options = {"database": database, "now": NOW, "max_rejected": 1, **options}
        return ingest(source, **options)

    return load


def rows(database: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(query).fetchall()


def all_tables(database: Path) -> dict[str, list[tuple]]:
    names = ("movies", "ratings", "tags", "rejected_lines", "ingests", "changed_months")
    return {name: rows(database, f"FROM operational.{name} ORDER BY ALL") for name in names}


def tables(database: Path) -> dict[str, list[tuple]]:
    """The rows that are loaded, their seconds as numbers, and what the newest ingest rejected."""
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return {
            "movies": connection.execute("FROM operational.movies ORDER BY ALL").fetchall(),
            **{
                name: connection.execute(
                    f"SELECT * REPLACE (epoch(timestamp)::BIGINT AS timestamp) "
                    f"FROM operational.{name} ORDER BY ALL"
                ).fetchall()
                for name in ("ratings", "tags")
            },
            "rejected": connection.execute(
                "SELECT file, line_number, raw_text FROM operational.rejected_lines "
                "WHERE ingest_id = (SELECT max(ingest_id) FROM operational.ingests) ORDER BY ALL"
            ).fetchall(),
        }


def newest(was: Any, new: Any) -> Any:
    """What counts of the values of one key: of movies the later title; of ratings (stars and
    second) and tags (second) the newer, and of one second that with fewer stars."""
    if was is None or isinstance(new, str):
        return new
    if isinstance(new, tuple):
        return max(was, new, key=lambda value: (value[1], -value[0]))
    return max(was, new)


def refused(source: Path, database: Path, **options) -> str:
    """The sentence that a user reads; the database must not have come into being."""
    with pytest.raises(MeshError) as caught:
        ingest(source, database=database, now=NOW, **options)
    assert caught.value.exit_code in (1, 2)
    assert caught.value.fix
    assert not database.exists()
    return str(caught.value)
