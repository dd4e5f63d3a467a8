"""`--parquet DIR`: the operational tables as Parquet, ratings and tags by year, for a lake."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from mesh.errors import Location, WrongUse
from mesh.movielens.ingest.literals import literal
from mesh.movielens.ingest.schema import DELIVERED, MOVIES, Table

OURS = {"movies.parquet", "ratings", "tags"}


class Lake:
    """A folder that is replaced as a whole: written beside it first, then moved into place.

    What is beside it has names of its own, so that a run after one that was killed clears it away.
    """

    def __init__(self, folder: Path) -> None:
        """Raises WrongUse when the folder cannot be replaced: something else stands in it, or it
        is a mount point; OSError when that is not permitted."""
        self.folder = folder.resolve()
        self.written = self.folder.with_name(f".{self.folder.name}.unfinished")
        self.replaced = self.folder.with_name(f".{self.folder.name}.replaced")
        self.started = False
        above = self.folder.parent
        above.mkdir(parents=True, exist_ok=True)
        if not os.access(above, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(above))
        if self.folder.is_mount():
            raise WrongUse(
                "this is a mount point, which cannot be replaced as a whole.",
                where=Location(folder),
                fix="Give --parquet a folder inside it.",
            )
        if self.folder.is_dir():
            others = sorted({path.name for path in self.folder.iterdir()} - OURS)
        else:
            others = [self.folder.name] if self.folder.exists() else []
        if others:
            raise WrongUse(
                f"something else is in the way of the Parquet files: {others[0]}.",
                where=Location(folder),
                fix="Give --parquet a new or empty folder.",
            )

    def write(self, connection: duckdb.DuckDBPyConnection, qualify: Callable[[Table], str]) -> None:
        """Write all tables; the folder itself is untouched until `move_into_place`.

        Called while the database is held, so that no other ingest of it does the same.
        """
        self.started = True
        self._put_back()
        self._clear()
        self.written.mkdir()
        for table in DELIVERED:
            columns = ", ".join(f'"{name}"' for name in table.column_names)
            if table is MOVIES:
                target = self.written / "movies.parquet"
                connection.execute(
                    f"COPY (SELECT {columns} FROM {qualify(table)}) "
                    f"TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)"
                )
                continue
            folder = self.written / table.name
            folder.mkdir()
            connection.execute(
                f"COPY (SELECT {columns}, "
                f"year(make_timestamp(epoch_us(timestamp))) AS year FROM {qualify(table)}) "
                f"TO {literal(str(folder))} (FORMAT parquet, COMPRESSION zstd, "
                "PARTITION_BY (year), OVERWRITE_OR_IGNORE)"
            )
            if not any(folder.rglob("*.parquet")):
                connection.execute(
                    f"COPY (SELECT {columns} FROM {qualify(table)} LIMIT 0) "
                    f"TO {literal(str(folder / 'empty.parquet'))} (FORMAT parquet)"
                )

    def move_into_place(self) -> None:
        """Let the new files take the place of the old ones."""
        if self.folder.exists():
            self.folder.rename(self.replaced)
        try:
            self.written.rename(self.folder)
        finally:
            self._put_back()
        self._clear()

    def discard(self) -> None:
        """Remove what was written and not moved into place."""
        if self.started:
            self._clear()

    def _put_back(self) -> None:
        """The old files, when nothing has come into their place."""
        if self.replaced.exists() and not self.folder.exists():
            self.replaced.rename(self.folder)

    def _clear(self) -> None:
        for path in (self.written, self.replaced):
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def lake_at(folder: Path | None) -> Iterator[Lake | None]:
    """The lake in a folder, if there is one; what was begun and is not in place is gone then."""
    lake = Lake(folder) if folder else None
    try:
        yield lake
    finally:
        if lake:
            lake.discard()
