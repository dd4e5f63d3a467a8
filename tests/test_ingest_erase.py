"""`mesh erase`: nothing of a user who wants to be forgotten is left, and nothing else goes."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from mesh.cli.main import run
from mesh.errors import WrongUse
from mesh.movielens.ingest import IngestResult, erase, undo
from tests.deliveries import MOVIES, RATINGS, TAGS, all_tables, deliver, rows
from tests.project_copy import OF_USERS, copy_project

pytest_plugins = ["tests.ingesting"]

Load = Callable[..., IngestResult]
LAST = "1,2,3.5,1000000000\n"


def everywhere(database: Path, user: int) -> list[str]:
    """Tables and views, in any schema, that have rows with that user's id."""
    found = []
    with duckdb.connect(str(database), read_only=True) as connection:
        columns = connection.execute(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns "
            "WHERE lower(column_name) IN ('userid', 'user_id')"
        ).fetchall()
        for schema, table, column in columns:
            asked = f'SELECT COUNT(*) FROM "{schema}"."{table}" WHERE "{column}" = {user}'
            if connection.execute(asked).fetchall() != [(0,)]:
                found.append(f"{schema}.{table}")
    return found


def test_what_a_user_did_is_gone_and_its_months_have_changed(load: Load, database, tmp_path):
    load(deliver(tmp_path / "1"))
    result = erase([99, 1, 4], database=database)
    assert rows(database, "SELECT userId, movieId FROM operational.ratings") == [(2, 1)]
    assert rows(database, "SELECT userId, movieId FROM operational.tags") == [(2, 2)]
    assert result.months == {
        "movies": (),
        "ratings": (date(2000, 7, 1), date(2001, 9, 1)),
        "tags": (date(2000, 7, 1),),
    }
    assert result.notes == (
        "Erased: 2 ratings and 1 tag.",
        "Nothing is there of 4, 99.",
        "Let the source erase them as well: a delivery that has them brings them back.",
        "Next, for each environment that shows them: `mesh refresh <environment>`. Then `sqlmesh "
        "janitor --ignore-ttl` takes away the tables that no environment shows any more; no "
        "rollback leads back to them.",
    )
    entry = "ingest_id, source, mode, lines_read, movies_rows, ratings_rows, tags_rows"
    assert rows(database, f"SELECT {entry} FROM operational.ingests ORDER BY 1")[1] == (
        *(2, "erasure of 1 user", "erase"),
        *(0, 2, 1, 1),
    )
    assert rows(
        database, "SELECT DISTINCT ingest_id FROM operational.changed_months ORDER BY 1"
    ) == [(1,), (2,)]


def test_rejected_lines_keep_their_place_and_nothing_of_the_user(load: Load, database, tmp_path):
    theirs = [
        '"1",2,x,5',
        "1.0,77,4.0,5",
        "1",
        '"1',
        "1;1;4.0;5",
        "'1',1,9,5",
        "01\t2",
        "\ufeff1,1",
    ]
    others = ["11,1,9,5", "2,1,,5", "no number"]
    load(
        deliver(
            tmp_path / "1",
            movies=MOVIES + "1,,\n",
            ratings=RATINGS + "".join(f"{line}\n" for line in [*theirs, *others]),
            tags=TAGS + "1,5,my secret,964982703\n",
        )
    )
    load(
        deliver(tmp_path / "2", ratings=RATINGS.replace(LAST, "1,2,5.0,1000000001\n")), append=True
    )
    lines = (
        "SELECT file, line_number, raw_text, reason FROM operational.rejected_lines ORDER BY ALL"
    )
    before = rows(database, lines)
    result = erase([1], database=database)
    after = rows(database, lines)
    assert len(after) == len(before)
    assert sorted((row[0], row[1]) for row in after) == sorted((row[0], row[1]) for row in before)
    left = [row for row in after if row[3] != "erased"]
    assert {row[2] for row in left} == {"1,,", *others}
    assert set(left) <= set(before)
    assert {row[2] for row in after if row not in left} == {""}
    assert result.notes[1] == (
        "1 rejected line of ratings or tags begin with no number: look in "
        "operational.rejected_lines whether they are about them."
    )
    assert "secret" not in repr(all_tables(database))
    assert erase([1], database=database).nothing_changed


def test_ids_are_told_apart_to_the_last_digit(load: Load, database, tmp_path):
    large = 2**53
    lines = "".join(f"{user},1,9,5\n" for user in (large, large + 1))
    load(deliver(tmp_path / "1", ratings=RATINGS + lines))
    assert erase([large + 1], database=database).notes[0] == "Erased: 1 rejected line."
    kept = rows(database, "SELECT raw_text FROM operational.rejected_lines ORDER BY 1")
    assert kept == [("",), (f"{large},1,9,5",)]


@pytest.mark.parametrize(
    ("file", "of_users"),
    [
        *[
            (name, True)
            for name in ("ratings.csv", "operational.ratings", "ml/Rating.CSV", "tags/a.parquet")
        ],
        *[(name, False) for name in ("movies.csv", "movies/part-tag-0.parquet", "staging.csv")],
    ],
)
def test_the_first_number_of_a_line_is_a_users_where_its_table_is_of_users(
    load: Load, database, tmp_path, file, of_users
):
    load(deliver(tmp_path / "1"))
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "INSERT INTO operational.rejected_lines VALUES (1, ?, 2, '7,x', 'a: b')", [file]
        )
    assert erase([7], database=database).nothing_changed is not of_users


