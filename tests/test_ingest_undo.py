"""`mesh ingest --undo`: the tables as they were before a delivery, and what cannot be undone."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh.cli.main import run
from mesh.errors import WrongUse
from mesh.ingest import IngestResult, ingest, undo
from mesh.ingest.schema import DELIVERED, INGESTS, UNDO_LOGS
from tests.deliveries import HEADERS, MOVIES, NOW, RATINGS, all_tables, deliver, rows, write

pytest_plugins = ["tests.ingesting"]

Load = Callable[..., IngestResult]
LATE = "9,2,5.0,1300000000\n"
OTHER_STARS = RATINGS.replace("4.0", "1.0")


def delivered(database: Path) -> dict[str, list[tuple]]:
    """The rows of movies, ratings and tags."""
    found = all_tables(database)
    return {table.name: found[table.name] for table in DELIVERED}


def logged(database: Path) -> dict[str, list[tuple]]:
    return {
        name.name: rows(database, f"FROM operational.{log.name} ORDER BY ALL")
        for name, log in UNDO_LOGS.items()
    }


def refusal(database: Path, number: int | None = None) -> str:
    """The sentence with which an undo is refused; nothing may have changed."""
    before = {**all_tables(database), **logged(database)}
    with pytest.raises(WrongUse) as caught:
        undo(number, database=database)
    assert {**all_tables(database), **logged(database)} == before
    assert caught.value.exit_code == 2
    return str(caught.value)


def stack(load: Load, folder: Path, count: int) -> list[Path]:
    """So many deliveries that stand on each other, each with other stars for one rating."""
    sources = [
        deliver(folder / str(number), ratings=RATINGS.replace("4.0", f"{number / 2:.1f}"))
        for number in range(1, count + 1)
    ]
    for source in sources:
        load(source)
    return sources


@pytest.mark.parametrize("append", [False, True], ids=["snapshot", "append"])
def test_an_undo_brings_the_rows_back_and_is_an_ingest_itself(load, database, tmp_path, append):
    load(deliver(tmp_path / "1"))
    before = delivered(database)
    bad = deliver(
        tmp_path / "2",
        movies=MOVIES.replace("Crime", "Drama"),
        ratings=OTHER_STARS + LATE + "x\n",
    )
    made = load(bad, append=append)
    assert delivered(database) != before
    result = undo(database=database)
    assert delivered(database) == before
    assert (result.ingest_id, result.undoes, result.mode) == (3, 2, "undo")
    assert result.months == made.months
    entry = rows(database, "FROM operational.ingests ORDER BY ingest_id")[-1]
    assert entry[:10] == (3, "undo of delivery 2", made.checksum, "undo", 0, 0, 0, 0, 0, 0)
    assert entry[10] == [date(2000, 7, 1), date(2001, 9, 1), date(2011, 3, 1)]
    assert entry[13:] == (2, 3, 2, 2)
    months = "SELECT source_table, reporting_month FROM operational.changed_months"
    assert sorted(rows(database, f"{months} WHERE ingest_id = 3")) == sorted(
        rows(database, f"{months} WHERE ingest_id = 2")
    )
    assert rows(database, "SELECT ingest_id, raw_text FROM operational.rejected_lines") == [
        (2, "x")
    ]
    assert not any(logged(database).values())


def test_only_rows_that_differ_are_logged(load, database, tmp_path):
    load(deliver(tmp_path / "1"))
    assert not any(logged(database).values())
    load(deliver(tmp_path / "2", ratings=OTHER_STARS + LATE))
    load(deliver(tmp_path / "3", ratings=OTHER_STARS + LATE.replace("5.0", "4.5")), append=True)
    found = logged(database)
    assert found["movies"] == found["tags"] == []
    assert [row[:5] for row in found["ratings"]] == [
        (2, False, 1, 1, 1.0),
        (2, False, 9, 2, 5.0),
        (2, True, 1, 1, 4.0),
        (3, False, 9, 2, 4.5),
        (3, True, 9, 2, 5.0),
    ]


def test_undoing_twice_steps_back_one_more_delivery_down_to_empty_tables(load, database, tmp_path):
    before = []
    for number, ratings in enumerate((RATINGS, OTHER_STARS, OTHER_STARS + LATE), start=1):
        load(deliver(tmp_path / str(number), ratings=ratings))
        before.append(delivered(database))
    assert undo(database=database).undoes == 3
    assert delivered(database) == before[1]
    assert undo(2, database=database).undoes == 2
    assert delivered(database) == before[0]
    assert undo(database=database).undoes == 1
    assert delivered(database) == {"movies": [], "ratings": [], "tags": []}
    assert refusal(database) == (
        "every delivery is undone already. Load one with `mesh ingest <source>`."
    )
    assert load(tmp_path / "1").ingest_id == 7
    assert delivered(database) == before[0]


@pytest.mark.parametrize("append", [False, True], ids=["snapshot", "append"])
def test_the_same_delivery_loads_again_after_its_undo(load, database, tmp_path, append):
    load(deliver(tmp_path / "1"))
    source = deliver(tmp_path / "2", ratings=OTHER_STARS)
    load(source, append=append)
    after = delivered(database)
    undo(database=database)
    again = load(source, append=append)
    assert not again.nothing_changed
    assert again.months["ratings"] == (date(2000, 7, 1),)
    assert delivered(database) == after
    assert undo(database=database).undoes == 4


def test_a_table_that_someone_emptied_before_a_snapshot_is_emptied_again(load, database, tmp_path):
    load(deliver(tmp_path / "1"))
    with duckdb.connect(str(database)) as connection:
        connection.execute("DELETE FROM operational.ratings")
    before = delivered(database)
    load(deliver(tmp_path / "1"))
    undo(database=database)
    assert delivered(database) == before


def test_a_delivery_that_changed_nothing_is_undone_to_the_same(load, database, tmp_path):
    load(deliver(tmp_path / "1"))
    before = delivered(database)
    load(deliver(tmp_path / "2", ratings=RATINGS + "x\n"))
    result = undo(database=database)
    assert result.changed_months == ()
    assert delivered(database) == before


def test_a_delivery_on_which_others_stand_is_refused(load, database, tmp_path):
    stack(load, tmp_path, 4)
    assert refusal(database, 3) == (
        "delivery 3 cannot be undone while 4 stands on it. Undo 4 first, then ingest it again."
    )
    assert refusal(database, 1) == (
        "delivery 1 cannot be undone while 2, 3 and 4 stand on it. "
        "Undo 4, 3 and 2 first, then ingest them again."
    )


def test_what_is_undone_unknown_or_an_undo_is_refused(load, database, tmp_path):
    stack(load, tmp_path, 2)
    undo(database=database)
    instead = "`mesh ingest --undo` undoes delivery 1, the newest that stands."
    assert refusal(database, 2) == f"delivery 2 is undone already, by ingest 3. {instead}"
    assert refusal(database, 77) == f"there is no delivery 77: the newest ingest is 3. {instead}"
    assert refusal(database, 3) == (
        "ingest 3 is not a delivery but the undo of delivery 2. "
        "To have delivery 2 back, ingest it again."
    )
    undo(database=database)
    assert refusal(database, 1) == (
        "delivery 1 is undone already, by ingest 4. Load one with `mesh ingest <source>`."
    )


def test_nothing_ingested_is_nothing_to_undo(database):
    with pytest.raises(WrongUse, match=r"nothing was ever ingested, so .* Load one with `mesh ing"):
        undo(database=database)
    assert not database.exists()


def test_tables_that_something_else_changed_are_refused(load, database, tmp_path):
    stack(load, tmp_path, 2)
    with duckdb.connect(str(database)) as connection:
        connection.execute("DELETE FROM operational.ratings WHERE userId = 2")
    assert refusal(database) == (
        "operational.ratings has 2 rows, and had 3 after ingest 2: something else changed it "
        "since. Put its rows back, or ingest the last good delivery as a full snapshot."
    )


def test_the_logs_of_the_five_newest_deliveries_are_kept(load, database, tmp_path):
    sources = stack(load, tmp_path, 7)
    kept = {row[0] for row in logged(database)["ratings"]}
    assert kept == {3, 4, 5, 6, 7}
    for number in (7, 6, 5, 4, 3):
        assert undo(database=database).undoes == number
    assert refusal(database) == (
        "the rows from before delivery 2 are not kept: they are kept for the 5 newest "
        "deliveries. Ingest the last good delivery again, as a full snapshot."
    )
    # What was pruned does not come back when later deliveries are gone.
    load(sources[6])
    assert undo(database=database).undoes == 13
    assert "before delivery 2 are not kept" in refusal(database)


@pytest.fixture
def older(load, database, tmp_path) -> Path:
    """A database as an older version of this project left it, after one delivery."""
    load(deliver(tmp_path / "older"))
    with duckdb.connect(str(database)) as connection:
        for log in UNDO_LOGS.values():
            connection.execute(f"DROP TABLE operational.{log.name}")
        for column in INGESTS.added:
            connection.execute(f"ALTER TABLE operational.ingests DROP COLUMN {column.name}")
    return database


def test_a_database_of_an_older_version_is_brought_up_to_date(older, load, tmp_path):
    before = rows(older, "FROM operational.ingests")
    tables = delivered(older)
    load(deliver(tmp_path / "2", ratings=OTHER_STARS))
    assert undo(database=older).undoes == 2
    assert delivered(older) == tables
    entries = rows(older, "FROM operational.ingests ORDER BY ingest_id")
    assert entries[0] == (*before[0], None, None, None, None)
    assert [row[13:] for row in entries[1:]] == [(2, 3, 2, None), (2, 3, 2, 2)]
    assert refusal(older, 1) == (
        "the rows from before delivery 1 are not kept: an older version of this project loaded "
        "it. Ingest the last good delivery again, as a full snapshot."
    )


def test_a_refused_undo_leaves_an_older_database_as_it_was(older):
    before = rows(older, "SELECT table_name, sql FROM duckdb_tables() ORDER BY ALL")
    with pytest.raises(WrongUse, match="an older version of this project loaded it"):
        undo(database=older)
    assert rows(older, "SELECT table_name, sql FROM duckdb_tables() ORDER BY ALL") == before


def test_ingests_of_another_shape_are_refused(older, load, tmp_path):
    with duckdb.connect(str(older)) as connection:
        connection.execute("ALTER TABLE operational.ingests ADD COLUMN mine BIGINT")
    with pytest.raises(WrongUse, match=r"operational\.ingests has other columns than ingest_id"):
        load(deliver(tmp_path / "2"))


def test_a_plan_asks_for_nothing_that_only_ingest_uses(older):
    from macros.operational import operational_tables

    with duckdb.connect(str(older), read_only=True) as connection:
        asked = SimpleNamespace(
            dialect="duckdb",
            table_exists=lambda name: bool(
                connection.execute(
                    f"FROM duckdb_tables() WHERE concat(schema_name, '.', table_name) = '{name}'"
                ).fetchall()
            ),
        )
        assert operational_tables(SimpleNamespace(engine_adapter=asked)) == []


# --- any sequence of deliveries and undos ---

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
steps = st.lists(st.just("undo") | delivery, min_size=2, max_size=9)


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


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps)
def test_any_sequence_of_deliveries_and_undos_is_what_a_stack_says(steps):
    empty: tuple[dict, dict, dict] = ({}, {}, {})
    states, numbers = [empty], []
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
                    result = undo(database=database)
                except WrongUse as error:
                    assert "are not kept" in str(error)
                    continue
                assert result.undoes == numbers.pop()
                states.pop()
            else:
                mode, ratings, tags, titles = step
                movies = dict(enumerate(titles, start=1))
                source = written(Path(folder, str(position)), ratings, tags, titles)
                result = ingest(source, database=database, now=NOW, append=mode == "append")
                if result.nothing_changed:
                    continue
                new = (movies, ratings, tags)
                if mode == "append":
                    new = tuple({**old, **late} for old, late in zip(before, new, strict=True))
                states.append(new)
                numbers.append(result.ingest_id)
            assert found_in(database) == states[-1]
            found = {name: set(some) for name, some in result.months.items()}
            assert found == expected_months(before, states[-1])
            counted = rows(
                database,
                "SELECT movies_rows, ratings_rows, tags_rows FROM operational.ingests "
                f"WHERE ingest_id = {result.ingest_id}",
            )
            assert counted == [tuple(len(table) for table in states[-1])]


# --- killed at any moment ---

KILLED = """
import pathlib, sys
from mesh.ingest import ingest, undo
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


