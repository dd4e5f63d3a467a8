"""`mesh ingest`: sources that cannot be used get one clear sentence each."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import duckdb
import pytest

from mesh.movielens.ingest import ingest
from tests.deliveries import NOW, refused, write
from tests.whole_sources import CSVS, TEXTS, deliver, run, zipped


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "mesh.duckdb"


def test_a_source_that_is_not_there(tmp_path, database):
    assert "nowhere: there is no such file or folder." in refused(tmp_path / "nowhere", database)


def test_a_missing_file_is_named(tmp_path, database):
    (deliver(tmp_path / "in") / "tags.csv").unlink()
    assert "tags.csv is missing (also as .parquet)." in refused(tmp_path / "in", database)


def test_what_stands_in_the_place_of_a_file_is_named(tmp_path, database):
    folder = deliver(tmp_path / "in")
    (folder / "tags.csv").unlink()
    (folder / "tags.csv").mkdir()
    message = refused(folder, database)
    assert "tags.csv is missing (also as .parquet). Put a file in the place of tags.csv" in message


def test_the_folder_above_is_answered_with_the_right_one(tmp_path, database):
    deliver(tmp_path / "in" / "ml-25m")
    message = refused(tmp_path / "in", database)
    assert "movies.csv, ratings.csv and tags.csv are missing" in message
    assert f"Did you mean {tmp_path / 'in' / 'ml-25m'}?" in message
    assert f"Did you mean {tmp_path / 'in' / 'ml-25m'}?" in refused(tmp_path, database)


def test_a_zip_in_the_folder_is_what_was_meant(tmp_path, database):
    path = zipped(tmp_path / "ml-25m.zip", CSVS)
    assert f"Did you mean {path}?" in refused(tmp_path, database)


def test_a_delivery_without_tags_is_told_what_to_write(tmp_path, database):
    (deliver(tmp_path / "in") / "tags.csv").unlink()
    message = refused(tmp_path / "in", database)
    assert "write one that holds its header alone: userId,movieId,tag,timestamp." in message


@pytest.mark.parametrize(
    ("names", "edition"),
    [
        (["u.data", "u.item", "u.user"], "u.data is of MovieLens 100K"),
        (["movies.dat", "ratings.dat", "users.dat"], "users.dat is of MovieLens 1M,"),
        (["movies.dat", "ratings.dat", "tags.dat"], "tags.dat is of MovieLens 10M"),
        (["ratings.dat"], "ratings.dat is of MovieLens 1M or 10M"),
    ],
)
def test_an_edition_that_is_not_csv_is_named(tmp_path, database, names, edition):
    folder = tmp_path / "in" / "ml"
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text("1::1::5::978300760")
    packed = zipped(tmp_path / "in.zip", {f"ml/{name}": "x" for name in names})
    for place in (folder, folder.parent, packed):
        message = refused(place, database)
        assert f"{edition}" in message
        assert "whose files are not CSV. Take an edition that is: latest-small, latest, 20M" in (
            message
        )
    assert "is of MovieLens" in refused(folder / names[0], database)


@pytest.mark.parametrize("names", [str.upper, str.title, lambda table: table[:-1]])
def test_files_in_a_folder_may_be_called_a_little_otherwise(tmp_path, database, names):
    folder = write(tmp_path / "in", **{names(table): text for table, text in TEXTS.items()})
    assert ingest(folder, database=database, now=NOW).lines_loaded == 3


@pytest.mark.parametrize("place", ["", "ratings.csv"])
def test_what_has_no_end_is_refused(tmp_path, database, place):
    if not place:
        os.mkfifo(tmp_path / "pipe")
        for endless in (tmp_path / "pipe", Path("/dev/zero")):
            message = refused(endless, database)
            assert "this is neither a file nor a folder, so nobody knows where it ends." in message
        return
    folder = deliver(tmp_path / "in")
    (folder / place).unlink()
    (folder / place).symlink_to("/dev/zero")
    assert "ratings.csv is missing" in refused(folder, database)


@pytest.mark.parametrize(
    "header",
    [
        "userId,movieId,rating",
        "userId,movieId,rating,timestamp,extra",
        "movieId,userId,rating,timestamp",
        "userId;movieId;rating;timestamp",
        "UserID,movieId,rating,timestamp",
        "1,1,4.0,964982703",
        '"userId,movieId,rating,timestamp',
        "",
    ],
)
def test_a_header_with_other_columns(tmp_path, database, header):
    text = f"{header}\n1,1,4.0,964982703\n"
    message = refused(deliver(tmp_path / "in", ratings=text), database)
    assert "ratings.csv:1: the header is" in message
    assert "where 'userId,movieId,rating,timestamp' is expected." in message


@pytest.mark.parametrize("name", ["timestamp ", " timestamp", '"timestamp "'])
def test_a_blank_that_nobody_sees_in_a_header_is_shown(tmp_path, database, name):
    text = f"userId,movieId,rating,{name}\n1,1,4.0,964982703\n"
    message = refused(deliver(tmp_path / "in", ratings=text), database)
    assert f"the header is 'userId,movieId,rating,{name}' where" in message
    assert f"Write {name.strip(chr(34))!r} without blanks around it." in message


def test_a_file_in_another_encoding(tmp_path, database):
    text = TEXTS["ratings"].encode("utf-16")
    message = refused(deliver(tmp_path / "in", ratings=text), database)
    assert "ratings.csv:1: the file is not UTF-8 text. Export it as UTF-8, not as" in message


def test_a_file_whose_lines_end_in_carriage_returns_alone(tmp_path, database):
    text = TEXTS["ratings"].replace("\n", "\r")
    message = refused(deliver(tmp_path / "in", ratings=text), database)
    assert "ratings.csv:1: the lines end in a carriage return alone. Export it with" in message


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n"])
def test_an_empty_file(tmp_path, database, content):
    message = refused(deliver(tmp_path / "in", ratings=content), database)
    assert "ratings.csv: the file is empty. It must start with the header userId," in message


@pytest.mark.parametrize("table", ["movies", "ratings"])
def test_a_snapshot_with_a_header_only_would_empty_the_table(tmp_path, database, table):
    header = TEXTS[table].splitlines()[0]
    message = refused(deliver(tmp_path / "in", **{table: header}), database, max_rejected=1)
    assert f"there is no line of {table}, and a full snapshot without any" in message


def test_a_line_without_end(tmp_path, database):
    text = TEXTS["tags"].encode() + b"x" * ((1 << 24) + (1 << 22))
    message = refused(deliver(tmp_path / "in", tags=text), database)
    assert "tags.csv: a line is longer than 16,777,216 bytes" in message


def test_a_table_in_two_forms(tmp_path, database):
    folder = deliver(tmp_path / "in")
    duckdb.sql(f"COPY (SELECT 1 AS movieId) TO '{folder / 'movies.parquet'}'")
    message = refused(folder, database)
    assert "the table movies is there more than once: movies.csv and movies.parquet." in message


def test_a_source_without_permission(tmp_path, database, monkeypatch):
    folder = deliver(tmp_path / "in")

    def denied(_path, *_arguments, **_options):
        raise PermissionError(errno.EACCES, "Permission denied", str(folder / "movies.csv"))

    monkeypatch.setattr(Path, "open", denied)
    assert "movies.csv: permission denied. Give yourself access" in refused(folder, database)


def test_a_name_that_is_not_utf8_is_refused(tmp_path, database):
    folder = deliver(tmp_path / os.fsdecode(b"caf\xe9"))
    assert "the name of a folder or file is not UTF-8. Rename it." in refused(folder, database)


def test_a_folder_of_any_other_name_is_only_a_folder(tmp_path, database):
    """Neither glob, nor markup, nor a partition of Hive's, whose value would be put in the rows."""
    folder = deliver(tmp_path / "a*b" / "rating=3" / "userId=5" / "[" / "]")
    done = run("ingest", str(folder), database=database)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"ingest 1: snapshot of {folder}\n")
    with duckdb.connect(str(database)) as connection:
        assert connection.execute("SELECT userId, rating FROM operational.ratings").fetchall() == [
            (1, 4.0)
        ]


def test_the_command_says_what_it_did_in_plain_lines(tmp_path, database):
    done = run("ingest", str(deliver(tmp_path / "in")), database=database)
    assert done.returncode == 0, done.stderr
    assert "3 loaded + 0 rejected = 3 lines read" in done.stdout
    assert "reading ratings.csv" in done.stderr
    again = run("ingest", str(tmp_path / "in"), "--json", database=database)
    assert json.loads(again.stdout)["nothing_changed"] is True
    assert again.stderr == f"Writes to {database}.\n"


def test_the_command_refuses_in_one_line(tmp_path, database):
    source = deliver(tmp_path / "in", ratings=TEXTS["ratings"] + "bad\n")
    done = run("ingest", str(source), database=database)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: 1 of 2 lines of ratings (50.0 %)")
    assert done.stdout == ""
    done = run("ingest", str(source), "--gateway", "paper", database=database)
    assert done.returncode == 2
    assert "the operational tables are in no gateway 'paper'." in done.stderr
