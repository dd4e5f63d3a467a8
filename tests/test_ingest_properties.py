"""`mesh ingest`: what holds for any delivery, however damaged, and at any moment of a crash."""

from __future__ import annotations

import csv
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import unicodedata
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh.errors import MeshError
from mesh.movielens.ingest import ingest
from tests.deliveries import HEADERS, NOW, newest, write

MUTANTS = int(os.environ.get("MESH_MUTANTS", "60"))
SMALL = {
    "movies": b'movieId,title,genres\n1,Toy Story (1995),Animation|Comedy\n2,"Heat, The (1995)",'
    b'Crime\n3,"""Quoted"" (2001)",Drama\n10,Cit\xc3\xa9 (1995),(no genres listed)\n',
    "ratings": b"userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,2,3.5,1000000000\n"
    b"2,1,0.5,1100000000\n2,10,5.0,1100000001\n12,3,2.5,1200000000\n",
    "tags": b'userId,movieId,tag,timestamp\n1,1,fun,964982703\n2,2,"slow, but good",1000000000\n'
    b'3,10,"""art""",1300000000\n4,1,\xe5\xba\xa7\xe9\xa0\xad,1400000000\n',
}


def tables(database: Path) -> dict[str, list[tuple]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return {
            "movies": connection.execute("FROM operational.movies ORDER BY ALL").fetchall(),
            **{
                name: connection.execute(
                    f"SELECT * REPLACE (epoch(timestamp)::BIGINT AS timestamp) "
                    f"FROM operational.{name} ORDER BY ALL"
                ).fetchall()
                for name in ("ratings", "tags")
            },
            "rejected": connection.execute(
                "SELECT file, line_number, raw_text FROM operational.rejected_lines "
                "WHERE ingest_id = (SELECT max(ingest_id) FROM operational.ingests) ORDER BY ALL"
            ).fetchall(),
        }


# --- an oracle: the same rules, one line at a time, with nothing of the real thing in it ---


def physical_lines(data: bytes) -> list[bytes]:
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines[1:]]


def number(text: str) -> int:
    text = text.strip(" \t")
    if not re.fullmatch(r"[0-9]{1,100}(\.[0-9]*)?(e[-+]?[0-9]{1,2})?", text, re.I):
        raise ValueError
    value = Fraction(text.removesuffix("."))
    if value.denominator != 1 or not 0 < value < 2**63:
        raise ValueError
    return int(value)


def stars(text: str) -> float:
    text = text.strip(" \t")
    if not re.fullmatch(r"([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[-+]?[0-9]{1,2})?", text, re.I):
        raise ValueError
    value = float(text)
    if value * 2 not in range(1, 11):
        raise ValueError
    return value


def seconds(text: str) -> int:
    text = text.strip(" \t")
    if not re.fullmatch(r"([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[-+]?[0-9]{1,2})?", text, re.I):
        raise ValueError
    value = float(text)
    if not 788918400 <= value <= NOW.timestamp():
        raise ValueError
    return round(value)


def blank(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Cc", "Zs", "Zl", "Zp") or character in "\u200b\ufeff"
    )


def stripped(text: str) -> str:
    while text and blank(text[0]):
        text = text[1:]
    while text and blank(text[-1]):
        text = text[:-1]
    return text


def words(text: str) -> str:
    if not stripped(text):
        raise ValueError
    return text


def tag(text: str) -> str:
    breaks = ("Cc", "Zl", "Zp")
    marked = "".join("\n" if unicodedata.category(c) in breaks else c for c in words(text))
    return re.sub("\n+", " ", marked)


def title(text: str) -> str:
    return tag(stripped(words(text)))


def genres(text: str) -> str:
    none = ("", "-", "(no genres listed)")
    found = [stripped(genre) for genre in text.split("|")]
    return "|".join(dict.fromkeys(g for g in found if g.lower() not in none)) or none[-1]


READERS = {
    "movies": (number, title, genres),
    "ratings": (number, number, stars, seconds),
    "tags": (number, number, tag, seconds),
}
KEY_LENGTH = {"movies": 1, "ratings": 2, "tags": 3}


def fields(raw: bytes) -> list[str]:
    text = raw.decode()
    if "\0" in text:
        raise ValueError
    if '"' not in text:
        return text.split(",")
    # The csv module takes a carriage return for a line end: give it another character.
    row = next(csv.reader([text.replace("\r", "\ue000")], strict=True))
    quoted = quotes_of(text, len(row))
    if any('"' in field and not marked for field, marked in zip(row, quoted, strict=True)):
        raise ValueError
    again = ",".join(
        f'"{field.replace(chr(34), chr(34) * 2)}"' if marked else field
        for field, marked in zip(row, quoted, strict=True)
    )
    if again != text.replace("\r", "\ue000"):
        raise ValueError
    return [field.replace("\ue000", "\r") for field in row]


