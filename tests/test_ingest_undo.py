"""`mesh ingest --undo`: the tables as they were before a delivery, and what cannot be undone."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from mesh.cli.main import run
from mesh.errors import WrongUse
from mesh.movielens.ingest import IngestResult, undo
from mesh.movielens.ingest.schema import DELIVERED, INGESTS, UNDO_LOGS
from mesh.movielens.ingest.targets.duckdb import DuckDBTarget
from tests.deliveries import MOVIES, RATINGS, all_tables, deliver, rows

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
    assert entry[13:] == (2, 3, 2, 2, 0, 0)
    months = "SELECT source_table, reporting_month FROM operational.changed_months"
    assert sorted(rows(database, f"{months} WHERE ingest_id = 3")) == sorted(
        rows(database, f"{months} WHERE ingest_id = 2")
    )
    kept = set(rows(database, "SELECT ingest_id, raw_text FROM operational.rejected_lines"))
    replaced = {(2, "1,1,4.0,964982703"), (2, '2,"Heat, The (1995)",Crime')}
    assert kept == {(2, "x")} | (replaced if append else set())
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


def test_undoing_more_than_one_delivery_asks_for_each_by_its_number(load, database, tmp_path):
    before = []
    for number, ratings in enumerate((RATINGS, OTHER_STARS, OTHER_STARS + LATE), start=1):
        load(deliver(tmp_path / str(number), ratings=ratings))
        before.append(delivered(database))
    assert undo(database=database).undoes == 3
    assert delivered(database) == before[1]
    # As from somebody who was told that the first one was stopped.
    said = refusal(database)
    assert re.fullmatch(
        r"delivery 3 is undone already, by ingest 4 at 20[0-9]{2}-[0-9-]{5} [0-9:]{5} UTC\. "
        r"To take delivery 2 out as well: `mesh ingest --undo 2`\.",
        said,
    )
    assert undo(2, database=database).undoes == 2
    assert delivered(database) == before[0]
    assert undo(1, database=database).undoes == 1
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
    instead = "`mesh ingest --undo 1` undoes delivery 1, the newest that stands."
    assert refusal(database, 2) == f"delivery 2 is undone already, by ingest 3. {instead}"
    assert refusal(database, 0).startswith("there is no delivery 0: the newest ingest is 3.")
    assert refusal(database, 77) == f"there is no delivery 77: the newest ingest is 3. {instead}"
    assert refusal(database, 3) == (
        "ingest 3 is not a delivery but the undo of delivery 2. "
        "To have delivery 2 back, ingest it again."
    )
    undo(1, database=database)
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
        assert undo(number, database=database).undoes == number
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
        for column in INGESTS.columns[-INGESTS.newest_columns :]:
            connection.execute(f"ALTER TABLE operational.ingests DROP COLUMN {column.name}")
    return database


def test_a_database_of_an_older_version_is_brought_up_to_date(older, load, tmp_path):
    before = rows(older, "FROM operational.ingests")
    tables = delivered(older)
    load(deliver(tmp_path / "2", ratings=OTHER_STARS))
    assert undo(database=older).undoes == 2
    assert delivered(older) == tables
    entries = rows(older, "FROM operational.ingests ORDER BY ingest_id")
    assert entries[0] == (*before[0], *(None,) * 6)
    assert [row[13:] for row in entries[1:]] == [(2, 3, 2, None, 0, 0), (2, 3, 2, 2, 0, 0)]
    assert refusal(older, 1) == (
        "the rows from before delivery 1 are not kept: an older version of this project loaded "
        "it. Ingest the last good delivery again, as a full snapshot."
    )


def test_a_table_of_any_older_version_lacks_what_came_later_and_another_is_not_ours():
    shape = INGESTS.shape("duckdb")
    assert INGESTS.missing("duckdb", shape) == []
    assert INGESTS.missing("duckdb", shape[:-2]) == [
        'ADD COLUMN "lines_ignored" BIGINT',
        'ADD COLUMN "rows_replaced" BIGINT',
    ]
    assert len(INGESTS.missing("duckdb", shape[:-6]) or []) == 6
    for other in (shape[:-7], shape[1:], [*shape, ("mine", "BIGINT")]):
        assert INGESTS.missing("duckdb", other) is None
    for table in DELIVERED:
        assert table.missing("duckdb", table.shape("duckdb")[:-1]) is None


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
        "Next, if an environment shows it: `mesh refresh acceptance`, and when it is right there, "
        "`mesh promote acceptance prod`.",
    ]
    code, shown, errors = command("1", "--undo", "--json")
    assert code == 0, errors
    told = json.loads(shown)
    assert told.pop("seconds") >= 0
    assert told.pop("checksum")
    nothing = {"read": 0, "loaded": 0, "rejected": 0, "ignored": 0, "replaced": 0}
    assert told == {
        "ingest_id": 4,
        "source": "undo of delivery 1",
        "mode": "undo",
        "nothing_changed": False,
        "lines_read": 0,
        "lines_loaded": 0,
        "lines_rejected": 0,
        "lines_ignored": 0,
        "rows_replaced": 0,
        "tables": {"movies": nothing, "ratings": nothing, "tags": nothing},
        "changed_months": ["2000-07-01", "2001-09-01", "2004-11-01"],
        "undoes": 1,
        "notes": [
            "No delivery stands any more: the tables are empty, and what environments show is of "
            "none that does. Load one with `mesh ingest <source>`."
        ],
    }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_committed_is_told_whatever_comes_then(
    load, database, tmp_path, command, monkeypatch, number
):
    """Who reads "stopped" runs the same command again."""
    committed = DuckDBTarget.commit

    def commit(target: DuckDBTarget) -> None:
        committed(target)
        os.kill(os.getpid(), number)

    monkeypatch.setattr(DuckDBTarget, "commit", commit)
    code, shown, errors = command(str(deliver(tmp_path / "1")))
    assert (code, "stopped" in errors) == (0, False)
    assert shown.startswith("ingest 1: snapshot of ")
    code, shown, errors = command("--undo")
    assert (code, "stopped" in errors) == (0, False)
    assert shown.startswith("ingest 2: undo of delivery 1; ")


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
    assert "the operational tables are in no gateway 'paper'" in errors