# --- the command ---


@pytest.fixture
def command(database, monkeypatch, capsys):
    """Runs `mesh ingest …` on the database: exit code, output and errors as one line each."""
    monkeypatch.setenv("MESH_DUCKDB", str(database))

    def call(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            run(["ingest", *words])
        shown = capsys.readouterr()
        return end.value.code or 0, shown.out, " ".join(shown.err.split())

    return call


def test_the_command_says_what_was_undone_and_what_comes_next(load, database, tmp_path, command):
    load(deliver(tmp_path / "1"))
    load(deliver(tmp_path / "2", ratings=OTHER_STARS + LATE))
    code, shown, errors = command("--undo")
    assert code == 0, errors
    assert shown.splitlines() == [
        "ingest 3: undo of delivery 2; movies, ratings and tags are as before it. "
        "Changed months: 2 (2000-07 to 2011-03).",
        "Next: `mesh refresh acceptance`, and when it is right there, "
        "`mesh promote acceptance prod`.",
    ]
    code, shown, errors = command("1", "--undo", "--json")
    assert code == 0, errors
    told = json.loads(shown)
    assert told.pop("seconds") >= 0
    assert told.pop("checksum")
    nothing = {"read": 0, "loaded": 0, "rejected": 0}
    assert told == {
        "ingest_id": 4,
        "source": "undo of delivery 1",
        "mode": "undo",
        "nothing_changed": False,
        "lines_read": 0,
        "lines_loaded": 0,
        "lines_rejected": 0,
        "tables": {"movies": nothing, "ratings": nothing, "tags": nothing},
        "changed_months": ["2000-07-01", "2001-09-01", "2004-11-01"],
        "undoes": 1,
    }


def test_a_source_is_needed_without_undo(command, database):
    code, _, errors = command()
    assert code == 2
    assert errors == (
        "error: ingest needs a source: a folder, a .zip or gs://bucket/prefix with movies, "
        "ratings and tags. Name it, or take the newest delivery out again with --undo."
    )


@pytest.mark.parametrize("text", ["ml-latest-small", "7a", "1.0", "٣", ""])
def test_with_undo_the_source_is_a_number(command, database, text):
    code, _, errors = command("--undo", text)
    assert code == 2
    assert errors == (
        f"error: --undo takes the number of a delivery, and {text!r} is none. The numbers are the "
        "ingest_id of operational.ingests; without one, --undo undoes the newest delivery."
    )


@pytest.mark.parametrize(
    "option", [["--append"], ["--parquet", "lake"], ["--max-rejected", "0.1%"]], ids=lambda o: o[0]
)
def test_options_that_say_how_to_load_do_not_go_with_undo(command, database, option):
    code, _, errors = command("--undo", *option)
    assert code == 2
    assert errors == (
        f"error: {option[0]} is about loading a delivery, and --undo takes one out. "
        f"Leave {option[0]} out."
    )


def test_an_unknown_gateway_is_refused(command, database):
    code, _, errors = command("--undo", "--gateway", "paper")
    assert code == 2
    assert "ingest cannot load into the gateway 'paper'" in errors
