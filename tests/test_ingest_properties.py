"""`mesh ingest`: what holds for any delivery, however damaged."""

from __future__ import annotations

import csv
import os
import random
import re
import tempfile
import unicodedata
from fractions import Fraction
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh.errors import MeshError
from mesh.movielens.ingest import ingest
from tests.deliveries import HEADERS, NOW, tables, write

MUTANTS = int(os.environ.get("MESH_MUTANTS", "60"))
SMALL = {
    "movies": b'movieId,title,genres\n1,Toy Story (1995),Animation|Comedy\n2,"Heat, The (1995)",'
    b'Crime\n3,"""Quoted"" (2001)",Drama\n10,Cit\xc3\xa9 (1995),(no genres listed)\n',
    "ratings": b"userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,2,3.5,1000000000\n"
    b"2,1,0.5,1100000000\n2,10,5.0,1100000001\n12,3,2.5,1200000000\n",
    "tags": b'userId,movieId,tag,timestamp\n1,1,fun,964982703\n2,2,"slow, but good",1000000000\n'
    b'3,10,"""art""",1300000000\n4,1,\xe5\xba\xa7\xe9\xa0\xad,1400000000\n',
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
