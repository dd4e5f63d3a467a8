"""`ingest`: a delivery becomes the operational tables, whole or not at all."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from mesh.ingest.checks import fill_stage
from mesh.ingest.digest import checksum
from mesh.ingest.schema import DELIVERED
from mesh.ingest.source import Delivery, open_source
from mesh.ingest.stage import Counts
from mesh.ingest.targets.base import Record
from mesh.ingest.targets.duckdb import DuckDBTarget
from mesh.settings import database_path

Advance = Callable[[str, int], None]


@dataclass(frozen=True)
class IngestResult:
    """What an ingest did.

    nothing_changed: the delivery was the last one again; then ingest_id is that of the last one,
    and nothing was recorded. counts: per table. months: per table, the months that changed.
    """

    source: str
    mode: str
    ingest_id: int
    nothing_changed: bool
    checksum: str
    counts: dict[str, Counts]
    months: dict[str, tuple[date, ...]]
    seconds: float

    @property
    def lines_read(self) -> int:
        return sum(counts.read for counts in self.counts.values())

    @property
    def lines_loaded(self) -> int:
        return sum(counts.loaded for counts in self.counts.values())

    @property
    def lines_rejected(self) -> int:
        return sum(counts.rejected for counts in self.counts.values())

    @property
    def changed_months(self) -> tuple[date, ...]:
        """All changed months, each once, ascending."""
        months = {month for months in self.months.values() for month in months}
        return tuple(sorted(month for month in months if month.year > 1970))


def ingest(
    source: Path,
    *,
    append: bool = False,
    max_rejected: float | Decimal = Decimal("0.001"),
    parquet: Path | None = None,
    database: Path | None = None,
    now: datetime | None = None,
    advance: Advance = lambda _file, _bytes: None,
) -> IngestResult:
    """Load a delivery into the operational tables.

    source: a folder or a .zip. append: upsert by key instead of replacing. max_rejected: the share
    of lines that may be rejected. parquet: a folder to write the tables to as well. database: the
    DuckDB file (default: the project's). now: the latest timestamp accepted. advance: is told file
    name and number of bytes as reading goes on.

    Raises WrongUse when source or database cannot be used, CheckFailed when too many lines are
    rejected; the tables are then as they were.
    """
    started = time.monotonic()
    now = now or datetime.now(UTC)
    mode = "append" if append else "snapshot"
    source = Path(source)
    with open_source(source) as delivery:
        target = DuckDBTarget(database or database_path())
        with target.session(), tempfile.TemporaryDirectory(prefix="mesh-ingest-") as work:
            return _ingest(target, delivery, mode, Path(work), now, started, advance)


def _ingest(
    target: DuckDBTarget,
    delivery: Delivery,
    mode: str,
    work: Path,
    now: datetime,
    started: float,
    advance: Advance,
) -> IngestResult:
    digest = checksum(delivery)
    last = target.last_ingest()
    if last and last.repeats(digest, mode):
        return IngestResult(
            source=delivery.source,
            mode=mode,
            ingest_id=last.ingest_id,
            nothing_changed=True,
            checksum=digest,
            counts={},
            months={table.name: () for table in DELIVERED},
            seconds=time.monotonic() - started,
        )
    stage = target.stage(mode)
    fill_stage(stage, delivery, work=work, now=int(now.timestamp()), advance=advance)
    record = Record(delivery.source, digest, mode, stage.counts, datetime.now(UTC))
    published = target.publish(stage, record)
    target.commit()
    return IngestResult(
        source=delivery.source,
        mode=mode,
        ingest_id=published.ingest_id,
        nothing_changed=False,
        checksum=digest,
        counts=stage.counts,
        months=published.months,
        seconds=time.monotonic() - started,
    )
