"""`mesh ingest --undo`: any sequence of deliveries and undos, and what a crash leaves behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh.errors import WrongUse
from mesh.movielens.ingest import erase, ingest, undo
from tests.deliveries import HEADERS, NOW, newest, rows, write

pytest_plugins = ["tests.ingesting"]

months = st.sampled_from([820454400 + 2678400 * month for month in range(0, 60, 7)])
delivery = st.tuples(
    st.sampled_from(["snapshot", "append"]),
    st.dictionaries(
        st.tuples(st.integers(1, 3), st.integers(1, 3)),
        st.tuples(st.sampled_from([0.5, 3.0, 5.0]), months),
        min_size=1,
        max_size=4,
    ),
    st.dictionaries(
        st.tuples(st.integers(1, 2), st.integers(1, 3), st.sampled_from("xy")), months, max_size=3
    ),
    st.lists(st.sampled_from(["A", "B"]), min_size=3, max_size=3),
)
# A number erases the user of that id.
steps = st.lists(st.just("undo") | st.integers(1, 3) | delivery, min_size=2, max_size=9)


def written(folder: Path, ratings: dict, tags: dict, titles: list[str]) -> Path:
    listed = {
        "movies": [f"{m},{t},Drama" for m, t in enumerate(titles, start=1)],
        "ratings": [f"{u},{m},{r},{s}" for (u, m), (r, s) in ratings.items()],
        "tags": [f"{u},{m},{t},{s}" for (u, m, t), s in tags.items()],
    }
    return write(folder, **{n: "\n".join([HEADERS[n], *lines]) for n, lines in listed.items()})


def month(second: int) -> date:
    return datetime.fromtimestamp(second, UTC).date().replace(day=1)


def found_in(database: Path) -> tuple[dict, dict, dict]:
    """The tables as the model has them."""
    timed = "SELECT * REPLACE (epoch(timestamp)::BIGINT AS timestamp) FROM operational"
    return (
        {r[0]: r[1] for r in rows(database, "SELECT movieId, title FROM operational.movies")},
        {r[:2]: r[2:] for r in rows(database, f"{timed}.ratings")},
        {r[:3]: r[3] for r in rows(database, f"{timed}.tags")},
    )


def without(user: int, state: tuple) -> tuple:
    """The tables, had that user never been."""
    movies, *of_users = state
    return (movies, *({k: v for k, v in table.items() if k[0] != user} for table in of_users))


def expected_months(before: tuple, after: tuple) -> dict[str, set[date]]:
    def differing(position: int) -> set:
        return set(before[position].items()) ^ set(after[position].items())

    movies = {movie for movie, _ in differing(0)}
    rated = [*before[1].items(), *after[1].items()]
    return {
        "movies": {month(at) for (_, movie), (_, at) in rated if movie in movies}
        | ({date(1970, 1, 1)} if movies else set()),
        "ratings": {month(at) for _, (_, at) in differing(1)},
        "tags": {month(at) for _, at in differing(2)},
    }


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps)
def test_any_sequence_of_deliveries_undos_and_erasures_is_what_a_stack_says(steps):
    empty: tuple[dict, dict, dict] = ({}, {}, {})
    states, numbers, erased, last = [empty], [], False, None
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, "mesh.duckdb")
        for position, step in enumerate(steps):
            before = states[-1]
            if step == "undo":
                if not numbers:
                    with pytest.raises(WrongUse):
                        undo(database=database)
                    continue
                if len(numbers) > 1:
                    with pytest.raises(WrongUse, match=r"stands? on it|not kept"):
                        undo(numbers[0], database=database)
                try:
                    result = undo(numbers[-1] if last == "undo" else None, database=database)
                except WrongUse as error:
                    assert "are not kept" in str(error)
                    continue
                assert result.undoes == numbers.pop()
                states.pop()
            elif isinstance(step, int) and last is None:
                with pytest.raises(WrongUse, match="nothing was ever ingested"):
                    erase([step], database=database)
                continue
            elif isinstance(step, int):
                result = erase([step], database=database)
                assert (result.months == {}) == result.nothing_changed
                states = [without(step, state) for state in states]
                erased = True
                for table in ("ratings", "tags", "undo_ratings", "undo_tags"):
                    assert not rows(database, f"FROM operational.{table} WHERE userId = {step}")
                if result.nothing_changed:
                    assert before == states[-1]
                    continue
            else:
                mode, ratings, tags, titles = step
                movies = dict(enumerate(titles, start=1))
                source = written(Path(folder, str(position)), ratings, tags, titles)
                result = ingest(source, database=database, now=NOW, append=mode == "append")
                if result.nothing_changed:
                    continue
                new = (movies, ratings, tags)
                if mode == "append":
                    new = tuple(
                        {**old, **{key: newest(old.get(key), late[key]) for key in late}}
                        for old, late in zip(before, new, strict=True)
                    )
                states.append(new)
                numbers.append(result.ingest_id)
            assert found_in(database) == states[-1]
            last = result.mode
            found = {name: set(some) for name, some in result.months.items()}
            expected = expected_months(before, states[-1])
            # What a delivery changed of a user who was erased since changed it all the same.
            if erased and step == "undo":
                assert all(expected[name] <= found[name] for name in expected)
            else:
                assert found == expected
            counted = rows(
                database,
                "SELECT movies_rows, ratings_rows, tags_rows FROM operational.ingests "
                f"WHERE ingest_id = {result.ingest_id}",
            )
            assert counted == [tuple(len(table) for table in states[-1])]


# --- killed at any moment ---

KILLED = """
import pathlib, sys
from mesh.movielens.ingest import ingest, undo
print('go', flush=True)
what, database = sys.argv[1], pathlib.Path(sys.argv[2])
undo(database=database) if what == 'undo' else ingest(pathlib.Path(what), database=database)
print('done', flush=True)
"""


def run_and_kill(what: str, database: Path, after: float) -> tuple[bool, float]:
    """Ingest or undo in a process of its own, killed after some seconds; whether it was done
    before, and how long it ran."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, what, str(database)], stdout=subprocess.PIPE
    )
    process.stdout.readline()
    started = time.monotonic()
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    return b"done" in process.communicate()[0], time.monotonic() - started


