"""The local database: what is said when DuckDB cannot open it, and who has it open here."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from mesh.errors import Location, WrongUse
from mesh.project import DATABASE_VARIABLE

# Not "lock" alone, which also stands in what DuckDB says of a damaged block.
HELD = "Could not set lock"
_FULL = ("No space left", "File too large", "Disk quota exceeded", "disk full")
MAKE_ROOM = "Make room, here and in the folder for temporary files, then run again."
# A file of another database's must not make DuckDB download what reads it.
OPENING: dict[str, str | bool | int | float | list[str]] = {"autoinstall_known_extensions": False}


# What is tried on made-up rows needs some megabytes; what needs so much more is not worth them, on
# a laptop or in CI. It reads no file and writes none, also for what does not fit.
TRYING: dict[str, str | bool | int | float | list[str]] = {
    **OPENING,
    "enable_external_access": False,
    "max_temp_directory_size": "0KiB",
    "memory_limit": "1GB",
    "threads": 1,
}


def trying() -> duckdb.DuckDBPyConnection:
    """An engine in memory, to try on a few rows what somebody wrote."""
    return duckdb.connect(config=TRYING)


def cannot_open(database: Path, error: Exception) -> WrongUse:
    """The error for a user, from the one that DuckDB or the system raised."""
    text = " ".join(str(error).split())
    wrong, fix = _reason(text)
    return WrongUse(wrong, where=Location(database), fix=fix)


def is_full(text: str) -> bool:
    """Whether DuckDB says in these words that a disk is full."""
    return any(words in text for words in _FULL)


def _reason(text: str) -> tuple[str, str]:
    """What is wrong, and what to do."""

    def says(*words: str) -> bool:
        return any(word in text for word in words)

    if is_full(text):
        return "the disk is full.", MAKE_ROOM
    another = f"let {DATABASE_VARIABLE} name another file."
    if says(HELD, "already attached", "different configuration"):
        holder = re.search(r"PID (\d+)", text)
        process = f"process {holder.group(1)}" if holder else "another process"
        return (
            f"the database is in use by {process}.",
            "Stop it (a running `sqlmesh ui`, a notebook, another mesh command) and try again.",
        )
    if says("Corrupt", "checksum", "read enough bytes"):
        return (
            "the database is damaged or cut off.",
            "Move it away and ingest again, or put a copy of it in its place.",
        )
    if "WAL" in text and says("does not match"):
        return (
            "the write-ahead log beside the database (`.wal`) is not of this state of it.",
            "If the file was put back from a backup, move the log away: it holds what came later.",
        )
    if says("not a valid DuckDB", "newer version", "Serialization"):
        return (
            "this is not a DuckDB file of a version that can be read.",
            f"Move it away, or {another}",
        )
    if says("Permission denied"):
        return "permission denied.", f"Give yourself access, or {another}"
    return (
        f"the database cannot be opened: {text.rstrip('.')}.",
        f"Check that the disk has room and that you may write there, or {another}",
    )


def check_lasts(database: Path) -> None:
    """WrongUse if what is named is no file: it would be gone with the command that filled it."""
    if database.name == ":memory:":
        raise WrongUse(
            f"{DATABASE_VARIABLE} names a database in memory, which is gone with the command that "
            "filled it.",
            fix=f"Name a file, as {DATABASE_VARIABLE}=data/mesh.duckdb.",
        )


def check_attached(fetchall: Callable[[str], list[tuple[Any, ...]]], database: Path) -> None:
    """WrongUse if another process took the database between the check of it and its use.

    fetchall: runs a query where the project's do. SQLMesh would go on in memory: as if empty.
    """
    check_lasts(database)
    try:
        there = fetchall("SELECT database_name FROM duckdb_databases() WHERE path IS NOT NULL")
    except duckdb.BinderException:
        # This process has it open already.
        return
    if not there:
        raise cannot_open(database, OSError(HELD))


_holders: list[Callable[[], None]] = []


def when_let_go(close: Callable[[], None]) -> None:
    """Call this once before a file takes the place of the database, or its log is written back."""
    _holders.append(close)


def let_go() -> None:
    """Close all that this process has open of local databases."""
    while _holders:
        _holders.pop()()
