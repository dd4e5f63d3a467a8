"""`mesh ingest`: which lines of a file are loaded, and which are kept as rejected, and why."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from tests.deliveries import HEADERS, MOVIES, RATINGS, TAGS, all_tables, deliver, rows, write

pytest_plugins = ["tests.ingesting"]


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
        ("ratings", "9,1e,4.0,964982703", "unreadable number: movieId '1e', where a whole number"),
        ("ratings", "9,1e-1,4.0,964982703", "unreadable number: movieId '1e-1'"),
        ("ratings", "+9,1,4.0,964982703", "unreadable number: userId '+9'"),
        ("ratings", "9,,4.0,964982703", "unreadable number: movieId ''"),
        ("ratings", "9,1,nan,964982703", "unreadable number: rating 'nan'"),
        ("ratings", "9,1,Infinity,964982703", "unreadable number: rating 'Infinity'"),
        ("ratings", "9,1,4.0,", "unreadable time: timestamp ''"),
        (
            "ratings",
            "9,1,4.0,now",
            "unreadable time: timestamp 'now', where seconds",
        ),
        ("ratings", "9,1,4.0,30/07/2000", "unreadable time: timestamp '30/07/2000'"),
        ("ratings", "9,1,4.0,2000-13-01", "unreadable time: timestamp '2000-13-01'"),
        ("ratings", "9,1,4.0,1994-12-31", "timestamp outside 1995 to now: '788832000'"),
        ("ratings", "٣,1,4.0,964982703", "unreadable number: userId '٣'"),
        ("ratings", "-9,1,4.0,964982703", "number out of range: userId '-9' is negative"),
        ("ratings", "0,1,4.0,964982703", "number out of range: userId '0' is less than 1"),
        ("tags", "1,00,fun,964982703", "number out of range: movieId '00' is less than 1"),
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
        (
            "ratings",
            "9,1,4.0,964982703000",
            "timestamp outside 1995 to now: '964982703000', wh",
        ),
        ("ratings", "9,1,4.0,-5", "timestamp outside 1995 to now: '-5'"),
        ("ratings", "9,1,4.0,99999999999999999999", "timestamp outside 1995 to now"),
        ("ratings", "9,77,4.0,964982703", "unknown movie: 77"),
        ("tags", "9,77,fun,964982703", "unknown movie: 77"),
        ("movies", "9,,Drama", "empty title"),
        ("movies", "9,   ,Drama", "empty title"),
        ("movies", '9,"",Drama', "empty title"),
        ("movies", "9,\u3000\u00a0,Drama", "empty title"),
        ("movies", "9,\u0085\u200b,Drama", "empty title"),
        ("movies", "9," + "é" * 1025 + ",Drama", "title too long: 1025 characters, at most 1024"),
        ("tags", "1,2,,964982703", "empty tag"),
        ("tags", f"1,2,{'x' * 10_001},964982703", "tag too long: 10001 characters, at most 10000"),
        ("tags", '1,2,"never closed,964982703', "broken quotes: in field 3"),
        ("tags", '1,2,"closed" and on,964982703', "broken quotes: in field 3"),
        ("tags", '1,2,say "hi",964982703', "broken quotes: in field 3"),
        ("movies", '9,"A "bad" title",Drama', "broken quotes: in field 2"),
        ("movies", '9,"Half of a title', "broken quotes: in field 2"),
        ("tags", "x" * (1 << 20) + "x", "line too long: 1048577 bytes"),
        ("tags", f"1,2,{'x' * 2_100_000},964982703", "line too long: 2100014 bytes"),
        ("movies", f"9,A,{'é' * 2_100_000}", "line too long: 4200004 bytes"),
        ("movies", '9,"' + '""' * 500_000 + '",Drama', "title too long: 500000 characters"),
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


@pytest.mark.parametrize("place", [1, -1], ids=["first line", "last line"])
@pytest.mark.parametrize(
    ("table", "again", "key", "stood"),
    [
        ("ratings", "1,2,1.0,1200000000", "userId, movieId", "1,2,3.5,1000000000"),
        ("ratings", "1,2,1.0,900000000", "userId, movieId", "1,2,3.5,1000000000"),
        ("ratings", "1,2,3.0,1000000000", "userId, movieId", "1,2,3.5,1000000000"),
        ("ratings", "1,2,4.0,1000000000", "userId, movieId", "1,2,3.5,1000000000"),
        ("tags", "1,1,fun,1200000000", "userId, movieId, tag", "1,1,fun,964982703"),
        ("tags", "1,1,fun,900000000", "userId, movieId, tag", "1,1,fun,964982703"),
        ("movies", "2,Another (1999),Drama", "movieId", '2,"Heat, The (1995)",Crime'),
    ],
)
def test_of_a_repeated_key_the_newest_counts_wherever_it_stands(
    load, database, tmp_path, table, again, key, stood, place
):
    source = deliver(tmp_path / "in")
    path = source / f"{table}.csv"
    lines = path.read_text().splitlines()
    lines.insert(place % (len(lines) + 1), again)
    path.write_text("\n".join(lines))
    # Newer by its time, of one second that with fewer stars; of movies, which have none, the later.
    newer = again in ("1,2,1.0,1200000000", "1,2,3.0,1000000000", "1,1,fun,1200000000")
    if table == "movies":
        newer = place == -1
    counts, ignored = (again, stood) if newer else (stood, again)
    result = load(source)
    assert (result.lines_rejected, result.total("ignored")) == (0, 1)
    assert result.counts[table].ignored == 1
    ((number, text, reason),) = rows(
        database, "SELECT line_number, raw_text, reason FROM operational.rejected_lines"
    )
    assert (number, text) == (lines.index(ignored) + 1, ignored)
    assert reason == f"not the newest: {key} as in line {lines.index(counts) + 1}"
    load(write(source, **{table: "\n".join(line for line in lines if line != ignored)}))
    assert rows(database, "SELECT changed_months FROM operational.ingests")[1] == ([],)


@pytest.mark.parametrize("table", ["movies", "ratings", "tags"])
def test_of_equal_lines_one_stays_and_the_others_are_rejected(load, database, tmp_path, table):
    source = deliver(tmp_path / "in")
    lines = (source / f"{table}.csv").read_text().splitlines()
    with (source / f"{table}.csv").open("a") as file:
        file.write(lines[1] + "\n")
    result = load(source)
    assert (result.lines_loaded, result.lines_rejected, result.total("ignored")) == (7, 1, 0)
    ((number, reason),) = rows(
        database, "SELECT line_number, reason FROM operational.rejected_lines"
    )
    first, last = 2, len(lines) + 1
    stays, goes = (last, first) if table == "movies" else (first, last)
    assert number == goes
    assert reason.startswith("duplicate key: ") and reason.endswith(f" as in line {stays}")


def test_ids_beyond_32_bits_that_would_collide_when_packed_are_no_duplicates(load, tmp_path):
    movies = MOVIES + f"{2**33},Big (2000),Drama\n"
    ratings = RATINGS + f"4,1,4.0,964982703\n3,{2**33},4.0,964982703\n7,1,3.0,964982703\n"
    assert load(deliver(tmp_path / "in", movies=movies, ratings=ratings)).lines_rejected == 0


def test_ratings_of_a_rejected_movie_tell_which_line_cost_them(load, database, tmp_path):
    movies = MOVIES.replace("1,Toy Story (1995)", "1,")
    result = load(deliver(tmp_path / "in", movies=movies))
    reasons = rows(database, "SELECT file, reason FROM operational.rejected_lines ORDER BY ALL")
    unknown = "unknown movie: 1, rejected at movies.csv:2 (empty title)"
    assert reasons == [
        ("movies.csv", "empty title"),
        ("ratings.csv", unknown),
        ("ratings.csv", unknown),
        ("tags.csv", unknown),
    ]
    assert result.lines_loaded == 3
    told = "empty title (1, the first at movies.csv:2; 3 more are about movies that it cost)"
    assert result.reasons == told


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


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("964982703.0", 964982703),
        ("9.64982703e+08", 964982703),
        ("964982703.25", 964982703.25),
        ("2000-07-30 18:45:03", 964982703),
        ('"2000-07-30T18:45:03Z"', 964982703),
        ("2000-07-30 18:45:03 UTC", 964982703),
        ("2000-07-30 20:45:03+02:00", 964982703),
        ("2000-07-30 18:45:03.250000", 964982703.25),
        ("2000-07-30", 964915200),
    ],
)
def test_a_time_that_can_be_meant_in_one_way_is_read(load, database, tmp_path, text, second):
    ratings = f"{RATINGS}3.0,1e0,4,{text}\n"
    assert load(deliver(tmp_path / "in", ratings=ratings)).lines_rejected == 0
    query = "SELECT movieId, epoch(timestamp) FROM operational.ratings WHERE userId = 3"
    assert rows(database, query) == [(1, second)]


def test_a_line_break_in_quotes_becomes_a_blank(load, database, tmp_path):
    movies = MOVIES + '3,"Broken\nin\ntwo (1999)",Drama\n4,"Open (1999),Drama\n5,Whole (1999),War\n'
    tags = (TAGS + '1,1,"so\nmuch ""fun""",964982703\n').replace("\n", "\r\n")
    result = load(deliver(tmp_path / "in", movies=movies, tags=tags))
    titles = "SELECT movieId, title FROM operational.movies WHERE movieId > 2 ORDER BY ALL"
    assert rows(database, titles) == [(3, "Broken in two (1999)"), (5, "Whole (1999)")]
    assert ('so much "fun"',) in rows(database, "SELECT tag FROM operational.tags")
    assert (result.counts["movies"].read, result.counts["tags"].read) == (5, 3)
    assert rows(database, "SELECT line_number, raw_text FROM operational.rejected_lines") == [
        (7, '4,"Open (1999),Drama')
    ]


