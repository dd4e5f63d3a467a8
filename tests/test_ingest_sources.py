"""`mesh ingest`: sources and databases that cannot be used get one clear sentence each."""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import shutil
import stat
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from mesh.errors import WrongUse
from mesh.movielens.ingest import ingest, source
from mesh.movielens.ingest.targets.duckdb import DuckDBTarget
from tests.deliveries import NOW, refused, write

TEXTS = {
    "movies": "movieId,title,genres\n1,Toy Story (1995),Comedy\n",
    "ratings": "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n",
    "tags": "userId,movieId,tag,timestamp\n1,1,fun,964982703\n",
}


def deliver(folder: Path, **texts: str | bytes) -> Path:
    return write(folder, **{**TEXTS, **texts})


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "mesh.duckdb"


def zipped(path: Path, entries: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in entries.items():
            packed.writestr(name, text)
    return path


CSVS = {f"{name}.csv": text for name, text in TEXTS.items()}


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


@pytest.mark.parametrize(
    "name",
    [
        "MovieLens\\ml-25m\\{}.csv",
        "a/b/c/{}.csv",
        "ml/{}.CSV",
        "ML-LATEST/{title}.csv",
        "{singular}.csv",
    ],
)
def test_zips_are_read_as_people_make_them(tmp_path, database, name):
    entries = {
        name.format(table, title=table.upper(), singular=table[:-1]): text
        for table, text in TEXTS.items()
    }
    path = zipped(tmp_path / "in.zip", {"__MACOSX/ml/._ratings.csv": "x", "links.csv": "y"})
    with zipfile.ZipFile(path, "a") as packed:
        for entry, text in entries.items():
            # Python writes other separators than Windows' own tools do.
            (info := zipfile.ZipInfo("x")).filename = entry
            packed.writestr(info, text)
    assert ingest(path, database=database, now=NOW).lines_loaded == 3


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


@pytest.mark.parametrize("name", ["ratings.csv", "notes.txt"])
def test_a_file_that_is_no_zip(tmp_path, database, name):
    path = tmp_path / name
    path.write_text(TEXTS["ratings"])
    assert "this is not a zip file, or it is cut off or damaged." in refused(path, database)


def test_a_zip_that_is_cut_off(tmp_path, database):
    path = zipped(tmp_path / "in.zip", CSVS)
    path.write_bytes(path.read_bytes()[:-30])
    assert "this is not a zip file, or it is cut off or damaged." in refused(path, database)


def test_a_zip_with_damaged_contents(tmp_path, database):
    path = zipped(tmp_path / "in.zip", {**CSVS, "ratings.csv": os.urandom(5000)})
    data = bytearray(path.read_bytes())
    for position in range(300, 2000, 7):
        data[position] ^= 0xFF
    path.write_bytes(data)
    assert "this is not a zip file, or it is cut off or damaged." in refused(path, database)


def test_a_zip_with_damage_anywhere_is_read_or_refused_in_one_sentence(tmp_path, database):
    whole = zipped(tmp_path / "in.zip", CSVS).read_bytes()
    chance = random.Random(9)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            position = len(data) - 1 - chance.randrange(220)
            data[position] = chance.choice([0, 255, chance.randrange(256)])
        (tmp_path / "in.zip").write_bytes(data)
        with suppress(WrongUse), source.open_source(tmp_path / "in.zip"):
            pass


def test_a_zip_whose_directory_is_damaged_inside_an_entry(tmp_path, database):
    extra = zipfile.ZipInfo("ratings.csv")
    extra.extra = b"\x01\x00\x04\x00abcd"
    path = tmp_path / "in.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(extra, TEXTS["ratings"])
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 20 : at + 28] = b"\xff" * 8
    path.write_bytes(data)
    assert "this is not a zip file, or it is cut off or damaged." in refused(path, database)


def test_an_empty_zip(tmp_path, database):
    assert "are missing (also as .parquet)." in refused(zipped(tmp_path / "in.zip", {}), database)


@pytest.mark.parametrize(
    "name", ["../evil.csv", "/etc/evil", "a/../../evil", "..\\evil", "C:\\evil"]
)
def test_a_zip_entry_that_points_outside(tmp_path, database, name):
    path = zipped(tmp_path / "in.zip", {**CSVS, name: "x"})
    message = refused(path, database)
    assert "points outside the zip." in message
    assert not any(found.name.startswith("evil") for found in tmp_path.rglob("*"))


def test_a_zip_entry_that_is_a_link(tmp_path, database):
    path = tmp_path / "in.zip"
    with zipfile.ZipFile(path, "w") as packed:
        link = zipfile.ZipInfo("ratings.csv")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(link, "/etc/passwd")
    assert "points outside the zip." in refused(path, database)


def test_an_encrypted_zip(tmp_path, database):
    path = zipped(tmp_path / "in.zip", CSVS)
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = data.find(mark)
        while position >= 0:
            data[position + offset] |= 1
            position = data.find(mark, position + 4)
    path.write_bytes(data)
    assert "the zip is encrypted (movies.csv)." in refused(path, database)


def test_a_zip_with_a_file_twice(tmp_path, database):
    path = zipped(tmp_path / "in.zip", {**CSVS, "old/movies.csv": TEXTS["movies"]})
    message = refused(path, database)
    assert "the zip holds movies.csv twice: movies.csv and old/movies.csv." in message


