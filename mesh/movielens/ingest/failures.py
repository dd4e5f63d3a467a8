"""Turns what the machine says (disk full, no permission) into a sentence for a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from mesh.database import MAKE_ROOM, is_full
from mesh.errors import Location, WrongUse
from mesh.files.machine import said_by_machine

_AS_BEFORE = "The tables are as they were."


@contextmanager
def understood(source: Path, database: Path) -> Iterator[None]:
    """Raise WrongUse for failures of disk, permissions and memory inside the block.

    source, database: what the failure is about when it does not say so itself.
    """
    try:
        yield
    except duckdb.Error as error:
        meant = _of_duckdb(error, database)
        if meant is None:
            raise
        raise meant from error
    except OSError as error:
        raise said_by_machine(error, source, database, after=_AS_BEFORE) from error
    except UnicodeEncodeError as error:
        raise WrongUse(
            "the name of a folder or file is not UTF-8.", where=Location(source), fix="Rename it."
        ) from error


def _of_duckdb(error: duckdb.Error, database: Path) -> WrongUse | None:
    text = " ".join(str(error).split())
    if is_full(text):
        return WrongUse(f"the disk is full. {_AS_BEFORE}", where=Location(database), fix=MAKE_ROOM)
    if isinstance(error, duckdb.OutOfMemoryException):
        return WrongUse(
            f"there is not enough memory or room for temporary files. {_AS_BEFORE}",
            where=Location(database),
            fix="Close other programs, or let TMPDIR name a larger disk.",
        )
    if isinstance(error, duckdb.IOException):
        return WrongUse(
            f"reading or writing failed: {text.rstrip('.')}. {_AS_BEFORE}",
            where=Location(database),
            fix="Check the disk and its permissions, then run again.",
        )
    return None