def quotes_of(text: str, count: int) -> list[bool]:
    """Which of the fields start with a quote."""
    starts, inside = [0], False
    for position, character in enumerate(text):
        if character == '"':
            inside = not inside
        elif character == "," and not inside:
            starts.append(position + 1)
    if len(starts) != count:
        raise ValueError
    return [text[start : start + 1] == '"' for start in starts]


def row_of(table: str, raw: bytes) -> tuple:
    texts = fields(raw)
    if len(texts) != len(READERS[table]):
        raise ValueError
    return tuple(read(text) for read, text in zip(READERS[table], texts, strict=True))


def alone(table: str, raw: bytes) -> bool:
    """Whether a line is a record, whatever its values mean: empty titles are found later."""
    try:
        texts = fields(raw)
        if len(texts) != len(READERS[table]):
            return False
        for read, text in zip(READERS[table], texts, strict=True):
            if read in (number, stars):
                read(text)
            if read is seconds and not 0 <= float(text) < 10**11:
                return False
    except (ValueError, csv.Error):
        return False
    return True


def records(table: str, data: bytes) -> list[tuple[int, list[bytes]]]:
    """Number and lines of each record: several where a quote is closed only further down."""
    lines = physical_lines(data)
    found, at = [], 0
    while at < len(lines):
        size = 1
        if lines[at].count(b'"') % 2:
            for more in range(2, 17):
                part = lines[at + 1 : at + more]
                if len(part) < more - 1 or alone(table, part[-1]):
                    break
                if part[-1].count(b'"') % 2:
                    size = more if alone(table, b" ".join(lines[at : at + more])) else 1
                    break
        found.append((at + 2, lines[at : at + size]))
        at += size
    return found


def newer(one: tuple, other: tuple) -> tuple:
    """The row that counts of two of one key, of which `other` came later."""
    if len(one) == 3:
        return other
    return max(one, other, key=lambda row: (row[-1], -row[2] if type(row[2]) is float else 0))


def expected(delivery: dict[str, bytes]) -> tuple[dict[str, dict], dict[str, list]]:
    """Rows by their keys, and the records that do not stay, by number; of one key the newest row
    does."""
    loaded: dict[str, dict] = {}
    rejected: dict[str, list] = {}
    for table in ("movies", "ratings", "tags"):
        loaded[table], rejected[table] = {}, []
        places: dict[tuple, tuple] = {}
        for line, parts in records(table, delivery[table]):
            try:
                row = row_of(table, b" ".join(parts))
                if table != "movies" and (row[1],) not in loaded["movies"]:
                    raise ValueError
                key = row[: KEY_LENGTH[table]]
                other = loaded[table].get(key)
                if other and newer(other, row) is other:
                    raise ValueError
                if other:
                    rejected[table].append(places[key])
                loaded[table][key], places[key] = row, (line, parts)
            except (ValueError, csv.Error):
                rejected[table].append((line, parts))
    return loaded, rejected


def check_against_oracle(delivery: dict[str, bytes], folder: Path, database: Path) -> bool:
    """Ingest; False when it was refused as a whole, which must then be by one of our errors."""
    source = write(folder, **delivery)
    try:
        result = ingest(source, database=database, now=NOW, max_rejected=1)
    except MeshError:
        return False
    if result.nothing_changed:
        return True
    loaded, rejected = expected(delivery)
    found = tables(database)
    for table in HEADERS:
        assert found[table] == sorted(loaded[table].values()), table
        counts = result.counts[table]
        assert counts.read == len(records(table, delivery[table]))
        assert counts.read == counts.loaded + counts.rejected + counts.ignored
        assert counts.loaded == len(loaded[table])
    assert found["rejected"] == sorted(
        (f"{table}.csv", line, "\n".join(map(as_text, parts)))
        for table, lines in rejected.items()
        for line, parts in lines
    )
    return True


def as_text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


INTERESTING = [
    *(character.encode() for character in "\",\n\r\0-.e 095|\\'\t\ufeff\u2028"),
    *(b'""', b"\r\n", b"\xff", b"\xc3"),
]


