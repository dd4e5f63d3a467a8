"""Opens a delivery: a folder or a zip with the three files, as CSV or Parquet, and checks it.

What is wrong with the delivery as a whole (a file missing, a zip that is none, a header with
other columns) is found here, before any database is touched. What is wrong with single lines is
not: those are read, and kept as rejected lines.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import lzma
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path, PurePosixPath

from mesh.errors import Location, WrongUse
from mesh.files.scratch import scratch
from mesh.movielens import GENERATED_MARK
from mesh.movielens.ingest.schema import DELIVERED, TAGS, Table
from mesh.plain import one_line
from mesh.words import joined

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST_HEADER = 65_536
# Lines of numbers pack to a fourth or so; what unpacks to so many times its size is no delivery.
MOST_EXPANSION = 200
EXPANSION_MATTERS = 1 << 26
_DRIVE = re.compile(r"[A-Za-z]:")
KINDS = ("csv", "parquet")
# A copy of the 20M edition that goes round calls its files by the singular.
_TABLE_OF = {name: t.name for t in DELIVERED for name in (t.name, t.name.removesuffix("s"))}
# How far below a folder what somebody meant is looked for.
DEEPEST, MOST_NAMES = 4, 10_000
_GIVE = "Give a folder or a .zip with movies.csv, ratings.csv and tags.csv."
# Editions of MovieLens whose files are of another form, by files that only they have.
OTHER_EDITIONS = {
    "MovieLens 100K": ("u.data", "u.item", "u.user", "u1.base", "ua.base"),
    "MovieLens 1M": ("users.dat",),
    "MovieLens 10M": ("tags.dat", "split_ratings.sh"),
    "MovieLens 1M or 10M": ("ratings.dat", "movies.dat"),
}
# What Python's reader of zips says of damaged ones.
_DAMAGE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OverflowError,
    ValueError,
)


@dataclass(frozen=True)
class TableFiles:
    """The files of one table. `names` are what the user calls them, in the order of `paths`."""

    table: Table
    kind: str  # csv | parquet
    paths: tuple[Path, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Delivery:
    """A checked source: which files hold which table. generated: whether nothing of it is real."""

    source: str
    movies: TableFiles
    ratings: TableFiles
    tags: TableFiles
    generated: bool = False

    @property
    def files(self) -> tuple[TableFiles, TableFiles, TableFiles]:
        return self.movies, self.ratings, self.tags

    def checksum(self) -> str:
        """One SHA-256 over the contents of all files: the same in a folder or zipped.

        A file is known by its table, and the parts of one by their order: its name may be written
        in several ways.
        """
        whole = hashlib.sha256()
        for files in self.files:
            for path in files.paths:
                with path.open("rb", buffering=0) as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                whole.update(f"{files.table.name} {digest}\n".encode())
        return whole.hexdigest()


@contextmanager
def open_source(source: Path) -> Iterator[Delivery]:
    """Yield the delivery in `source`; a zip is unpacked to a folder that is gone afterwards.

    Raises WrongUse with one sentence about what is wrong with the source.
    """
    if not source.exists():
        raise WrongUse("there is no such file or folder.", where=Location(source), fix=_GIVE)
    if source.is_dir():
        yield _delivery_in(source, source)
    elif source.is_file():
        with scratch("mesh-ingest") as unpacked:
            others = _unpack(source, unpacked)
            yield _delivery_in(unpacked, source, others)
    else:
        raise WrongUse(
            "this is neither a file nor a folder, so nobody knows where it ends.",
            where=Location(source),
            fix=_GIVE,
        )


def table_path(name: str, *, deep: bool = False) -> str | None:
    """Where a file belongs in the folder of a delivery, by its name; None for what is not needed.

    Names are read as people write them: `Ratings.CSV` and `rating.csv` are `ratings.csv`. deep: it
    may also stand in other folders, such as `ml-25m/ratings.csv` or `ml\\ratings.csv` in a zip.
    """
    *above, last = [part for part in name.replace("\\", "/").split("/") if part] or [""]
    if last.startswith((".", "_")) or "__MACOSX" in above:
        return None
    stem, _, kind = last.lower().rpartition(".")
    folders = [_TABLE_OF.get(part.lower()) for part in above]
    if kind == "parquet" and (deep or folders[:1] != [None]):
        for depth, table in enumerate(folders):
            if table:
                return "/".join([table, *above[depth + 1 :], last])
    table = _TABLE_OF.get(stem)
    if kind not in KINDS or table is None or (above and not deep):
        return None
    return f"{table}.{kind}"


def _delivery_in(folder: Path, source: Path, others: Sequence[str] = ()) -> Delivery:
    """others: names in a zip that were not unpacked."""
    found = {table.name: _files_of(table, folder, source) for table in DELIVERED}
    missing = [name for name, files in found.items() if files is None]
    if missing:
        if source.is_dir():
            others = _below(source)
        raise _edition(others, source) or WrongUse(
            f"{joined([f'{name}.csv' for name in missing])} "
            f"{'is' if len(missing) == 1 else 'are'} missing (also as .parquet).",
            where=Location(source),
            fix=_hint(missing, others, source),
        )
    generated = (folder / GENERATED_MARK).is_file()
    tables = {name: files for name, files in found.items() if files}
    delivery = Delivery(str(source), **tables, generated=generated)
    for files in delivery.files:
        for path, name in zip(files.paths, files.names, strict=True):
            if files.kind == "csv":
                check_header(path, files.table, source / name)
    return delivery


def _files_of(table: Table, folder: Path, source: Path) -> TableFiles | None:
    """The files of one table in the folder, or None. Two forms of one table are an error."""
    forms: dict[str, list[Path]] = {}
    for top in sorted(folder.iterdir()):
        parts = top.is_dir() and _TABLE_OF.get(top.name.lower())
        for path in sorted(top.rglob("*")) if parts else [top]:
            place = table_path(path.relative_to(folder).as_posix())
            if place and path.is_file() and place.split("/")[0].split(".")[0] == table.name:
                forms.setdefault(top.name, []).append(path)
    if len(forms) > 1:
        names = [paths[0].relative_to(folder).as_posix() for paths in forms.values()]
        raise WrongUse(
            f"the table {table.name} is there more than once: {one_line(joined(names))}.",
            where=Location(source),
            fix="Leave only one of them.",
        )
    for paths in forms.values():
        names = [path.relative_to(folder).as_posix() for path in paths]
        kind = paths[0].suffix.lower().removeprefix(".")
        return TableFiles(table, kind, tuple(paths), tuple(names))
    return None


def _below(folder: Path) -> list[str]:
    """The names of the files in a folder and a few folders below, as far as they may matter."""
    levels = ("/".join(["*"] * depth) for depth in range(1, DEEPEST + 1))
    paths = chain.from_iterable(map(folder.glob, levels))
    found = sorted(islice(paths, MOST_NAMES), key=lambda path: (len(path.parts), path))
    return [path.relative_to(folder).as_posix() for path in found]


def _edition(names: Iterable[str], source: Path) -> WrongUse | None:
    """What to say of an edition of MovieLens whose files are of another form."""
    there = {name.replace("\\", "/").rpartition("/")[2].lower() for name in (*names, source.name)}
    for edition, files in OTHER_EDITIONS.items():
        if mark := next((name for name in files if name in there), None):
            return WrongUse(
                f"{mark} is of {edition}, whose files are not CSV.",
                where=Location(source),
                fix="Take an edition that is: latest-small, latest, 20M, 25M or 32M; or write "
                "movies.csv, ratings.csv and tags.csv from it, with commas, a header and in UTF-8.",
            )
    return None


def _hint(missing: Sequence[str], names: Sequence[str], source: Path) -> str:
    """What to do about missing files: often the right folder is some levels below."""
    for name in names if source.is_dir() else ():
        place, path = table_path(name), source / name
        if place in {f"{table}.{kind}" for table in missing for kind in KINDS}:
            return f"Put a file in the place of {one_line(path.name)}, which is no regular file."
    if missing == [TAGS.name]:
        header = ",".join(TAGS.column_names)
        return f"Where there are no tags, write one that holds its header alone: {header}."
    for name in names if source.is_dir() else ():
        if table_path(name, deep=True) and not table_path(name):
            return f"Did you mean {one_line((source / name).parent)}?"
        if name.lower().endswith(".zip") and "/" not in name:
            return f"Did you mean {one_line(source / name)}?"
    return _GIVE


def check_header(path: Path, table: Table, shown: Path) -> None:
    """Raise WrongUse when the first line of a CSV file does not name the table's columns."""
    with path.open("rb") as file:
        start = file.readline(LONGEST_HEADER)
    start = start.removeprefix(BYTE_ORDER_MARK)
    expected = ",".join(table.column_names)
    if not start.strip() and path.stat().st_size <= len(BYTE_ORDER_MARK) + len(start):
        raise WrongUse(
            "the file is empty.",
            where=Location(shown),
            fix=f"It must start with the header {expected}.",
        )
    if _fields(start) != list(table.column_names):
        text = start[:120].decode("utf-8", "backslashreplace").rstrip("\r\n")
        if b"\0" in start:
            what, fix = "the file is not UTF-8 text.", "Export it as UTF-8, not as UTF-16."
        elif b"\r" in start.rstrip(b"\r\n"):
            what = "the lines end in a carriage return alone."
            fix = "Export it with line feeds (Unix) or both (Windows)."
        else:
            what = f"the header is {text!r} where {expected!r} is expected."
            fix = "Export these columns, in this order, as comma-separated UTF-8 text."
            # A blank at an end is easily not seen, also between quotes.
            if blank := [name for name in _fields(start) if name != name.strip()]:
                fix = f"Write {', '.join(map(repr, blank))} without blanks around it."
        raise WrongUse(what, where=Location(shown, 1), fix=fix)


