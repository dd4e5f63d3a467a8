"""What `ingest` needs of an engine that holds the operational tables, and what both do alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Self

from mesh.deliveries import WITHOUT_MONTH
from mesh.movielens.ingest.checks import settle
from mesh.movielens.ingest.history import READ_COLUMNS, Entry, History
from mesh.movielens.ingest.lake import Lake
from mesh.movielens.ingest.schema import DELIVERED, INGESTS, MOVIES, REJECTED_LINES, Table
from mesh.movielens.ingest.stage import REJECTED, Counts, Stage
from mesh.movielens.ingest.targets.statements import (
    Engine,
    Statements,
    logged_sql,
    months_by_table,
    months_sql,
    record,
    undo,
)


@dataclass(frozen=True)
class Record:
    """What is recorded about an ingest; the target adds ingest_id, changed months, how many rows
    the tables have then, and the end. counts: as they are when it is written down."""

    source: str
    checksum: str
    mode: str  # snapshot | append | undo | erase
    counts: dict[str, Counts]
    started_at: datetime
    undoes: int | None = None

    def total(self, what: str) -> int:
        """Sum of one of the counts over the tables."""
        return sum(getattr(counts, what) for counts in self.counts.values())


@dataclass(frozen=True)
class Published:
    """What an ingest changed.

    months: for each table the first days of the months, ascending (1970-01-01 under movies: some
    movie changed). values: for each table and column in how many rows that stood there; under ""
    how many went.
    """

    ingest_id: int
    months: dict[str, tuple[date, ...]]
    values: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def changed_months(self) -> tuple[date, ...]:
        """All changed months, each once, ascending."""
        months = {month for months in self.months.values() for month in months}
        return tuple(sorted(month for month in months if month != WITHOUT_MONTH))


class Target(ABC):
    """An engine with the operational tables. Used inside one `with`: leaving it without
    `commit` leaves the tables as they were."""

    engine: Engine
    past: History

    @abstractmethod
    def session(self) -> AbstractContextManager[Self]:
        """Connect; raises WrongUse when that is not possible."""

    @abstractmethod
    def stage(self, mode: str) -> Stage:
        """Empty staging, which in mode 'append' knows the movies in the target."""

    @abstractmethod
    def name(self, table: Table) -> str:
        """The full name of a table, as SQL."""

    @abstractmethod
    def staged(self, table: Table) -> str:
        """The full name, as SQL, of what was staged for a table."""

    @abstractmethod
    def compared(self, table: Table) -> str:
        """The full name, as SQL, of what comparing a table with what is staged finds."""

    @abstractmethod
    def ask(self, sql: str) -> Iterable[tuple]:
        """The rows of a query, or nothing of a statement, that may run twice without harm."""

    @abstractmethod
    def load(self, stage: Stage, tables: Iterable[Table], mode: str) -> None:
        """See to it that what is staged for the tables can be asked for under `staged`."""

    @abstractmethod
    def prepare(self, job: str, steps: list[str], source: str) -> None:
        """Prepare statements that last after `commit`, all or none. job: what names them. source:
        the ingest's, which the engine may not have put into the statements."""

    @abstractmethod
    def export(self, lake: Lake) -> None:
        """Write the operational tables, as they will be after `commit`, as Parquet."""

    @abstractmethod
    def commit(self) -> None:
        """Make all of it last at once."""

    def history(self) -> History:
        """All ingests so far, and how many rows the tables have."""
        counts = ", ".join(f"(SELECT COUNT(*) FROM {self.name(table)})" for table in DELIVERED)
        found = list(
            self.ask(
                f"SELECT {', '.join(READ_COLUMNS)}, {counts} FROM (SELECT 1 AS one) AS always "
                f"LEFT JOIN {self.name(INGESTS)} ON TRUE ORDER BY ingest_id"
            )
        )
        size = len(READ_COLUMNS)
        names = [table.name for table in DELIVERED]
        self.past = History(
            tuple(Entry.of(row[:size]) for row in found if row[0] is not None),
            dict(zip(names, found[0][size:], strict=True)),
        )
        return self.past

    def publish(self, stage: Stage, record: Record) -> Published:
        """Prepare that the staged rows become the operational tables (snapshot) or are upserted
        (append), with rejected lines, changed months, the ingest's record and what it takes to undo
        it. Lasts only after `commit`."""
        ingest_id = self.past.newest_id + 1
        statements = Statements(
            self.engine,
            self.name,
            self.staged,
            self.compared,
            frozenset(table for table in DELIVERED if self.past.rows_now[table.name]),
            record.mode == "snapshot",
        )
        self.load(stage, DELIVERED, record.mode)
        compared = {MOVIES}
        if record.mode == "append":
            compared = set(DELIVERED)
            for table in DELIVERED:
                self.ask(statements.compare(table))
                settle(stage, table, self.ask(statements.settled(table)))
        else:
            self.ask(statements.compare(MOVIES))
        stage.rejections.flush()
        published = Published(ingest_id, months_by_table(self.ask(statements.changed_months())))
        if record.mode == "snapshot":
            for table in statements.filled - {MOVIES}:
                if months := published.months[table.name]:
                    self.ask(statements.compare(table, months))
                    compared.add(table)
        if there := compared & statements.filled:
            found = self.ask(statements.changed_values(there))
            values = {(table, column): rows for table, column, rows in found}
            published = replace(published, values=values)
        steps = statements.publish(ingest_id, published.months, self.past.kept_with(ingest_id))
        if stage.count(REJECTED):
            self.load(stage, [REJECTED_LINES], record.mode)
            steps.append(statements.reject(ingest_id))
        job = f"mesh-publish-{ingest_id}-{record.mode}-{record.checksum[:16]}"
        self.prepare(job, steps + self.recorded(published, record), record.source)
        return published

    def undo(self, delivery: Entry, record: Record) -> Published:
        """Prepare that the operational tables become what they were before the delivery, with
        changed months and the undo's own record. Lasts only after `commit`."""
        number = delivery.ingest_id
        months = months_by_table(self.ask(months_sql(self.name, number)))
        logged = {row[0] for row in self.ask(logged_sql(self.name, number))}
        emptied = {name for name, some in months.items() if some} - logged
        published = Published(self.past.newest_id + 1, months)
        # When the delivery came in tells it from one of the same number in tables that are gone.
        came_in = int(delivery.finished_at.timestamp() * 1_000_000)
        job = f"mesh-undo-{published.ingest_id}-of-{number}-{delivery.checksum[:16]}-{came_in}"
        steps = undo(self.name, number, emptied)
        self.prepare(job, steps + self.recorded(published, record), record.source)
        return published

    def recorded(self, published: Published, of: Record) -> list[str]:
        """The statements that write an ingest down."""
        lines = ("read", "loaded", "rejected", "ignored")
        entry = {
            "ingest_id": published.ingest_id,
            "source": of.source,
            "checksum": of.checksum,
            "mode": of.mode,
            **{f"lines_{what}": of.total(what) for what in lines},
            **{f"{table.name}_loaded": of.counts[table.name].loaded for table in DELIVERED},
            "changed_months": published.changed_months,
            "started_at": of.started_at,
            "undoes": of.undoes,
            "rows_replaced": of.total("replaced"),
        }
        return record(self.engine, self.name, entry, published.months)