def mutate(data: bytes, chance: random.Random) -> bytes:
    """A few random edits after the header, where they are about lines."""
    start = data.index(b"\n") + 1
    head, body = data[:start], bytearray(data[start:])
    for _ in range(chance.randint(1, 4)):
        position = chance.randrange(len(body) + 1)
        match chance.randrange(5):
            case 0:
                body[position:position] = chance.choice(INTERESTING)
            case 1:
                del body[position : position + chance.randint(1, 3)]
            case 2:
                body[position : position + 1] = chance.choice(INTERESTING)
            case 3:
                body[position : position + 1] = bytes([chance.randrange(256)])
            case 4:
                end = position + chance.randint(1, 60)
                body[position:position] = body[position:end]
    return head + bytes(body)


def test_damaged_at_random_bytes_every_line_is_where_it_belongs(tmp_path):
    chance = random.Random(20)
    for number_of_mutant in range(MUTANTS):
        mutant = {name: mutate(data, chance) for name, data in SMALL.items()}
        try:
            check_against_oracle(mutant, tmp_path / "in", tmp_path / "mesh.duckdb")
        except Exception as error:
            raise AssertionError(f"mutant {number_of_mutant}: {mutant}") from error


def test_damaged_anywhere_also_in_headers_it_ends_in_a_sentence_or_in_order(tmp_path):
    chance = random.Random(21)
    refused = 0
    for _ in range(MUTANTS // 3):
        mutant = dict(SMALL)
        name = chance.choice(list(mutant))
        data = bytearray(mutant[name])
        for _ in range(chance.randint(1, 3)):
            position = chance.randrange(min(len(data), 60))
            data[position : position + 1] = chance.choice(INTERESTING)
        mutant[name] = bytes(data)
        try:
            ingest(write(tmp_path / "in", **mutant), database=tmp_path / "x.duckdb", now=NOW)
        except MeshError:
            refused += 1
    assert refused


awkward = st.text(
    alphabet=st.sampled_from(list("ab1,\"' .-\t\\é座\u2028\ufeff|;#")), min_size=0, max_size=8
)
raw_line = st.one_of(
    st.builds(
        "{},{},{},{}".format,
        st.integers(0, 4) | awkward,
        st.integers(1, 6) | awkward,
        st.sampled_from(["0.5", "4.0", "5", "3.7", "6", "", "4.00"]) | awkward,
        st.sampled_from([788918400, 788918399, 1577836800, 1577836801, 10**9, "", "x", 10**18]),
    ),
    awkward,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(lines=st.lists(raw_line, max_size=12), end=st.sampled_from(["\n", "\r\n"]))
def test_loaded_and_rejected_are_what_was_read(lines, end):
    text = end.join([HEADERS["ratings"], "1,1,4.0,964982703", *lines])
    tags = end.join([HEADERS["tags"], *lines])
    with tempfile.TemporaryDirectory() as folder:
        delivery = {**SMALL, "ratings": text.encode(), "tags": tags.encode()}
        assert check_against_oracle(delivery, Path(folder, "in"), Path(folder, "mesh.duckdb"))
        before = tables(Path(folder, "mesh.duckdb"))
        again = ingest(Path(folder, "in"), database=Path(folder, "mesh.duckdb"), now=NOW)
        assert again.nothing_changed
        assert tables(Path(folder, "mesh.duckdb")) == before


months = st.sampled_from([820454400 + 2678400 * month for month in range(0, 60, 7)])
ratings = st.dictionaries(
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.sampled_from([0.5, 3.0, 5.0]), months),
    min_size=1,
)
tags = st.dictionaries(
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from("xyz")), months
)
movies = st.dictionaries(st.integers(1, 3), st.sampled_from(["A", "B"]))
deliveries = st.lists(st.tuples(ratings, tags, movies), min_size=1, max_size=4)


def written(folder: Path, ratings: dict, tags: dict, movies: dict) -> Path:
    return write(
        folder,
        movies="\n".join([HEADERS["movies"], *(f"{m},{t},Drama" for m, t in movies.items())]),
        ratings="\n".join(
            [HEADERS["ratings"], *(f"{u},{m},{r},{s}" for (u, m), (r, s) in ratings.items())]
        ),
        tags="\n".join([HEADERS["tags"], *(f"{u},{m},{t},{s}" for (u, m, t), s in tags.items())]),
    )


def month(second: int) -> date:
    return datetime.fromtimestamp(second, UTC).date().replace(day=1)


def months_that_differ(before: list[tuple], after: list[tuple]) -> tuple[date, ...]:
    return tuple(sorted({month(row[-1]) for row in set(before) ^ set(after)}))


