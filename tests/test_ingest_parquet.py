"""`mesh ingest`: Parquet as a source, and `--parquet`, the tables as Parquet."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet
import pytest

from mesh.errors import WrongUse
from mesh.movielens.ingest.lake import Lake
from tests.deliveries import HEADERS, all_tables, deliver, refused, rows

pytest_plugins = ["tests.ingesting"]


def test_what_a_killed_run_left_beside_the_parquet_files_is_cleared_away(
    load, tmp_path, monkeypatch
):
    lake = tmp_path / "lake"
    source = deliver(tmp_path / "in")
    load(source, parquet=lake)
    (tmp_path / ".lake.unfinished" / "ratings").mkdir(parents=True)
    lake.rename(tmp_path / ".lake.replaced")
    monkeypatch.setattr(Lake, "move_into_place", lambda _self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        load(source, parquet=lake)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["db", "in", "lake"]
    assert (lake / "movies.parquet").is_file()


def test_a_mount_point_is_refused_for_parquet(tmp_path, database, monkeypatch):
    monkeypatch.setattr(Path, "is_mount", lambda path: path.name == "lake")
    message = refused(deliver(tmp_path / "in"), database, parquet=tmp_path / "lake")
    assert "lake: this is a mount point, which cannot be replaced as a whole. Give" in message


def test_a_folder_for_parquet_without_permission_is_refused(tmp_path, database, monkeypatch):
    monkeypatch.setattr("mesh.movielens.ingest.lake.os.access", lambda *_: False)
    message = refused(deliver(tmp_path / "in"), database, parquet=tmp_path / "lake")
    assert f"{tmp_path}: permission denied." in message


def write_parquet(folder: Path, **queries: str) -> Path:
    deliver(folder)
    for name, query in queries.items():
        (folder / f"{name}.csv").unlink()
        duckdb.sql(f"SET TimeZone = 'UTC'; COPY ({query}) TO '{folder / name}.parquet'")
    return folder


def test_parquet_that_was_written_can_be_read_back(load, database, tmp_path):
    lake = tmp_path / "lake"
    load(deliver(tmp_path / "in"), parquet=lake)
    assert (lake / "movies.parquet").is_file()
    assert sorted(path.name for path in (lake / "ratings").iterdir()) == [
        "year=2000",
        "year=2001",
        "year=2004",
    ]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".lake")] == []
    before = all_tables(database)
    result = load(lake)
    assert (result.lines_loaded, result.lines_rejected) == (7, 0)
    assert result.months == {"movies": (), "ratings": (), "tags": ()}
    after = all_tables(database)
    assert [after[name] for name in HEADERS] == [before[name] for name in HEADERS]


def test_parquet_of_an_empty_table_can_be_read_back(load, tmp_path):
    load(deliver(tmp_path / "in", tags=HEADERS["tags"]), parquet=tmp_path / "lake")
    assert load(tmp_path / "lake").counts["tags"].read == 0


def test_parquet_replaces_what_it_wrote_before_and_nothing_else(load, tmp_path):
    lake = tmp_path / "lake"
    source = deliver(tmp_path / "in")
    load(source, parquet=lake)
    load(source, parquet=lake)
    assert (lake / "movies.parquet").is_file()
    (lake / "notes.txt").write_text("mine")
    with pytest.raises(WrongUse, match="something else is in the way of the Parquet files: notes"):
        load(source, parquet=lake)


@pytest.mark.parametrize(
    "time",
    [
        "964982703",
        "964982703::DOUBLE",
        "TIMESTAMP '2000-07-30 18:45:03'",
        "TIMESTAMPTZ '2000-07-30 18:45:03+00'",
    ],
)
def test_parquet_may_say_the_time_in_seconds_or_as_a_timestamp(load, database, tmp_path, time):
    query = f"SELECT 1::INTEGER AS userId, 2 AS movieId, 4::FLOAT AS rating, {time} AS timestamp"
    result = load(write_parquet(tmp_path / "in", ratings=query))
    assert result.counts["ratings"].loaded == 1
    assert rows(database, "SELECT *, epoch(timestamp) FROM operational.ratings")[0][4] == 964982703


def test_bad_rows_of_parquet_are_rejected_like_lines(load, database, tmp_path):
    query = """SELECT * FROM (VALUES
        (1, 1, 4.0::DOUBLE, 964982703), (2, 1, 3.7, 964982703), (3, 1, 'nan'::DOUBLE, 964982703),
        (4, 77, 4.0, 964982703), (NULL, 1, 4.0, 964982703), (1, 1, 5.0, 964982703),
        (-1, 1, 5.0, 964982703), (5, 1, 6.0, 964982703), (6, 1, 5.0, 5), (7, 1, 5.0, 964982703)
    ) t(userId, movieId, rating, timestamp)"""
    result = load(write_parquet(tmp_path / "in", ratings=query))
    assert result.counts["ratings"].loaded == 2
    found = rows(database, "SELECT line_number, reason, raw_text FROM operational.rejected_lines")
    assert {number: (reason, text) for number, reason, text in found} == {
        2: ("rating is not a half-star: 3.7", "2,1,3.7,964982703"),
        3: ("unreadable number: rating NaN", "3,1,nan,964982703"),
        4: ("unknown movie: 77", "4,77,4.0,964982703"),
        5: ("unreadable number: userId is missing", ",1,4.0,964982703"),
        6: ("not the newest: userId, movieId as in ratings.parquet:1", "1,1,5.0,964982703"),
        7: ("number out of range: userId -1", "-1,1,5.0,964982703"),
        8: ("rating outside 0.5 to 5.0: 6.0", "5,1,6.0,964982703"),
        9: ("timestamp outside 1995 to now: '5'", "6,1,5.0,5"),
    }


def test_bad_texts_of_parquet_are_rejected_like_those_of_lines(load, database, tmp_path):
    query = """SELECT * FROM (VALUES (1, 'A', 'Drama|Crime'), (2, ' \u3000\t\v', 'Drama'),
        (3, NULL, 'Drama'), (4, 'B', ''), (5, 'C', 'Drama| '), (6, repeat('é', 1025), 'Drama'),
        (0, 'D', 'Drama'), (7, chr(0), 'Drama'), (8, repeat('é', 1024), NULL)
        ) t(movieId, title, genres)"""
    load(write_parquet(tmp_path / "in", movies=query))
    genres = rows(database, "SELECT movieId, genres FROM operational.movies ORDER BY ALL")
    none = "(no genres listed)"
    assert genres == [(1, "Drama|Crime"), (4, none), (5, "Drama"), (8, none)]
    found = rows(
        database,
        "SELECT line_number, reason FROM operational.rejected_lines WHERE file = 'movies.parquet'",
    )
    assert found == [
        (2, "empty title"),
        (3, "empty title"),
        (6, "title too long: 1025 characters, at most 1024"),
        (7, "number out of range: movieId 0"),
        (8, "bytes that are not UTF-8 text: a NUL byte"),
    ]


def test_numbers_of_parquet_may_be_floats_as_pandas_makes_them(load, database, tmp_path):
    query = """SELECT * FROM (VALUES (1.0::DOUBLE, 1, 4, 964982703.0::DOUBLE),
        (2.5, 1, 4, 964982703), ('nan', 1, 4, 964982703), (3, 1, 4, 'nan'), (4, 1, 4, 1e17)
        ) t(userId, movieId, rating, timestamp)"""
    assert load(write_parquet(tmp_path / "in", ratings=query)).counts["ratings"].loaded == 1
    assert rows(database, "SELECT userId, epoch(timestamp) FROM operational.ratings") == [
        (1, 964982703)
    ]
    seconds = "where seconds since 1970 are expected, or a time such as 2018-09-24 14:27:30"
    assert rows(database, "SELECT reason FROM operational.rejected_lines ORDER BY line_number") == [
        ("unreadable number: userId 2.5, where a whole number is expected",),
        ("unreadable number: userId NaN",),
        ("unreadable time: timestamp NaN",),
        (f"timestamp outside 1995 to now: 1e+17, {seconds}",),
    ]


@pytest.mark.parametrize(
    ("table", "query", "bytes_told"),
    [
        (
            "ratings",
            "SELECT 1 AS userId, 1 AS movieId, 4.0 AS rating, 964982703 AS timestamp "
            "FROM range(3000000)",
            "3,000,000 rows of 96,000,000 bytes",
        ),
        (
            "movies",
            "SELECT i AS movieId, repeat('x', 100000) AS title, 'Drama' AS genres "
            "FROM range(1, 1001) t(i)",
            "1,000 rows of 100,029,000 bytes",
        ),
    ],
)
def test_a_parquet_file_that_unpacks_to_far_more_than_it_holds_is_refused(
    tmp_path, database, table, query, bytes_told
):
    message = refused(write_parquet(tmp_path / "in", **{table: query}), database)
    assert f"{table}.parquet: " in message
    assert f"bytes hold {bytes_told}, more than 200 times as much" in message


def test_parquet_with_other_columns(tmp_path, database):
    message = refused(
        write_parquet(tmp_path / "in", ratings="SELECT 1 AS userId, 1 AS film"), database
    )
    assert "ratings.parquet: the columns are userId, film where userId, movieId, " in message


def test_parquet_with_another_type(tmp_path, database):
    query = "SELECT 1 AS userId, 'x' AS movieId, 4.0 AS rating, 964982703 AS timestamp"
    message = refused(write_parquet(tmp_path / "in", ratings=query), database)
    assert "the column movieId is VARCHAR where BIGINT is expected." in message


def far_away(folder: Path, unit: pa.DataType, *moments: int) -> Path:
    """A delivery whose ratings are of these moments, by the arrow type of their column."""
    write_parquet(folder)
    many = len(moments)
    times = pa.array(moments, pa.int32() if pa.types.is_date32(unit) else pa.int64()).cast(unit)
    ratings = {
        "userId": range(1, many + 1), "movieId": [1] * many, "rating": [4.0] * many,
        "timestamp": times,
    }  # fmt: skip
    (folder / "ratings.csv").unlink()
    pa.parquet.write_table(pa.table(ratings), folder / "ratings.parquet")
    return folder


@pytest.mark.parametrize(
    ("unit", "near", "far"),
    [
        (pa.timestamp("us"), 964982703000000, -(2**63)),
        (pa.timestamp("ns"), 964982703000000000, -(2**63)),
        (pa.date32(), 16436, -(2**31) + 5),
    ],
)
def test_a_moment_beyond_every_calendar_costs_its_row_alone(
    load, database, tmp_path, unit, near, far
):
    load(far_away(tmp_path / "in", unit, near, far))
    found = rows(database, "SELECT file, line_number, reason FROM operational.rejected_lines")
    assert [(file, row) for file, row, _ in found] == [("ratings.parquet", 2)]
    assert found[0][2].startswith("timestamp outside 1995 to now: ")
    assert rows(database, "SELECT COUNT(*) FROM operational.ratings") == [(1,)]


def test_milliseconds_beyond_what_duckdb_reads_are_not_called_damage(tmp_path, database):
    folder = far_away(tmp_path / "in", pa.timestamp("ms"), 964982703000, 2**62)
    message = refused(folder, database)
    assert "a timestamp in it lies hundreds of thousands of years from now." in message
    assert "damaged" not in message and "write the column in microseconds" in message


@pytest.mark.parametrize("content", [b"", b"PAR1 not really"])
def test_a_parquet_file_that_is_none(tmp_path, database, content):
    folder = deliver(tmp_path / "in")
    (folder / "ratings.csv").unlink()
    (folder / "ratings.parquet").write_bytes(content)
    assert "ratings.parquet: this is not a Parquet file, or it is cut off" in refused(
        folder, database
    )


def test_parquet_whose_text_is_not_utf8(tmp_path, database):
    folder = deliver(tmp_path / "in")
    (folder / "movies.csv").unlink()
    text = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0" * 4 + b"\1\0\0\0"), pa.py_buffer(b"\xe9")]
    )
    movies = pa.table({"movieId": [1], "title": text, "genres": ["Drama"]})
    pyarrow.parquet.write_table(movies, folder / "movies.parquet")
    message = refused(folder, database)
    assert "movies.parquet: the rows cannot be read: a file is damaged, or a text in it" in message


def test_parquet_files_of_one_table_that_differ(tmp_path, database):
    folder = write_parquet(tmp_path / "in", ratings="SELECT 1")
    (folder / "ratings.parquet").unlink()
    (folder / "ratings").mkdir()
    for number, kind in enumerate(("INTEGER", "BIGINT")):
        query = f"SELECT 1::{kind} userId, 1 movieId, 4.0 rating, 964982703 AS timestamp"
        duckdb.sql(f"COPY ({query}) TO '{folder}/ratings/{number}.parquet'")
        (folder / "ratings" / f".{number}.crc.parquet").write_text("no file of anybody's")
    assert "the column types differ from those in ratings/0.parquet." in refused(folder, database)
