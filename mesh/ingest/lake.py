"""`--parquet DIR`: the operational tables as Parquet, ratings and tags by year, for a lake."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb

from mesh.errors import Location, WrongUse
from mesh.ingest.literals import literal
from mesh.ingest.schema import DELIVERED, MOVIES, Table

OURS = {"movies.parquet", "ratings", "tags"}


class Lake:
    """A folder that is replaced as a whole: written beside it first, then moved into place."""

    def __init__(self, folder: Path) -> None:
        """Raises WrongUse when something else stands in the folder."""
        self.folder = folder.absolute()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
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
        self.written = Path(
            tempfile.mkdtemp(prefix=f".{self.folder.name}-", dir=self.folder.parent)
        )

    def write(self, connection: duckdb.DuckDBPyConnection, qualify: Callable[[Table], str]) -> None:
        """Write all tables; the folder itself is untouched until `move_into_place`."""
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
        self.written.chmod(0o755)
        old = None
        if self.folder.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{self.folder.name}-", dir=self.folder.parent))
            self.folder.rename(old / "old")
        self.written.rename(self.folder)
        if old:
            shutil.rmtree(old, ignore_errors=True)

    def discard(self) -> None:
        """Remove what was written and not moved into place."""
        shutil.rmtree(self.written, ignore_errors=True)