def test_what_somebody_else_took_out_is_not_covered_up(load: Load, database, tmp_path):
    """The count of rows is written down anew: no environment would see that others are gone too."""
    load(deliver(tmp_path / "1"))
    with duckdb.connect(str(database)) as connection:
        connection.execute("DELETE FROM operational.ratings WHERE userId = 2")
    with pytest.raises(WrongUse) as caught:
        erase([1], database=database)
    assert str(caught.value) == (
        "operational.ratings has 2 rows, and had 3 after ingest 1: something else changed it "
        "since. Put its rows back, or ingest the last good delivery as a full snapshot."
    )


def test_a_delivery_that_only_brought_this_user_can_be_undone_and_takes_nobody_else(
    load: Load, database, tmp_path
):
    """The log of such a delivery is empty afterwards, as that of one into empty tables."""
    load(deliver(tmp_path / "1"))
    load(deliver(tmp_path / "2", ratings=RATINGS + "3,1,5.0,1300000000\n"))
    erase([3], database=database)
    before = all_tables(database)
    assert undo(database=database).undoes == 2
    after = all_tables(database)
    assert [after[name] for name in ("movies", "ratings", "tags")] == [
        before[name] for name in ("movies", "ratings", "tags")
    ]


def test_what_an_undo_would_bring_back_is_erased_too(load: Load, database, tmp_path):
    load(deliver(tmp_path / "1"))
    load(deliver(tmp_path / "2", ratings=RATINGS.replace("2,1,0.5,1100000000\n", "")))
    assert everywhere(database, 2) == ["operational.tags", "operational.undo_ratings"]
    erase([2], database=database)
    undo(database=database)
    assert everywhere(database, 2) == []
    assert rows(database, "SELECT COUNT(*) FROM operational.ratings") == [(2,)]


def test_an_erasure_cannot_be_undone_and_names_no_user(load: Load, database, tmp_path):
    load(deliver(tmp_path / "1"))
    erase([1, 2, 2], database=database)
    with pytest.raises(WrongUse) as caught:
        undo(2, database=database)
    assert str(caught.value) == (
        "ingest 2 is no delivery but the erasure of 2 users: what was erased is gone. "
        "`mesh ingest --undo 1` undoes delivery 1, the newest that stands."
    )


def test_the_same_delivery_again_is_loaded_and_brings_the_user_back(load: Load, database, tmp_path):
    source = deliver(tmp_path / "1")
    load(source)
    result = erase([1], database=database)
    assert "Let the source erase them as well" in result.notes[1]
    assert not load(source).nothing_changed
    assert rows(database, "SELECT COUNT(*) FROM operational.ratings") == [(3,)]


@pytest.mark.parametrize("user", [0, -1, 2**63])
def test_an_id_that_no_user_can_have_is_refused(load: Load, database, tmp_path, user):
    load(deliver(tmp_path / "1"))
    with pytest.raises(WrongUse, match=rf"no user can have the id {user}\."):
        erase([1, user], database=database)
    assert rows(database, "SELECT COUNT(*) FROM operational.ingests") == [(1,)]


def test_environments_say_that_they_show_them_and_after_a_refresh_nothing_does(tmp_path):
    copy = copy_project(tmp_path / "project")
    copy.keep_few(*OF_USERS)
    source = deliver(tmp_path / "1", ratings=RATINGS + "3,1,5.0,1100000000\n")
    copy.run("mesh", "ingest", str(source), check=True)
    copy.run("sqlmesh", "plan", "prod", "--auto-apply", "--no-prompts", "--skip-tests", check=True)
    assert len(everywhere(copy.database, 1)) > 8
    told = copy.run("mesh", "erase", "1", check=True).stdout
    assert "ingest 2: erasure of 1 user. Changed months: 2 (2000-07 to 2001-09)." in told
    assert "Next, for each environment that shows them: `mesh refresh <environment>`." in told
    status = json.loads(copy.run("mesh", "status", "prod", "--json").stdout)[0]
    assert "operational.ratings" not in everywhere(copy.database, 1)
    assert [one["number"] for one in status["lacking"]] == [2]
    copy.run("mesh", "refresh", "prod", check=True)
    sqlmesh = shlex.quote(str(Path(sys.executable).with_name("sqlmesh")))
    copy.run("bash", "-c", f"yes | {sqlmesh} janitor --ignore-ttl", check=True)
    assert everywhere(copy.database, 1) == []
    assert everywhere(copy.database, 2) != []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Missing argument"),
        (("x",), "Input should be a valid integer"),
        (("7",), "Nothing is there of 7."),
    ],
)
def test_the_command_says_what_it_needs(
    load: Load, database, tmp_path, monkeypatch, capsys, words, said
):
    load(deliver(tmp_path / "1"))
    monkeypatch.setenv("MESH_DUCKDB", str(database))
    try:
        run(["erase", *words])
    except SystemExit as end:
        assert end.code == (2 if words != ("7",) else 0)
    printed = capsys.readouterr()
    assert said in printed.out + printed.err
