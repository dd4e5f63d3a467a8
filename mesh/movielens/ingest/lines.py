"""What a line of a MovieLens file must look like: the one place that decides.

One physical line is one record, always: an unclosed quote costs its own line and no other. Most
lines are *plain* (no quotes, digits where digits belong) and are recognised many at a time by one
regular expression; every other line is taken apart here, and is either put into plain form or
rejected with a reason in words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from mesh.movielens.ingest.rules import (
    EMPTY_GENRE,
    FIRST_SECOND,
    LARGEST_INTEGER,
    MOST_CHARACTERS,
    NUL_BYTE,
    NUMBER_OUTSIDE,
    RATING_BETWEEN_STEPS,
    RATING_OUTSIDE,
    SMALLEST_ID,
    STARS,
    TIME_OUTSIDE,
    UNREADABLE_NUMBER,
)
from mesh.movielens.ingest.schema import MOVIES, RATINGS, TAGS, Table

LONGEST_LINE = 1 << 20
EMPTY_LINE = "empty line"
UNIX = "\n"
WINDOWS = "\r\n"

# A plain line needs at most 18 digits for an id, so that it fits 64 bits without looking.
_ID = rb"[1-9][0-9]{0,17}"
_SECONDS = rb"[0-9]{1,11}"
_RATING = "|".join(str(stars).replace(".", r"\.") for stars in STARS).encode()


def _plain_text(most: int, beyond_ascii: bool) -> bytes:
    """A field without quotes, not blank, of at most so many bytes."""
    allowed = rb'[^",\n\r\x00]' if beyond_ascii else rb'[^",\n\r\x00\x80-\xff]'
    # Something visible other than a comma or a quote must be in it.
    return rb"(?=[^\",\n]*[!#-+\--~])" + allowed + rb"{1,%d}+" % most


def _plain_genres(beyond_ascii: bool) -> bytes:
    """Genres with bars between them, each starting with something visible."""
    allowed = rb'[^"|,\n\r\x00]' if beyond_ascii else rb'[^"|,\n\r\x00\x80-\xff]'
    genre = rb"[!#-+\--{}~]" + allowed + rb"{0,100}+"
    return genre + rb"(?:\|" + genre + rb"){0,100}+"


def _plain_lines(table: Table, beyond_ascii: bool, line_end: str) -> re.Pattern[bytes]:
    title, tag = (_plain_text(MOST_CHARACTERS[name], beyond_ascii) for name in ("title", "tag"))
    fields = {
        MOVIES.name: (_ID, title, _plain_genres(beyond_ascii)),
        RATINGS.name: (_ID, _ID, rb"(?:" + _RATING + rb")", _SECONDS),
        TAGS.name: (_ID, _ID, tag, _SECONDS),
    }[table.name]
    return re.compile(rb"(?:" + rb",".join(fields) + line_end.encode() + rb")++")


# By table, whether text beyond ASCII is allowed, and line end: any number of plain lines.
PLAIN = {
    (table.name, beyond_ascii, line_end): _plain_lines(table, beyond_ascii, line_end)
    for table in (MOVIES, RATINGS, TAGS)
    for beyond_ascii in (True, False)
    for line_end in (UNIX, WINDOWS)
}


@dataclass(frozen=True)
class Fault(Exception):
    """Why a line is rejected: '<kind>: <detail>'. Kinds are stable, details show the value."""

    reason: str


def readable(raw: bytes) -> str:
    """The line as text that a person can read and that can be turned back: bytes that are not
    UTF-8, and NUL, become escapes such as `\\xff`."""
    return raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def plain_form(table: Table, raw: bytes, now: int) -> bytes:
    """The line in canonical form, line end included. Raises Fault when it has to be rejected.

    raw: one line without its line end. now: epoch seconds, the latest timestamp accepted.
    """
    fields = _split(_decoded(raw))
    expected = len(table.columns)
    if len(fields) != expected:
        hint = " (a comma inside a title needs quotes around it)" if table is MOVIES else ""
        raise Fault(f"wrong number of fields: {len(fields)} instead of {expected}{hint}")
    readers = _READERS[table.name]
    values = [
        reader(name, value, now)
        for name, value, reader in zip(table.column_names, fields, readers, strict=True)
    ]
    return ",".join(values).encode() + b"\n"


def _decoded(raw: bytes) -> str:
    if not raw.strip():
        raise Fault(EMPTY_LINE)
    if len(raw) > LONGEST_LINE:
        raise Fault(f"line too long: {len(raw)} bytes, at most {LONGEST_LINE} are read")
    if b"\0" in raw:
        raise Fault(NUL_BYTE)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Fault(
            f"bytes that are not UTF-8: \\x{raw[error.start]:02x} at byte {error.start + 1}"
        ) from None


_FIELD = re.compile(r'(?:"((?:[^"]|"")*+)"|([^",]*+))(,|\Z)')


def _split(text: str) -> list[str]:
    """The fields of one CSV record, strictly as RFC 4180 has it."""
    if '"' not in text:
        return text.split(",")
    fields: list[str] = []
    position = 0
    while True:
        match = _FIELD.match(text, position)
        if match is None:
            raise Fault(f"broken quotes: in field {len(fields) + 1}")
        quoted, bare, end = match.groups()
        fields.append(bare if quoted is None else quoted.replace('""', '"'))
        position = match.end()
        if not end:
            return fields


def _short(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:37] + "...")


_WHOLE = re.compile(r"(-?)0*([0-9]+)")
_DECIMAL = re.compile(r"(-?)0*([0-9]*)(?:\.([0-9]*))?")


def _whole(name: str, value: str) -> str:
    """The digits of a whole number without leading zeros; its sign in front."""
    match = _WHOLE.fullmatch(value.strip(" \t"))
    if match is None:
        raise Fault(f"{UNREADABLE_NUMBER}: {name} {_short(value)}")
    return match[1] + match[2]


def _id(name: str, value: str, _now: int) -> str:
    digits = _whole(name, value)
    if digits.startswith("-"):
        raise Fault(f"{NUMBER_OUTSIDE}: {name} {_short(value)} is negative")
    if len(digits) > 19 or int(digits) > LARGEST_INTEGER:
        raise Fault(f"{NUMBER_OUTSIDE}: {name} {_short(value)} needs more than 64 bits")
    if int(digits) < SMALLEST_ID:
        raise Fault(f"{NUMBER_OUTSIDE}: {name} {_short(value)} is less than {SMALLEST_ID}")
    return digits


def _seconds(name: str, value: str, now: int) -> str:
    digits = _whole(name, value)
    if digits.startswith("-") or len(digits) > 11 or not FIRST_SECOND <= int(digits) <= now:
        raise Fault(f"{TIME_OUTSIDE}: {_short(value)}")
    return digits


def _rating(name: str, value: str, _now: int) -> str:
    match = _DECIMAL.fullmatch(value.strip(" \t"))
    if match is None or not (match[2] or match[3] or "0" in value):
        raise Fault(f"{UNREADABLE_NUMBER}: {name} {_short(value)}")
    stars = Decimal(f"{match[1]}{match[2] or 0}.{match[3] or 0}")
    if not STARS[0] <= stars <= STARS[-1]:
        raise Fault(f"{RATING_OUTSIDE}: {_short(value)}")
    if stars not in STARS:
        raise Fault(f"{RATING_BETWEEN_STEPS}: {_short(value)}")
    return str(float(stars))


def _text(name: str, value: str, _now: int) -> str:
    if not value.strip():
        raise Fault(f"empty {name}")
    most = MOST_CHARACTERS.get(name, len(value))
    if len(value) > most:
        raise Fault(f"{name} too long: {len(value)} characters, at most {most}")
    return '"' + value.replace('"', '""') + '"'


def _genres(name: str, value: str, now: int) -> str:
    text = _text(name, value, now)
    if not all(genre.strip() for genre in value.split("|")):
        raise Fault(f"{EMPTY_GENRE}: in {_short(value)}")
    return text


_READERS: dict[str, tuple[Callable[[str, str, int], str], ...]] = {
    MOVIES.name: (_id, _text, _genres),
    RATINGS.name: (_id, _id, _rating, _seconds),
    TAGS.name: (_id, _id, _text, _seconds),
}