def movie_months(before: dict, after: dict) -> tuple[date, ...]:
    changed = {row[0] for row in set(before["movies"]) ^ set(after["movies"])}
    rated = before["ratings"] + after["ratings"]
    found = {month(row[-1]) for row in rated if row[1] in changed}
    return tuple(sorted(found | ({date(1970, 1, 1)} if changed else set())))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(deliveries=deliveries)
def test_deliveries_one_after_another_are_their_sum_and_name_the_months_they_changed(deliveries):
    first = {1: "A", 2: "A", 3: "A"}
    whole: tuple[dict, dict, dict] = ({}, {}, {})
    with tempfile.TemporaryDirectory() as folder:
        database, before = Path(folder, "mesh.duckdb"), None
        for position, (some_ratings, some_tags, some_movies) in enumerate(deliveries):
            if position == 0:
                some_movies = {**first, **some_movies}
            parts = (some_ratings, some_tags, some_movies)
            for all_rows, new in zip(whole, parts, strict=True):
                for key, value in new.items():
                    all_rows[key] = newest(all_rows.get(key), value)
            source = written(Path(folder, str(position)), *parts)
            result = ingest(source, database=database, now=NOW, append=position > 0)
            after = tables(database)
            if before is not None:
                for table in ("ratings", "tags"):
                    assert result.months[table] == months_that_differ(before[table], after[table])
                assert result.months["movies"] == movie_months(before, after)
            before = after
        # The same as one snapshot of the sum, in a new database and over the old one.
        source = written(Path(folder, "whole"), *whole)
        ingest(source, database=Path(folder, "new.duckdb"), now=NOW)
        found = tables(Path(folder, "new.duckdb"))
        assert {**found, "rejected": before["rejected"]} == before
        assert ingest(source, database=database, now=NOW).changed_months == ()
        # And back to the first delivery: a snapshot removes what it does not hold.
        result = ingest(Path(folder, "0"), database=database, now=NOW)
        after = tables(database)
        assert result.months["ratings"] == months_that_differ(before["ratings"], after["ratings"])
        assert result.months["tags"] == months_that_differ(before["tags"], after["tags"])
        assert result.months["movies"] == movie_months(before, after)


some_seconds = st.sampled_from([900000000, 900000001, 1200000000])
one_rating = st.tuples(
    st.integers(1, 2), st.integers(1, 2), st.sampled_from([0.5, 3.0, 5.0]), some_seconds
)
one_tag = st.tuples(st.integers(1, 2), st.integers(1, 2), st.sampled_from("xy"), some_seconds)


def with_lines(folder: Path, ratings: list[tuple], tags: list[tuple]) -> Path:
    lines = {"movies": [(1, "A", "Drama"), (2, "B", "Drama")], "ratings": ratings, "tags": tags}
    texts = {
        name: "\n".join([HEADERS[name], *(",".join(map(str, row)) for row in some)])
        for name, some in lines.items()
    }
    return write(folder, **texts)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    ratings=st.lists(st.tuples(one_rating, st.integers(0, 1)), min_size=3, max_size=12),
    tags=st.lists(st.tuples(one_tag, st.integers(0, 1)), min_size=2, max_size=9),
)
def test_however_rows_are_split_into_deliveries_and_ordered_the_same_tables_come_out(ratings, tags):
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole.duckdb")
        source = with_lines(Path(folder, "whole"), *([r for r, _ in s] for s in (ratings, tags)))
        ingest(source, database=whole, now=NOW, max_rejected=1)
        database = Path(folder, "mesh.duckdb")
        in_tables = {"ratings": 0, "tags": 0}
        for number in range(2):
            parts = [[row for row, part in some if part == number] for some in (ratings, tags)]
            source = with_lines(Path(folder, str(number)), *parts)
            result = ingest(source, database=database, now=NOW, append=True, max_rejected=1)
            found = tables(database)
            if result.nothing_changed:
                continue
            kept = len(found["rejected"])
            assert kept == sum(result.total(what) for what in ("rejected", "ignored", "replaced"))
            for name, part in zip(in_tables, parts, strict=True):
                counts = result.counts[name]
                assert counts.read == len(part)
                assert counts.read == counts.loaded + counts.rejected + counts.ignored
                # No row comes or goes uncounted; one that stood there just so is loaded again.
                assert in_tables[name] <= len(found[name])
                assert len(found[name]) <= in_tables[name] + counts.loaded - counts.replaced
                in_tables[name] = len(found[name])
        for name in ("movies", "ratings", "tags"):
            assert tables(database)[name] == tables(whole)[name]


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
        sources.append(write(folder / name, movies=movies, ratings=text, tags=SMALL["tags"][:29]))
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
