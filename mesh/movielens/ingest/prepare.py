"""Reads a CSV file once, line by line in effect, and says which lines are good.

The outcome is a file that DuckDB can read without a doubt: the original when every line is plain,
else a copy with the odd lines in canonical form and the rejected ones left out. Rejected lines are
handed on with their line number and text.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mesh.errors import Location, WrongUse
from mesh.movielens.ingest.lines import (
    EMPTY_LINE,
    PLAIN,
    UNIX,
    WINDOWS,
    Fault,
    plain_form,
    readable,
)
from mesh.movielens.ingest.progress import Observer, Step
from mesh.movielens.ingest.schema import Table
from mesh.movielens.ingest.source import LONGEST_HEADER

BLOCK = 1 << 22
LONGEST_KEPT = 1 << 24
FIRST_DATA_LINE = 2
# Of how many lines a record may be made of whose text has line breaks in quotes.
MOST_JOINED = 16

Reject = Callable[[int, str, str], None]


@dataclass(frozen=True)
class Prepared:
    """A CSV file that is ready to load.

    path: the file to read, whose first `skip` lines are no data, and whose lines end in `line_end`.
    lines: data lines of the original, blank ones included. left_out: numbers of the lines of the
    original that are not in `path`, ascending. empty_lines: how many of those hold nothing at all.
    joined: how many lines belong to the one that begins at a line, where that is more than one.
    """

    path: Path
    skip: int
    line_end: str
    lines: int
    left_out: np.ndarray
    empty_lines: int
    joined: dict[int, int]

    @property
    def records(self) -> int:
        """How many lines there are, if what belongs to one counts as one."""
        return self.lines - sum(count - 1 for count in self.joined.values())


def prepare_csv(
    path: Path,
    table: Table,
    *,
    shown: Path,
    copy: Path,
    reject: Reject,
    observer: Observer,
    differs: Callable[[], None] = lambda: None,
) -> Prepared:
    """Check every line of `path`; write `copy` only when DuckDB cannot read the original as is.

    shown: what the user calls the file. reject: is told line number, text and reason of every line
    that cannot be loaded. differs: is called once, before anything is rejected, when the original
    cannot be loaded as it is.
    """
    with _Writer(path, copy, differs) as writer:
        work = _Checker(table, writer, reject, line_end_of(path))
        size = path.stat().st_size
        seen = 0
        rest = b""
        for block in chain(blocks_of_lines(path, shown), [b""]):
            rest = work.check(rest + block, last=not block)
            seen += len(block)
            observer(Step(f"reading {shown.name}", seen / size, work.line_number))
    return Prepared(
        path=copy if writer.started else path,
        skip=0 if writer.started else 1,
        line_end=UNIX if writer.started else work.line_end,
        lines=work.line_number - FIRST_DATA_LINE,
        left_out=np.array(work.left_out, dtype=np.int64),
        empty_lines=work.empty_lines,
        joined=work.joined,
    )


def blocks_of_lines(path: Path, shown: Path) -> Iterator[bytes]:
    """Blocks of whole lines after the header, in file order, each line ending in a line feed
    (Windows' carriage return taken off, a missing last line end put on)."""
    rest = b""
    header = True
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            block = rest + block
            cut = block.rfind(b"\n") + 1
            rest = block[cut:]
            if len(rest) > LONGEST_KEPT:
                raise WrongUse(
                    f"a line is longer than {LONGEST_KEPT:,} bytes, so this is no MovieLens file.",
                    where=Location(shown),
                    fix="Export it again with one record per line.",
                )
            if not cut:
                continue
            start = block.index(b"\n") + 1 if header else 0
            header = False
            if start < cut:
                yield block[start:cut]
    if rest and not header:
        yield rest + b"\n"


def line_end_of(path: Path) -> str:
    """The line end of the header, which is nearly always that of the whole file."""
    with path.open("rb") as file:
        header = file.readline(LONGEST_HEADER)
        file.seek(-1, os.SEEK_END)
        # A file that is cut off inside its last line end is none of either kind.
        return WINDOWS if header.endswith(b"\r\n") and file.read(1) != b"\r" else UNIX


class _Writer:
    """Writes the copy, from the first moment at which it has to differ from the original."""

    def __init__(self, original: Path, copy: Path, differs: Callable[[], None]) -> None:
        self.original = original
        self.differs = differs
        self.copy = copy
        self.file: BinaryIO | None = None
        self.same_bytes = 0

    @property
    def started(self) -> bool:
        return self.file is not None

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        if self.file:
            self.file.close()

    def keep(self, lines: memoryview) -> None:
        """Lines that are the same in the copy."""
        if self.file:
            self.file.write(lines)
        else:
            self.same_bytes += len(lines)

    def differ(self) -> BinaryIO:
        """From here on the copy is another: write all that was the same so far."""
        if self.file is None:
            self.differs()
            self.file = self.copy.open("wb", buffering=1 << 20)
            self._write_same()
        return self.file

    def _write_same(self) -> None:
        left = self.same_bytes
        rest = b""
        assert self.file
        with self.original.open("rb") as original:
            original.readline()
            while left and (block := original.read(min(left, BLOCK))):
                left -= len(block)
                block = rest + block
                rest = b"\r" if block.endswith(b"\r") else b""
                self.file.write(block.removesuffix(b"\r").replace(b"\r\n", b"\n"))


class _Checker:
    def __init__(self, table: Table, writer: _Writer, reject: Reject, line_end: str) -> None:
        self.table = table
        self.line_end = line_end
        self.writer = writer
        self.reject = reject
        self.line_number = FIRST_DATA_LINE
        self.left_out = array("q")
        self.empty_lines = 0
        self.joined: dict[int, int] = {}

    def check(self, block: bytes, *, last: bool) -> bytes:
        """Check one block of whole lines; what is left of it goes in front of the next one."""
        beyond_ascii = _is_utf8(block)
        if self.line_end == WINDOWS:
            match = PLAIN[self.table.name, beyond_ascii, WINDOWS].match(block)
            if not block or (match and match.end() == len(block)):
                self.line_number += block.count(b"\n")
                self.writer.keep(memoryview(block))
                return b""
            # From here on, the copy has bare line feeds.
            self.line_end = UNIX
            self.writer.differ()
        if b"\r" in block:
            self.writer.differ()
            block = block.replace(b"\r\n", b"\n")
        plain = PLAIN[self.table.name, beyond_ascii, UNIX]
        view = memoryview(block)
        position = 0
        while position < len(block):
            if match := plain.match(block, position):
                self.line_number += block.count(b"\n", position, match.end())
                self.writer.keep(view[position : match.end()])
                position = match.end()
                continue
            lines = self._record(block, position)
            if lines is None and not last:
                return block[position:]
            for line in lines or [block[position : block.index(b"\n", position)]]:
                position += len(line) + 1
            self._odd_line(lines or [line])
        return b""

    def _record(self, block: bytes, start: int) -> list[bytes] | None:
        """The lines of the record that starts there: more than one when a quote opens in the first,
        closes in the last, all together are a record and none of the others is one by itself. None
        when the end of the block comes before that is known."""
        lines: list[bytes] = []
        for _ in range(MOST_JOINED):
            if start == len(block):
                return None
            lines.append(block[start : block.index(b"\n", start)])
            start += len(lines[-1]) + 1
            is_open = lines[-1].count(b'"') % 2
            if len(lines) == 1 and is_open:
                continue
            if len(lines) == 1 or self._plain(lines[-1]):
                break
            if is_open:
                return lines if self._plain(b" ".join(lines)) else lines[:1]
        return lines[:1]

    def _plain(self, raw: bytes) -> bytes | None:
        try:
            return plain_form(self.table, raw)
        except Fault:
            return None

    def _odd_line(self, lines: list[bytes]) -> None:
        copy = self.writer.differ()
        raw = b" ".join(lines)
        try:
            copy.write(plain_form(self.table, raw))
        except Fault as fault:
            self.left_out.append(self.line_number)
            self.empty_lines += fault.reason == EMPTY_LINE
            self.reject(self.line_number, readable(raw), fault.reason)
        if len(lines) > 1:
            self.joined[self.line_number] = len(lines)
            self.left_out.extend(range(self.line_number + 1, self.line_number + len(lines)))
        self.line_number += len(lines)


def _is_utf8(block: bytes) -> bool:
    if block.isascii():
        return True
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def texts_of_lines(
    path: Path, shown: Path, wanted: np.ndarray, joined: Mapping[int, int]
) -> Iterator[str]:
    """The text of the lines with the given numbers, ascending, in one pass over the file.

    joined: how many lines belong to the one that begins at a line, where that is more than one.
    """
    if also := [line + more for line, count in joined.items() for more in range(1, count)]:
        every = np.union1d(wanted, also)
        texts = dict(zip(every.tolist(), texts_of_lines(path, shown, every, {}), strict=True))
        for line in wanted.tolist():
            yield "\n".join(texts[line + more] for more in range(joined.get(line, 1)))
        return
    first = FIRST_DATA_LINE
    for block in blocks_of_lines(path, shown):
        ends = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == 10)
        low, high = np.searchsorted(wanted, (first, first + len(ends)))
        for index in wanted[low:high] - first:
            start = 0 if index == 0 else int(ends[index - 1]) + 1
            raw = block[start : int(ends[index])]
            yield readable(raw.removesuffix(b"\r"))
        first += len(ends)