def stars(database: Path) -> tuple[float, int, int]:
    """The stars of all ratings, the newest ingest, and how many of its rows are logged."""
    ((count, low, high, newest),) = rows(
        database,
        "SELECT count(*), min(rating), max(rating), "
        "(SELECT max(ingest_id) FROM operational.ingests) FROM operational.ratings",
    )
    assert (count, low) == (150_000, high)
    ((lines,),) = rows(
        database, f"SELECT count(*) FROM operational.undo_ratings WHERE ingest_id = {newest}"
    )
    return low, newest, lines


def test_killed_at_any_moment_tables_and_log_are_both_old_or_both_new(database, tmp_path):
    movies = HEADERS["movies"] + "\n" + "".join(f"{n},M (1999),Drama\n" for n in range(1, 301))
    sources = {}
    for star in (4.0, 2.5):
        rated = "".join(
            f"{user},{movie},{star},{900000000 + user * 977 + movie}\n"
            for user in range(1, 501)
            for movie in range(1, 301)
        )
        text = f"{HEADERS['ratings']}\n{rated}"
        sources[star] = write(tmp_path / str(star), movies=movies, ratings=text, tags="")
        (sources[star] / "tags.csv").write_text(HEADERS["tags"] + "\n")
    ingest(sources[4.0], database=database, now=NOW)
    chance, current = random.Random(7), stars(database)
    killed, seconds = 0, {}
    for _ in range(int(os.environ.get("MESH_KILLS", "5"))):
        for what, star, lines in ((str(sources[2.5]), 2.5, 300_000), ("undo", 4.0, 0)):
            moved = (star, current[1] + 1, lines)
            while current != moved:
                limit = seconds[what] * chance.uniform(0.4, 1.1) if what in seconds else 60
                done, passed = run_and_kill(what, database, limit)
                found = stars(database)
                assert found in ((moved,) if done else (current, moved))
                killed += found != moved
                # Whatever slows this machine down, some run gets to its end.
                seconds[what] = seconds.get(what, passed) * (1.0 if found == moved else 1.05)
                current = found
    assert killed