def test_a_rejected_record_of_several_lines_is_kept_whole(load, database, tmp_path):
    source = deliver(tmp_path / "in", tags=TAGS + '9,1,"a\nb",964982703\n9,77,"c\nd",964982703\n')
    assert load(source).lines_rejected == 1
    assert rows(database, "SELECT line_number, raw_text FROM operational.rejected_lines") == [
        (6, '9,77,"c\nd",964982703')
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_break_in_quotes_between_two_blocks_is_read(
    load, database, tmp_path, end, monkeypatch
):
    monkeypatch.setattr("mesh.movielens.ingest.prepare.BLOCK", 64)
    lines = [f'{user},1,"a{"x" * (user % 7)}{end}b",964982703' for user in range(10, 60)]
    result = load(deliver(tmp_path / "in", tags=end.join([HEADERS["tags"], *lines, ""])))
    assert (result.counts["tags"].loaded, result.lines_rejected) == (50, 0)
    last = "SELECT tag FROM operational.tags WHERE userId = 58"
    assert rows(database, last) == [("axx b",)]


def test_text_is_loaded_as_it_stands(load, database, tmp_path):
    titles = ['He said "no" (2001)', "NULL", "¡Átame! 座頭市,\u3000the", "'", "=1+1", "1999"]
    titles += ["\u00a0\u0085Blanks (1999) \u200b\ufeff", "con\rtrol\x1f\u2028 characters", "(1995)"]
    movies = HEADERS["movies"] + "\n1,A,Drama\n2,B,(no genres listed)\n"
    for number, title in enumerate(titles, start=10):
        movies += f'{number},"{title.replace(chr(34), chr(34) * 2)}",Drama\n'
    assert load(deliver(tmp_path / "in", movies=movies)).lines_rejected == 0
    found = rows(
        database, "SELECT title FROM operational.movies WHERE movieId > 9 ORDER BY movieId"
    )
    cleaned = [*titles[:6], "Blanks (1999)", "con trol  characters", "(1995)"]
    assert [title for (title,) in found] == cleaned


def test_a_tag_moves_no_cursor_and_breaks_no_line(load, database, tmp_path):
    """It is shown in terminals, too."""
    lines = ["9,1,\x1b[31mred\x1b]0;mine\x07,964982703", '9,2,"two\r\nlines \u2028",964982703']
    load(deliver(tmp_path / "in", tags="\n".join([HEADERS["tags"], *lines, ""])))
    found = rows(database, "SELECT tag FROM operational.tags WHERE userId = 9 ORDER BY movieId")
    assert found == [(" [31mred ]0;mine ",), ("two lines  ",)]


def test_blanks_are_the_same_in_python_and_in_the_database():
    from mesh.movielens.ingest.rules import BLANK, BLANK_KINDS

    codes = "SELECT unnest(range(1, 65536)) AS code"
    query = f"SELECT list(code) FROM ({codes}) WHERE code NOT BETWEEN 55296 AND 57343 "
    with duckdb.connect() as connection:
        (found,) = connection.execute(
            f"{query} AND regexp_matches(chr(code::INTEGER), '{BLANK}')"
        ).fetchone()
    kinds = {code: unicodedata.category(chr(code)) for code in range(1, 65536)}
    assert sorted(found) == [code for code, kind in kinds.items() if kind in BLANK_KINDS]


def test_seconds_become_instants_in_utc(load, database, tmp_path):
    load(deliver(tmp_path / "in"))
    (found,) = rows(database, "SELECT timestamp FROM operational.ratings WHERE userId = 2")
    assert found[0] == datetime(2004, 11, 9, 11, 33, 20, tzinfo=UTC)


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
