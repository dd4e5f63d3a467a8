"""`mesh ingest`: what is loaded, what is rejected, and that it is all or nothing."""

from __future__ import annotations

import os
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from mesh.errors import CheckFailed, WrongUse
from mesh.ingest import IngestResult, create_operational_tables_sql, ingest

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


def deliver(folder: Path, **texts: str | bytes) -> Path:
    """Write a delivery: the small one above, except for what is given."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {"movies": MOVIES, "ratings": RATINGS, "tags": TAGS, **texts}.items():
        data = text if isinstance(text, bytes) else text.encode()
        (folder / f"{name}.csv").write_bytes(data)
    return folder


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "db" / "mesh.duckdb"


@pytest.fixture
def load(database: Path):
    def run(source: Path, **options) -> IngestResult:
        options = {"database": database, "now": NOW, "max_rejected": 1, **options}
        return ingest(source, **options)

    return run


def rows(database: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(query).fetchall()


def all_tables(database: Path) -> dict[str, list[tuple]]:
    names = ("movies", "ratings", "tags", "rejected_lines", "ingests", "changed_months")
    return {name: rows(database, f"FROM operational.{name} ORDER BY ALL") for name in names}


def reject(load, database: Path, tmp_path: Path, table: str, line: str | bytes) -> tuple[str, str]:
    """Deliver one more line in a table; its text and reason after it was rejected."""
    raw = line if isinstance(line, bytes) else line.encode()
    text = {"movies": MOVIES, "ratings": RATINGS, "tags": TAGS}[table].encode()
    head, rest = text.split(b"\n", 1)
    result = load(deliver(tmp_path / "dirty", **{table: head + b"\n" + raw + b"\n" + rest}))
    assert result.lines_loaded == 7, rows(database, "FROM operational.rejected_lines")
    assert result.lines_rejected == 1
    ((file, number, found, reason),) = rows(
        database, "SELECT file, line_number, raw_text, reason FROM operational.rejected_lines"
    )
    assert (file, number) == (f"{table}.csv", 2)
    return found, reason


@pytest.mark.parametrize(
    ("table", "line", "reason"),
    [
        ("ratings", "1,3,4.0", "wrong number of fields: 3 instead of 4"),
        ("ratings", "1,1,4.0,964982703,9", "wrong number of fields: 5 instead of 4"),
        ("movies", "9,Bad, The (1999),Drama", "wrong number of fields: 4 instead of 3"),
        ("tags", "1,2,a,b,964982703", "wrong number of fields: 5 instead of 4"),
        ("ratings", "", "empty line"),
        ("ratings", "one,1,4.0,964982703", "unreadable number: userId 'one'"),
        ("ratings", "1.7,2,4.0,964982703", "unreadable number: userId '1.7'"),
        ("ratings", "9,1e0,4.0,964982703", "unreadable number: movieId '1e0'"),
        ("ratings", "+9,1,4.0,964982703", "unreadable number: userId '+9'"),
        ("ratings", "9,,4.0,964982703", "unreadable number: movieId ''"),
        ("ratings", "9,1,nan,964982703", "unreadable number: rating 'nan'"),
        ("ratings", "9,1,Infinity,964982703", "unreadable number: rating 'Infinity'"),
        ("ratings", "9,1,4.0,2001-01-01", "unreadable number: timestamp '2001-01-01'"),
        ("ratings", "9,1,4.0,964982703.5", "unreadable number: timestamp '964982703.5'"),
        ("ratings", "٣,1,4.0,964982703", "unreadable number: userId '٣'"),
        ("ratings", "-9,1,4.0,964982703", "number out of range: userId '-9' is negative"),
        ("ratings", "9223372036854775808,1,4.0,964982703", "number out of range: userId"),
        ("movies", "9" * 5000 + ",A,Drama", "number out of range: movieId"),
        ("ratings", "9,1,6.0,964982703", "rating outside 0.5 to 5.0: '6.0'"),
        ("ratings", "9,1,0,964982703", "rating outside 0.5 to 5.0: '0'"),
        ("ratings", "9,1,-1.0,964982703", "rating outside 0.5 to 5.0: '-1.0'"),
        ("ratings", "9,1,5.0000001,964982703", "rating outside 0.5 to 5.0"),
        ("ratings", "9,1,3.7,964982703", "rating is not a half-star: '3.7'"),
        ("ratings", "9,1,3.4999999999999999999999,964982703", "rating is not a half-star"),
        ("ratings", "9,1,4.0,788918399", "timestamp outside 1995 to now: '788918399'"),
        ("ratings", "9,1,4.0,1577836801", "timestamp outside 1995 to now: '1577836801'"),
        ("ratings", "9,1,4.0,964982703000", "timestamp outside 1995 to now"),
        ("ratings", "9,1,4.0,-5", "timestamp outside 1995 to now: '-5'"),
        ("ratings", "9,1,4.0,99999999999999999999", "timestamp outside 1995 to now"),
        ("ratings", "9,77,4.0,964982703", "unknown movie: 77"),
        ("tags", "9,77,fun,964982703", "unknown movie: 77"),
        ("movies", "9,,Drama", "empty title"),
        ("movies", "9,   ,Drama", "empty title"),
        ("movies", '9,"",Drama', "empty title"),
        ("movies", "9,\u3000\u00a0,Drama", "empty title"),
        ("movies", "9,A movie (1999),", "empty genres"),
        ("tags", "1,2,,964982703", "empty tag"),
        ("tags", '1,2,"never closed,964982703', "broken quotes: in field 3"),
        ("tags", '1,2,"closed" and on,964982703', "broken quotes: in field 3"),
        ("tags", '1,2,say "hi",964982703', "broken quotes: in field 3"),
        ("movies", '9,"A "bad" title",Drama', "broken quotes: in field 2"),
        ("movies", '9,"Half of a title', "broken quotes: in field 2"),
        ("tags", "x" * (1 << 20) + "x", "line too long: 1048577 bytes"),
    ],
    ids=lambda value: repr(value[:40]),
)
def test_a_bad_line_is_kept_with_its_number_its_text_and_the_reason(
    load, database, tmp_path, table, line, reason
):
    text, found = reject(load, database, tmp_path, table, line)
    assert text == line
    assert found.startswith(reason)


def test_bytes_that_are_not_utf8_are_kept_as_text_with_escapes(load, database, tmp_path):
    text, reason = reject(load, database, tmp_path, "tags", b"1,2,caf\xe9,964982703")
    assert text == "1,2,caf\\xe9,964982703"
    assert reason == "bytes that are not UTF-8: \\xe9 at byte 8"


def test_a_nul_byte_is_rejected_and_shown(load, database, tmp_path):
    text, reason = reject(load, database, tmp_path, "tags", b"1,2,a\0b,964982703")
    assert text == "1,2,a\\x00b,964982703"
    assert reason == "bytes that are not UTF-8 text: a NUL byte"


@pytest.mark.parametrize(
    ("table", "again", "key"),
    [
        ("ratings", "1,2,1.0,1200000000", "userId, movieId"),
        ("tags", "1,1,fun,1200000000", "userId, movieId, tag"),
        ("movies", "2,Another (1999),Drama", "movieId"),
    ],
)
def test_of_a_repeated_key_the_first_line_stays(load, database, tmp_path, table, again, key):
    source = deliver(tmp_path / "in")
    load(source)
    before = all_tables(database)[table]
    with (source / f"{table}.csv").open("a") as file:
        file.write(again + "\n")
    result = load(source)
    assert result.lines_rejected == 1
    assert all_tables(database)[table] == before
    ((number, text, reason),) = rows(
        database, "SELECT line_number, raw_text, reason FROM operational.rejected_lines"
    )
    lines = (source / f"{table}.csv").read_text().splitlines()
    assert (number, text) == (len(lines), again)
    first = 2 if table == "tags" else 3
    assert reason == f"duplicate key: {key} as in line {first}"


def test_ids_beyond_32_bits_that_would_collide_when_packed_are_no_duplicates(load, tmp_path):
    movies = MOVIES + f"{2**33},Big (2000),Drama\n"
    ratings = RATINGS + f"4,1,4.0,964982703\n3,{2**33},4.0,964982703\n7,1,3.0,964982703\n"
    assert load(deliver(tmp_path / "in", movies=movies, ratings=ratings)).lines_rejected == 0


def test_ratings_of_a_rejected_movie_are_of_an_unknown_movie(load, database, tmp_path):
    movies = MOVIES.replace("1,Toy Story (1995)", "1,")
    result = load(deliver(tmp_path / "in", movies=movies))
    reasons = rows(database, "SELECT file, reason FROM operational.rejected_lines ORDER BY ALL")
    assert reasons == [
        ("movies.csv", "empty title"),
        ("ratings.csv", "unknown movie: 1"),
        ("ratings.csv", "unknown movie: 1"),
        ("tags.csv", "unknown movie: 1"),
    ]
    assert result.lines_loaded == 3


def test_an_unclosed_quote_costs_no_other_line(load, database, tmp_path):
    tags = TAGS + '1,2,"open,1000000000\n2,1,after,1000000000\n1,2,closing",1000000000\n'
    result = load(deliver(tmp_path / "in", tags=tags))
    assert result.counts["tags"].loaded == 3
    assert rows(database, "SELECT line_number FROM operational.rejected_lines") == [(4,), (6,)]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: "\ufeff" + text.replace("\n", "\r\n"),
        lambda text: text.removesuffix("\n"),
        lambda text: text.replace("\n", "\r\n").removesuffix("\r\n"),
        lambda text: text.replace("\n", "\r\n", 2),
    ],
    ids=["windows", "bom", "bom and windows", "no last line end", "windows, no last", "mixed"],
)
def test_line_ends_and_a_byte_order_mark_do_not_matter(load, database, tmp_path, change):
    load(deliver(tmp_path / "plain"))
    before = all_tables(database)
    source = deliver(
        tmp_path / "in", movies=change(MOVIES), ratings=change(RATINGS), tags=change(TAGS)
    )
    result = load(source)
    assert (result.lines_loaded, result.lines_rejected) == (7, 0)
    after = all_tables(database)
    assert [after[name] for name in HEADERS] == [before[name] for name in HEADERS]
    assert result.changed_months == ()


def test_blank_lines_at_the_end_are_kept_but_do_not_stop_the_ingest(load, database, tmp_path):
    result = load(deliver(tmp_path / "in", ratings=RATINGS + "\n  \n"), max_rejected="0.1%")
    assert (result.lines_read, result.lines_loaded, result.lines_rejected) == (9, 7, 2)
    assert rows(database, "SELECT line_number, raw_text FROM operational.rejected_lines") == [
        (5, ""),
        (6, "  "),
    ]


def test_other_ways_to_write_a_number_load_the_same_value(load, database, tmp_path):
    ratings = HEADERS["ratings"] + (
        '\n"1","1","4.0","964982703"\n01,02, 3.50 ,1000000000\n2 ,1,.5,1100000000\n'
        "3,1,4,964982703\n"
        "4,1,4.,964982703\n5,1,4.00,0964982703\n"
    )
    result = load(deliver(tmp_path / "in", ratings=ratings))
    assert result.lines_rejected == 0, rows(database, "FROM operational.rejected_lines")
    found = rows(
        database, "SELECT userId, movieId, rating, epoch(timestamp) FROM operational.ratings"
    )
    assert found == [
        (1, 1, 4.0, 964982703),
        (1, 2, 3.5, 1000000000),
        (2, 1, 0.5, 1100000000),
        (3, 1, 4.0, 964982703),
        (4, 1, 4.0, 964982703),
        (5, 1, 4.0, 964982703),
    ]


def test_text_is_loaded_as_it_stands(load, database, tmp_path):
    titles = [
        'He said "no" (2001)',
        "NULL",
        "Trailing (1999)  ",
        "¡Átame! 座頭市, the",
        "a\rb",
        "'",
    ]
    movies = HEADERS["movies"] + "\n1,A,Drama\n2,B,(no genres listed)\n"
    for number, title in enumerate(titles, start=10):
        movies += f'{number},"{title.replace(chr(34), chr(34) * 2)}",Drama\n'
    assert load(deliver(tmp_path / "in", movies=movies)).lines_rejected == 0
    found = rows(
        database, "SELECT title FROM operational.movies WHERE movieId > 9 ORDER BY movieId"
    )
    assert [title for (title,) in found] == titles


def test_seconds_become_instants_in_utc(load, database, tmp_path):
    load(deliver(tmp_path / "in"))
    (found,) = rows(database, "SELECT timestamp FROM operational.ratings WHERE userId = 2")
    assert found[0] == datetime(2004, 11, 9, 11, 33, 20, tzinfo=UTC)


def test_an_ingest_is_recorded_with_counts_and_months(load, database, tmp_path):
    result = load(deliver(tmp_path / "in"))
    ((row),) = rows(database, "FROM operational.ingests")
    assert row[:2] == (1, str(tmp_path / "in"))
    assert row[2:10] == (result.checksum, "snapshot", 7, 7, 0, 2, 3, 2)
    assert row[10] == [date(2000, 7, 1), date(2001, 9, 1), date(2004, 11, 1)]
    assert row[11] <= row[12]
    assert rows(database, "SELECT * FROM operational.changed_months ORDER BY ALL") == [
        (1, "movies", date(1970, 1, 1)),
        (1, "movies", date(2000, 7, 1)),
        (1, "movies", date(2001, 9, 1)),
        (1, "movies", date(2004, 11, 1)),
        (1, "ratings", date(2000, 7, 1)),
        (1, "ratings", date(2001, 9, 1)),
        (1, "ratings", date(2004, 11, 1)),
        (1, "tags", date(2000, 7, 1)),
        (1, "tags", date(2001, 9, 1)),
    ]


def test_the_same_source_twice_changes_and_records_nothing(load, database, tmp_path):
    source = deliver(tmp_path / "in")
    load(source)
    before = all_tables(database)
    result = load(source)
    assert result.nothing_changed
    assert all_tables(database) == before


def test_the_same_snapshot_is_loaded_again_after_rows_were_lost(load, database, tmp_path):
    source = deliver(tmp_path / "in")
    load(source)
    with duckdb.connect(str(database)) as connection:
        connection.execute("DELETE FROM operational.ratings WHERE userId = 2")
    result = load(source)
    assert not result.nothing_changed
    assert result.months["ratings"] == (date(2004, 11, 1),)


def test_an_earlier_snapshot_after_another_is_loaded_again(load, database, tmp_path):
    first = deliver(tmp_path / "1")
    load(first)
    load(deliver(tmp_path / "2", ratings=RATINGS.replace("4.0", "1.0")))
    assert not load(first).nothing_changed
    assert rows(database, "SELECT rating FROM operational.ratings LIMIT 1") == [(4.0,)]


def test_a_changed_snapshot_names_old_and_new_months_of_what_differs(load, tmp_path):
    load(deliver(tmp_path / "1"))
    # One rating moves to another month, one is gone, one is new.
    ratings = HEADERS["ratings"] + "\n1,1,4.0,970000000\n1,2,3.5,1000000000\n3,2,5.0,1300000000\n"
    result = load(deliver(tmp_path / "2", ratings=ratings))
    assert result.months["ratings"] == (
        date(2000, 7, 1),
        date(2000, 9, 1),
        date(2004, 11, 1),
        date(2011, 3, 1),
    )
    assert result.months["movies"] == ()
    assert result.months["tags"] == ()


def test_a_changed_title_names_the_months_in_which_that_movie_was_rated(load, tmp_path):
    load(deliver(tmp_path / "1"))
    result = load(deliver(tmp_path / "2", movies=MOVIES.replace("Heat, The", "Heat")))
    assert result.months == {
        "movies": (date(1970, 1, 1), date(2001, 9, 1)),
        "ratings": (),
        "tags": (),
    }
    assert result.changed_months == (date(2001, 9, 1),)


def test_a_movie_that_is_gone_names_the_months_in_which_it_had_been_rated(load, tmp_path):
    load(deliver(tmp_path / "1"))
    source = deliver(
        tmp_path / "2",
        movies=MOVIES.replace('2,"Heat, The (1995)",Crime\n', ""),
        ratings=RATINGS.replace("1,2,3.5,1000000000\n", ""),
        tags=TAGS.replace('2,2,"slow, but good",1000000000\n', ""),
    )
    assert load(source).months == {
        "movies": (date(1970, 1, 1), date(2001, 9, 1)),
        "ratings": (date(2001, 9, 1),),
        "tags": (date(2001, 9, 1),),
    }


def test_append_adds_and_replaces_by_key_and_removes_nothing(load, database, tmp_path):
    load(deliver(tmp_path / "1"))
    later = deliver(
        tmp_path / "2",
        movies=HEADERS["movies"] + "\n3,New (2019),Drama\n1,Toy Story (1995),Animation\n",
        ratings=HEADERS["ratings"]
        + "\n1,1,1.0,1400000000\n9,3,5.0,1400000001\n2,1,0.5,1100000000\n",
        tags=HEADERS["tags"] + "\n1,1,fun,1500000000\n",
    )
    result = load(later, append=True)
    assert rows(database, "SELECT * EXCLUDE timestamp FROM operational.ratings ORDER BY ALL") == [
        (1, 1, 1.0),
        (1, 2, 3.5),
        (2, 1, 0.5),
        (9, 3, 5.0),
    ]
    assert rows(database, "SELECT movieId, genres FROM operational.movies ORDER BY ALL") == [
        (1, "Animation"),
        (2, "Crime"),
        (3, "Drama"),
    ]
    assert result.months == {
        "movies": (date(1970, 1, 1), date(2000, 7, 1), date(2004, 11, 1), date(2014, 5, 1)),
        "ratings": (date(2000, 7, 1), date(2014, 5, 1)),
        "tags": (date(2000, 7, 1), date(2017, 7, 1)),
    }


def test_append_knows_the_movies_of_earlier_deliveries(load, tmp_path):
    load(deliver(tmp_path / "1"))
    later = deliver(
        tmp_path / "2",
        movies=HEADERS["movies"] + "\n",
        ratings=HEADERS["ratings"] + "\n5,2,4.0,1000000000\n5,77,4.0,1000000000\nx\n",
        tags=HEADERS["tags"],
    )
    result = load(later, append=True)
    assert (result.lines_loaded, result.lines_rejected) == (1, 2)


def test_the_same_append_twice_changes_and_records_nothing(load, database, tmp_path):
    load(deliver(tmp_path / "1"))
    later = deliver(tmp_path / "2", ratings=RATINGS.replace("4.0", "5.0"))
    load(later, append=True)
    before = all_tables(database)
    assert load(later, append=True).nothing_changed
    assert all_tables(database) == before


def test_too_many_rejected_lines_stop_the_ingest_and_are_listed(load, database, tmp_path):
    load(deliver(tmp_path / "1"))
    before = all_tables(database)
    source = deliver(
        tmp_path / "2", ratings=RATINGS + "9,77,4.0,964982703\n9,78,4.0,964982703\nx\n"
    )
    with pytest.raises(CheckFailed) as caught:
        load(source, max_rejected="0.1%")
    assert caught.value.exit_code == 1
    message = str(caught.value)
    assert "3 of 10 lines were rejected (30.0 %), more than the 0.1 % allowed" in message
    assert "unknown movie (2, the first at ratings.csv:5)" in message
    assert "wrong number of fields (1, the first at ratings.csv:7)" in message
    (listed,) = (database.parent / "rejected").iterdir()
    assert str(listed) in message
    assert [line.split(",")[:2] for line in listed.read_text().splitlines()[1:]] == [
        ["ratings.csv", "5"],
        ["ratings.csv", "6"],
        ["ratings.csv", "7"],
    ]
    assert all_tables(database) == before


def test_exactly_the_allowed_share_is_allowed(load, tmp_path):
    movies = HEADERS["movies"] + "\n" + "".join(f"{n},M (1999),Drama\n" for n in range(1, 995))
    source = deliver(tmp_path / "in", movies=movies, ratings=RATINGS + "x\n")
    assert load(source, max_rejected="0.1%").lines_rejected == 1
    with pytest.raises(CheckFailed):
        load(deliver(tmp_path / "in", ratings=RATINGS + "x\ny\n"), max_rejected=0.001)


@pytest.mark.parametrize("text", ["many", "-1", "101%", "nan", "inf", ""])
def test_a_limit_that_is_no_share_is_named(load, tmp_path, text):
    with pytest.raises(WrongUse, match="is not a share of lines"):
        load(deliver(tmp_path / "in"), max_rejected=text)


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


def write_parquet(folder: Path, **queries: str) -> Path:
    deliver(folder)
    for name, query in queries.items():
        (folder / f"{name}.csv").unlink()
        duckdb.sql(f"SET TimeZone = 'UTC'; COPY ({query}) TO '{folder / name}.parquet'")
    return folder


@pytest.mark.parametrize(
    "time", ["964982703", "TIMESTAMP '2000-07-30 18:45:03'", "TIMESTAMPTZ '2000-07-30 18:45:03+00'"]
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
        6: ("duplicate key: userId, movieId as in ratings.parquet:1", "1,1,5.0,964982703"),
        7: ("number out of range: userId -1", "-1,1,5.0,964982703"),
        8: ("rating outside 0.5 to 5.0: 6.0", "5,1,6.0,964982703"),
        9: ("timestamp outside 1995 to now: 5", "6,1,5.0,5"),
    }


def test_a_zip_is_the_same_delivery_as_its_folder(load, database, tmp_path):
    source = deliver(tmp_path / "in")
    for above in ("", "ml-25m/"):
        archive = tmp_path / "in.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(f"{above}README.txt", "read me")
            for path in source.iterdir():
                packed.write(path, f"{above}{path.name}")
        load(archive)
        assert load(source).nothing_changed
        assert rows(database, "SELECT count(*) FROM operational.ingests") == [(1,)]


def test_the_statements_that_make_the_tables_can_run_twice():
    with duckdb.connect() as connection:
        for statement in create_operational_tables_sql("duckdb") * 2:
            connection.execute(statement)
        assert len(connection.execute("SHOW ALL TABLES").fetchall()) == 6
    bigquery = create_operational_tables_sql("bigquery")
    assert "`changed_months` ARRAY<DATE>" in " ".join(bigquery)
    assert all("IF NOT EXISTS" in statement for statement in bigquery)


@pytest.mark.movielens
@pytest.mark.skipif(not os.environ.get("MOVIELENS_DIR"), reason="needs MOVIELENS_DIR")
def test_the_real_files_load_whole(load):
    result = load(Path(os.environ["MOVIELENS_DIR"]), now=datetime.now(UTC))
    loaded = {name: counts.loaded for name, counts in result.counts.items()}
    assert loaded == {"movies": 9742, "ratings": 100836, "tags": 3683}
    assert result.lines_rejected == 0


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_bad_line_far_down_a_large_file_is_found_at_its_number(load, database, tmp_path, end):
    lines = [f"{user},{1 + user % 2},4.0,964982703" for user in range(1, 300_001)]
    lines[249_998] = "odd"
    lines[280_000] = "280001,77,4.0,964982703"
    lines[290_000] = lines[5]
    text = end.join([HEADERS["ratings"], *lines, ""])
    assert len(text) > 6_000_000
    result = load(deliver(tmp_path / "in", ratings=text))
    assert result.counts["ratings"].loaded == 299_997
    assert rows(database, "SELECT line_number, raw_text FROM operational.rejected_lines") == [
        (250_000, "odd"),
        (280_002, "280001,77,4.0,964982703"),
        (290_002, lines[5]),
    ]
    assert rows(database, "SELECT count(DISTINCT userId) FROM operational.ratings") == [(299_997,)]


def test_windows_line_ends_that_stop_half_way_do_not_matter(load, database, tmp_path):
    text = RATINGS.replace("\n", "\r\n", 2) + "3,1,4.0,964982703\r\n4,1,4.0,964982703\r"
    result = load(deliver(tmp_path / "in", ratings=text))
    assert (result.counts["ratings"].loaded, result.lines_rejected) == (5, 0)


def test_the_keys_of_an_ingest_are_the_grains_of_the_contracts_with_the_source():
    from mesh.contracts import find
    from mesh.ingest.schema import DELIVERED

    for table in DELIVERED:
        contract = find(f"operational.{table.name}")
        assert contract.grain == table.key
        promised = [(c.name, c.duckdb_type, c.bigquery_type) for c in contract.columns]
        assert promised == [(c.name, c.duckdb, c.bigquery) for c in table.columns]