def test_a_zip_that_unpacks_to_far_more_than_it_holds(tmp_path, database, monkeypatch):
    monkeypatch.setattr(source, "EXPANSION_MATTERS", 10_000)
    path = zipped(tmp_path / "in.zip", {**CSVS, "tags.csv": TEXTS["tags"] + "0" * 100_000})
    message = refused(path, database)
    assert "the zip entry 'tags.csv' unpacks to 100,047 bytes, more than 200 times" in message


def test_a_zip_that_needs_more_room_than_there_is(tmp_path, database, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(source.shutil, "disk_usage", lambda _path: usage)
    message = refused(zipped(tmp_path / "in.zip", CSVS), database)
    assert "only 10 are free" in message


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


def hold(database: Path) -> subprocess.Popen:
    """Another process that has the database open."""
    code = (
        f"import duckdb; c = duckdb.connect({str(database)!r}); print('open', flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"open\n"
    return process


def test_a_database_that_another_process_holds(tmp_path, database):
    folder = deliver(tmp_path / "in")
    ingest(folder, database=database, now=NOW)
    holder = hold(database)
    try:
        with pytest.raises(WrongUse, match=rf"is in use by process {holder.pid}\. Stop it"):
            ingest(folder, database=database, now=NOW)
    finally:
        holder.communicate(b"\n")


def test_a_database_that_this_process_holds(tmp_path, database):
    folder = deliver(tmp_path / "in")
    ingest(folder, database=database, now=NOW)
    with (
        duckdb.connect(str(database)),
        pytest.raises(WrongUse, match="the database is in use"),
    ):
        ingest(folder, database=database, now=NOW)


@pytest.mark.parametrize("damage", [lambda b: b[:20_000], lambda b: b[:12_288] + b"block" * 50_000])
def test_a_database_that_is_damaged(tmp_path, database, damage):
    folder = deliver(tmp_path / "in")
    ingest(folder, database=database, now=NOW)
    database.write_bytes(damage(database.read_bytes()))
    with pytest.raises(WrongUse, match=r"the database is damaged or cut off\. Move it away and"):
        ingest(folder, database=database, now=NOW)


def test_a_database_of_another_make_is_refused_without_asking_the_network(tmp_path, database):
    database.write_bytes(b"SQLite format 3\0" + b"\0" * 5_000)
    with pytest.raises(WrongUse, match="this is not a DuckDB file of a version that can be read"):
        ingest(deliver(tmp_path / "in"), database=database, now=NOW)


def test_a_view_in_the_place_of_a_table_is_not_touched(tmp_path, database):
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE SCHEMA operational; CREATE VIEW operational.tags AS SELECT 1")
    with pytest.raises(WrongUse, match=r"operational\.tags is a view, not a table\. Let MESH_DUCK"):
        ingest(deliver(tmp_path / "in"), database=database, now=NOW)


def test_a_database_that_is_none(tmp_path, database):
    database.write_bytes(b"not a database " * 1000)
    with pytest.raises(WrongUse, match="this is not a DuckDB file of a version that can be read"):
        ingest(deliver(tmp_path / "in"), database=database, now=NOW)
    assert database.read_bytes() == b"not a database " * 1000


def test_a_database_without_permission(tmp_path, database, monkeypatch):
    class Denied:
        def execute(self, _statement: str) -> None:
            raise duckdb.IOException(f'Cannot open file "{database}": Permission denied')

    target = DuckDBTarget(database)
    target.connection = Denied()
    with pytest.raises(
        WrongUse, match=r"mesh.duckdb: permission denied\. Give yourself access, or"
    ):
        target._attach()


def test_a_database_path_that_is_a_folder(tmp_path):
    with pytest.raises(WrongUse, match="the database cannot be opened"):
        ingest(deliver(tmp_path / "in"), database=tmp_path, now=NOW)


def test_a_database_under_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(WrongUse, match="file"):
        ingest(deliver(tmp_path / "in"), database=tmp_path / "file" / "x.duckdb", now=NOW)


def test_a_table_of_another_shape_is_not_touched(tmp_path, database):
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE SCHEMA operational; CREATE TABLE operational.movies (a INT)")
    with pytest.raises(
        WrongUse, match=r"operational\.movies has other columns than movieId BIGINT"
    ):
        ingest(deliver(tmp_path / "in"), database=database, now=NOW)


def run(*arguments: str, database: Path, limit: int | None = None, **options):
    """`mesh` in a process of its own, with at most `limit` bytes per file that it writes."""
    code = f"from mesh.cli.main import run; run({list(arguments)!r})"

    def limited() -> None:
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited,
        env={**os.environ, "MESH_DUCKDB": str(database)},
        **options,
    )


def test_a_full_disk_leaves_the_old_tables(tmp_path, database):
    ingest(deliver(tmp_path / "in"), database=database, now=NOW)
    ratings = TEXTS["ratings"] + "".join(
        f"{user},1,{(user * 7919 % 10 + 1) / 2},{900000000 + user * 7919 * 104729 % 300000000}\n"
        for user in range(2, 600_000)
    )
    large = deliver(tmp_path / "large", ratings=ratings)
    limit = database.stat().st_size + 300_000
    done = run("ingest", str(large), database=database, limit=limit)
    assert done.returncode == 2
    assert "the disk is full. The tables are as they were. Make room" in done.stderr
    assert "Traceback" not in done.stderr
    with duckdb.connect(str(database)) as connection:
        assert connection.execute("SELECT count(*) FROM operational.ratings").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM operational.ingests").fetchone() == (1,)
    assert ingest(large, database=database).counts["ratings"].loaded == 599_999


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
    assert "ingest cannot load into the gateway 'paper'." in done.stderr
