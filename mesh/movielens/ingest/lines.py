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
from datetime import UTC, datetime
from decimal import Decimal

from mesh.movielens.ingest import rules
from mesh.movielens.ingest.schema import MOVIES, RATINGS, TAGS, Table

LONGEST_LINE = 1 << 20
EMPTY_LINE = "empty line"
UNIX = "\n"
WINDOWS = "\r\n"

# A plain line needs at most 18 digits for an id, so that it fits 64 bits without looking, and its
# texts are so short that it is no longer than LONGEST_LINE.
_ID = rb"[1-9][0-9]{0,17}"
_SECONDS = rb"[0-9]{1,11}"
_RATING = "|".join(str(stars).replace(".", r"\.") for stars in rules.STARS).encode()


def _plain_lines(table: Table, beyond_ascii: bool, line_end: str) -> re.Pattern[bytes]:
    text = rb'[^",\n\r\x00' + (rb"" if beyond_ascii else rb"\x80-\xff") + rb"]{1,500000}+"
    fields = {
        MOVIES.name: (_ID, text, text),
        RATINGS.name: (_ID, _ID, rb"(?:" + _RATING + rb")", _SECONDS),
        TAGS.name: (_ID, _ID, text, _SECONDS),
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


def plain_form(table: Table, raw: bytes) -> bytes:
    """The line in canonical form, line end included. Raises Fault when it has to be rejected.

    raw: one line without its line end.
    """
    fields = _split(_decoded(raw))
    expected = len(table.columns)
    if len(fields) != expected:
        hint = " (a comma inside a title needs quotes around it)" if table is MOVIES else ""
        raise Fault(f"wrong number of fields: {len(fields)} instead of {expected}{hint}")
    readers = _READERS[table.name]
    values = [
        reader(name, value)
        for name, value, reader in zip(table.column_names, fields, readers, strict=True)
    ]
    return ",".join(values).encode() + b"\n"


def _decoded(raw: bytes) -> str:
    if not raw.strip():
        raise Fault(EMPTY_LINE)
    if len(raw) > LONGEST_LINE:
        raise Fault(f"line too long: {len(raw)} bytes, at most {LONGEST_LINE} are read")
    if b"\0" in raw:
        raise Fault(rules.NUL_BYTE)
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


_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?")
_AS_WRITTEN = frozenset(map(str, rules.STARS))
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T].*)?")


def _unreadable(kind: str, name: str, value: str) -> Fault:
    return Fault(f"{kind}: {name} {_short(value)}, {rules.EXPECTED[name]}")


def _number(name: str, value: str) -> Decimal:
    text = value.strip(" \t")
    if not _NUMBER.fullmatch(text):
        raise _unreadable(rules.UNREADABLE_NUMBER, name, value)
    return Decimal(text)


def _id(name: str, value: str) -> str:
    if value.isascii() and value.isdigit() and value[0] != "0" and len(value) < 19:
        return value
    number = _number(name, value)
    if number < 0:
        raise Fault(f"{rules.NUMBER_OUTSIDE}: {name} {_short(value)} is negative")
    if number > rules.LARGEST_INTEGER:
        raise Fault(f"{rules.NUMBER_OUTSIDE}: {name} {_short(value)} needs more than 64 bits")
    if number != int(number):
        raise _unreadable(rules.UNREADABLE_NUMBER, name, value)
    if number < rules.SMALLEST_ID:
        raise Fault(
            f"{rules.NUMBER_OUTSIDE}: {name} {_short(value)} is less than {rules.SMALLEST_ID}"
        )
    return str(int(number))


def _seconds(name: str, value: str) -> str:
    """Seconds since 1970, from these or from a time in ISO 8601, which is in UTC unless it says
    otherwise. Whether they are in range is looked at in all rows later, if they are numbers."""
    text = value.strip(" \t")
    if _TIME.fullmatch(text):
        try:
            time = datetime.fromisoformat(text.removesuffix(" UTC"))
            seconds = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            raise _unreadable(rules.UNREADABLE_TIME, name, value) from None
        return f"{seconds:.6f}"
    if not _NUMBER.fullmatch(text):
        raise _unreadable(rules.UNREADABLE_TIME, name, value)
    number = Decimal(text)
    if not 0 <= number <= rules.LARGEST_SECOND:
        raise Fault(f"{rules.TIME_OUTSIDE}: {_short(value)}, {rules.EXPECTED[name]}")
    return f"{number:f}"


def _rating(name: str, value: str) -> str:
    if value in _AS_WRITTEN:
        return value
    stars = _number(name, value)
    if not rules.STARS[0] <= stars <= rules.STARS[-1]:
        raise Fault(f"{rules.RATING_OUTSIDE}: {_short(value)}")
    if stars not in rules.STARS:
        raise Fault(f"{rules.RATING_BETWEEN_STEPS}: {_short(value)}")
    return str(float(stars))


def _text(_name: str, value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


_READERS: dict[str, tuple[Callable[[str, str], str], ...]] = {
    MOVIES.name: (_id, _text, _text),
    RATINGS.name: (_id, _id, _rating, _seconds),
    TAGS.name: (_id, _id, _text, _seconds),
}
