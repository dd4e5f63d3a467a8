"""An ingest that is killed at any moment leaves the old tables or the new ones."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from mesh.movielens.ingest import ingest
from tests.deliveries import HEADERS, NOW, write


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> tuple[Path, Path]:
    """Two snapshots of some 400,000 ratings, the second with other stars."""
    folder = tmp_path_factory.mktemp("large")
    movies = HEADERS["movies"] + "\n" + "".join(f"{n},M (1999),Drama\n" for n in range(1, 401))
    sources = []
    for name, star in (("old", 4.0), ("new", 2.5)):
        rated = "".join(
            f"{user},{movie},{star},{900000000 + user * 977 + movie}\n"
            for user in range(1, 1001)
            for movie in range(1, 401)
        )
        text = f"{HEADERS['ratings']}\n{rated}"
        sources.append(
            write(folder / name, movies=movies, ratings=text, tags=f"{HEADERS['tags']}\n")
        )
    return sources[0], sources[1]


def state(database: Path) -> tuple[float, int]:
    """The stars of all ratings and the number of ingests; nothing half-done may be there."""
    with duckdb.connect(str(database)) as connection:
        count, low, high = connection.execute(
            "SELECT count(*), min(rating), max(rating) FROM operational.ratings"
        ).fetchone()
        ingests = connection.execute("SELECT count(*) FROM operational.ingests").fetchone()[0]
        names = {row[2] for row in connection.execute("SHOW ALL TABLES").fetchall()}
    assert (count, low) == (400_000, high)
    assert not any("incoming" in name for name in names)
    return low, ingests


def run_and_kill(source: Path, database: Path, after: float) -> bool:
    """Ingest in a process of its own, killed after some seconds; True when it was done before."""
    code = (
        "import sys, pathlib; from mesh.movielens.ingest import ingest; print('go', flush=True); "
        f"ingest(pathlib.Path({str(source)!r}), database=pathlib.Path({str(database)!r})); "
        "print('done', flush=True)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    process.stdout.readline()
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    return b"done" in process.communicate()[0]


def test_killed_at_any_moment_the_old_tables_stand_and_a_second_run_succeeds(large, tmp_path):
    database = tmp_path / "mesh.duckdb"
    ingest(large[0], database=database, now=NOW)
    started = time.monotonic()
    assert run_and_kill(large[1], database, after=60)
    whole = time.monotonic() - started
    current, stars, ingests = 1, 2.5, 2
    assert state(database) == (stars, ingests)
    chance = random.Random(5)
    killed = 0
    for round_number in range(int(os.environ.get("MESH_KILLS", "5"))):
        other = 1 - current
        share = 0.1 if round_number == 0 else chance.uniform(0.1, 0.9)
        done = run_and_kill(large[other], database, after=share * whole)
        found = state(database)
        moved = (4.0 if other == 0 else 2.5, ingests + 1)
        assert found in ((moved,) if done else ((stars, ingests), moved))
        if found == moved:
            current, (stars, ingests) = other, moved
        else:
            killed += 1
    assert killed
    result = ingest(large[1 - current], database=database, now=NOW)
    assert result.ingest_id == ingests + 1
    assert state(database) == (4.0 if current == 1 else 2.5, ingests + 1)
