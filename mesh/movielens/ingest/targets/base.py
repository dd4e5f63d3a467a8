"""What `ingest` needs of an engine that holds the operational tables."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from mesh.deliveries import WITHOUT_MONTH
from mesh.movielens.ingest.history import Entry, History
from mesh.movielens.ingest.lake import Lake
from mesh.movielens.ingest.stage import Counts, Stage


@dataclass(frozen=True)
class Record:
    """What is recorded about an ingest; the target adds ingest_id, changed months, how many rows
    the tables have then, and the end."""

    source: str
    checksum: str
    mode: str  # snapshot | append | undo
    counts: dict[str, Counts]
    started_at: datetime
    undoes: int | None = None

    def total(self, what: str) -> int:
        """Sum of 'read', 'loaded' or 'rejected' over the tables."""
        return sum(getattr(counts, what) for counts in self.counts.values())


@dataclass(frozen=True)
class Published:
    """What an ingest changed. months: for each table the first days of the months, ascending."""

    ingest_id: int
    months: dict[str, tuple[date, ...]]

    @property
    def changed_months(self) -> tuple[date, ...]:
        """All changed months, each once, ascending."""
        months = {month for months in self.months.values() for month in months}
        return tuple(sorted(month for month in months if month != WITHOUT_MONTH))


class Target(Protocol):
    """An engine with the operational tables. Used inside one `with`: leaving it without
    `commit` leaves the tables as they were."""

    def session(self) -> AbstractContextManager[Target]:
        """Connect; raises WrongUse when that is not possible."""

    def history(self) -> History:
        """All ingests so far, and how many rows the tables have."""

    def stage(self, mode: str) -> Stage:
        """Empty staging. In mode 'append' the temporary table `known_movies` stands on its
        connection with the ids of the movies in the target."""

    def publish(self, stage: Stage, record: Record) -> Published:
        """Prepare that the staged rows become the operational tables (snapshot) or are upserted
        (append), with rejected lines, changed months, the ingest's record and what it takes to undo
        it. Lasts only after `commit`."""

    def undo(self, delivery: Entry, record: Record) -> Published:
        """Prepare that the operational tables become what they were before the delivery, with
        changed months and the undo's own record. Lasts only after `commit`."""

    def export(self, lake: Lake) -> None:
        """Write the operational tables, as they will be after `commit`, as Parquet."""

    def commit(self) -> None:
        """Make all of it last at once."""