def _fields(line: bytes) -> list[str]:
    try:
        return next(csv.reader([line.decode("utf-8").rstrip("\r\n")], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return []


def _unpack(source: Path, folder: Path) -> list[str]:
    """Unpack the three tables' files of a zip into `folder`; the names of the others."""
    edition = _edition((), source)
    if edition or not zipfile.is_zipfile(source):
        raise edition or _broken(source)
    try:
        with zipfile.ZipFile(source) as archive:
            return _unpack_entries(archive, source, folder)
    except (*_DAMAGE, OSError) as error:
        # Only a damaged zip names a place before the beginning of the file, or has no number.
        if isinstance(error, OSError) and error.errno not in (errno.EINVAL, None):
            raise
        raise _broken(source) from error


def _broken(source: Path) -> WrongUse:
    return WrongUse(
        "this is not a zip file, or it is cut off or damaged.",
        where=Location(source),
        fix=f"Give its folder, {one_line(source.parent)}, or a complete .zip."
        if table_path(source.name)
        else "Give a folder or a complete .zip with movies.csv, ratings.csv and tags.csv.",
    )


def _unpack_entries(archive: zipfile.ZipFile, source: Path, folder: Path) -> list[str]:
    chosen: dict[str, zipfile.ZipInfo] = {}
    others: list[str] = []
    for entry in archive.infolist():
        _refuse_dangerous(entry, source)
        if entry.filename.endswith(("/", "\\")):
            continue
        name = table_path(entry.filename, deep=True)
        if name is None:
            others.append(entry.filename)
            continue
        if name in chosen:
            raise WrongUse(
                f"the zip holds {name} twice: {one_line(chosen[name].filename)} and "
                f"{one_line(entry.filename)}.",
                where=Location(source),
                fix="Leave only one of them.",
            )
        if entry.flag_bits & 1:
            raise WrongUse(
                f"the zip is encrypted ({one_line(entry.filename)}).",
                where=Location(source),
                fix="Unpack it and give the folder.",
            )
        chosen[name] = entry
    for entry in chosen.values():
        if entry.file_size > max(EXPANSION_MATTERS, MOST_EXPANSION * entry.compress_size):
            raise WrongUse(
                f"the zip entry {entry.filename!r} unpacks to {entry.file_size:,} bytes, more than "
                f"{MOST_EXPANSION} times its size, so this is no MovieLens zip.",
                where=Location(source),
                fix="Unpack it and give the folder, if you trust it.",
            )
    check_room(source, sum(entry.file_size for entry in chosen.values()), folder)
    for name, entry in chosen.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as packed, target.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked, 1 << 20)
    return others


def check_room(source: object, need: int, folder: Path) -> None:
    """Raise WrongUse when so many bytes of a delivery do not fit where a folder is."""
    free = shutil.disk_usage(folder).free
    if need > free:
        raise WrongUse(
            f"{source}: its files need {need:,} bytes in {folder.parent}, and only {free:,} are "
            "free.",
            fix="Make room, or point the environment variable TMPDIR to a larger disk.",
        )


def _refuse_dangerous(entry: zipfile.ZipInfo, source: Path) -> None:
    """A zip that tries to write outside its folder is not a MovieLens zip: take none of it."""
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    link = stat.S_ISLNK(entry.external_attr >> 16)
    if path.is_absolute() or ".." in path.parts or _DRIVE.match(entry.filename) or link:
        raise WrongUse(
            f"the zip entry {entry.filename!r} points outside the zip.",
            where=Location(source),
            fix="Do not use this zip; get it from a source that you trust.",
        )
