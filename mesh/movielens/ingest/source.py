"""Opens a delivery: a folder or a zip with the three files, as CSV or Parquet, and checks it.

What is wrong with the delivery as a whole (a file missing, a zip that is none, a header with
other columns) is found here, before any database is touched. What is wrong with single lines is
not: those are read, and kept as rejected lines.
"""

from __future__ import annotations

import csv
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mesh.errors import Location, WrongUse
from mesh.movielens import GENERATED_MARK
from mesh.movielens.ingest.schema import DELIVERED, Table

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST_HEADER = 65_536
# Lines of numbers pack to a fourth or so; what unpacks to so many times its size is no delivery.
MOST_EXPANSION = 200
EXPANSION_MATTERS = 1 << 26
_DRIVE = re.compile(r"[A-Za-z]:")
TABLE_NAMES = tuple(table.name for table in DELIVERED)


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


@contextmanager
def open_source(source: Path) -> Iterator[Delivery]:
    """Yield the delivery in `source`; a zip is unpacked to a folder that is gone afterwards.

    Raises WrongUse with one sentence about what is wrong with the source.
    """
    if not source.exists():
        raise WrongUse(
            "there is no such file or folder.",
            where=Location(source),
            fix="Give a folder or a .zip with movies.csv, ratings.csv and tags.csv.",
        )
    if source.is_dir():
        yield _delivery_in(source, source)
        return
    with tempfile.TemporaryDirectory(prefix="mesh-ingest-") as folder:
        unpacked = Path(folder)
        _unpack(source, unpacked)
        yield _delivery_in(unpacked, source)


def _delivery_in(folder: Path, source: Path) -> Delivery:
    found = {table.name: _files_of(table, folder, source) for table in DELIVERED}
    missing = [name for name, files in found.items() if files is None]
    if missing:
        raise WrongUse(
            f"{_words([f'{name}.csv' for name in missing])} "
            f"{'is' if len(missing) == 1 else 'are'} missing (also as .parquet).",
            where=Location(source),
            fix=_hint(folder, source),
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
    candidates: list[TableFiles] = []
    for kind in ("csv", "parquet"):
        path = folder / f"{table.name}.{kind}"
        if path.is_file():
            candidates.append(TableFiles(table, kind, (path,), (path.name,)))
    parts = folder / table.name
    if parts.is_dir():
        found = (path for path in parts.rglob("*.parquet") if not path.name.startswith((".", "_")))
        paths = tuple(sorted(path for path in found if path.is_file()))
        if paths:
            names = tuple(path.relative_to(folder).as_posix() for path in paths)
            candidates.append(TableFiles(table, "parquet", paths, names))
    if len(candidates) > 1:
        forms = [f"{files.names[0]}" for files in candidates]
        raise WrongUse(
            f"the table {table.name} is there more than once: {_words(forms)}.",
            where=Location(source),
            fix="Leave only one of them.",
        )
    return candidates[0] if candidates else None


def _hint(folder: Path, source: Path) -> str:
    """What to do about missing files: often the right folder is one level below."""
    for path in (folder / f"{name}.{kind}" for name in TABLE_NAMES for kind in ("csv", "parquet")):
        if path.is_symlink() or (path.exists() and not path.is_file()):
            return f"Put a file in the place of {path.name}, which is a folder or a broken link."
    inner = [
        path.name
        for path in sorted(folder.iterdir())
        if path.is_dir() and any((path / f"{name}.csv").is_file() for name in TABLE_NAMES)
    ]
    if inner and folder == source:
        return f"Did you mean {source / inner[0]}?"
    return "Give a folder or a .zip with movies.csv, ratings.csv and tags.csv."


def _words(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


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
        text = start[:120].decode("utf-8", "backslashreplace").strip()
        if b"\0" in start:
            what, fix = "the file is not UTF-8 text.", "Export it as UTF-8, not as UTF-16."
        elif b"\r" in start.rstrip(b"\r\n"):
            what = "the lines end in a carriage return alone."
            fix = "Export it with line feeds (Unix) or both (Windows)."
        else:
            what = f"the header is {text!r} where {expected!r} is expected."
            fix = "Export these columns, in this order, as comma-separated UTF-8 text."
        raise WrongUse(what, where=Location(shown, 1), fix=fix)


def _fields(line: bytes) -> list[str]:
    try:
        return next(csv.reader([line.decode("utf-8").rstrip("\r\n")], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return []


def _unpack(source: Path, folder: Path) -> None:
    """Unpack the three tables' files of a zip into `folder`; other entries stay packed."""
    broken = WrongUse(
        "this is not a zip file, or it is cut off or damaged.",
        where=Location(source),
        fix="Give a folder or a complete .zip with movies.csv, ratings.csv and tags.csv.",
    )
    try:
        with zipfile.ZipFile(source) as archive:
            _unpack_entries(archive, source, folder)
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        ValueError,
        UnicodeDecodeError,
    ) as error:
        raise broken from error


def _unpack_entries(archive: zipfile.ZipFile, source: Path, folder: Path) -> None:
    chosen: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        _refuse_dangerous(entry, source)
        name = _table_path(entry)
        if name is None:
            continue
        if name in chosen:
            raise WrongUse(
                f"the zip holds {name} twice: {chosen[name].filename} and {entry.filename}.",
                where=Location(source),
                fix="Leave only one of them.",
            )
        if entry.flag_bits & 1:
            raise WrongUse(
                f"the zip is encrypted ({entry.filename}).",
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
    need = sum(entry.file_size for entry in chosen.values())
    free = shutil.disk_usage(folder).free
    if need > free:
        raise WrongUse(
            f"unpacking needs {need:,} bytes in {folder.parent}, and only {free:,} are free.",
            where=Location(source),
            fix="Make room, or point the environment variable TMPDIR to a larger disk.",
        )
    for name, entry in chosen.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as packed, target.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked, 1 << 20)


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


def _table_path(entry: zipfile.ZipInfo) -> str | None:
    """Where a zip entry belongs in the delivery's folder; None for what is not needed.

    At most one folder may stand above: `ratings.csv` and `ml-25m/ratings.csv` are the same file.
    """
    parts = PurePosixPath(entry.filename).parts
    if entry.is_dir() or not parts or parts[0] == "__MACOSX":
        return None
    for depth in (0, 1):
        rest = parts[depth:]
        if len(rest) == 1 and rest[0] in {
            f"{n}.{k}" for n in TABLE_NAMES for k in ("csv", "parquet")
        }:
            return rest[0]
        if len(rest) > 1 and rest[0] in TABLE_NAMES and rest[-1].endswith(".parquet"):
            return "/".join(rest)
    return None
