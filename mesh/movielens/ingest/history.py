"""What `operational.ingests` tells: which deliveries stand, and which of them can be undone.

Deliveries stand on each other: only the newest that stands can be taken away. An undo is an entry
of its own and takes its delivery out of those that stand. What erases users is an entry too, and
no delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mesh.errors import WrongUse
from mesh.movielens.ingest.schema import DELIVERED, INGESTS, SCHEMA
from mesh.words import joined

UNDO, ERASE = "undo", "erase"
KEPT = 5
LOAD = "Load one with `mesh ingest <source>`."
# What the history reads of each entry, in this order.
READ_COLUMNS = (
    "ingest_id",
    "source",
    "checksum",
    "mode",
    *(f"{table.name}_rows" for table in DELIVERED),
    "undoes",
    "finished_at",
)
assert set(READ_COLUMNS) <= set(INGESTS.column_names)


@dataclass(frozen=True)
class Entry:
    """One ingest. rows: how many each table has afterwards; None when an older version of this
    project wrote the entry. undoes: the delivery that an undo undid."""

    ingest_id: int
    source: str
    checksum: str
    mode: str  # snapshot | append | undo | erase
    rows: dict[str, int] | None
    undoes: int | None
    finished_at: datetime

    @classmethod
    def of(cls, row: Sequence[Any]) -> Entry:
        """The entry of a row with READ_COLUMNS."""
        ingest_id, source, checksum, mode, *counts, undoes, finished_at = row
        rows = dict(zip((table.name for table in DELIVERED), counts, strict=True))
        there = None if None in counts else rows
        return cls(ingest_id, source, checksum, mode, there, undoes, finished_at)


@dataclass(frozen=True)
class History:
    """All ingests, the oldest first. rows_now: how many rows each table has by now."""

    entries: tuple[Entry, ...] = ()
    rows_now: dict[str, int] = field(default_factory=dict)

    @property
    def newest(self) -> Entry | None:
        return self.entries[-1] if self.entries else None

    @property
    def newest_id(self) -> int:
        """0 before the first ingest."""
        return self.entries[-1].ingest_id if self.entries else 0

    def repeats(self, checksum: str, mode: str) -> bool:
        """True when the newest ingest was this delivery in this mode, so that it would change
        nothing. If the tables have other row counts by now, something else changed them, and it is
        loaded again."""
        newest = self.newest
        same = newest and (newest.checksum, newest.mode) == (checksum, mode)
        return bool(newest and same and newest.rows == self.rows_now)

    @property
    def touched(self) -> list[tuple[str, int, int]]:
        """The tables that something else than an ingest changed since: name, rows now and then."""
        then = (self.newest and self.newest.rows) or {}
        both = [(name, self.rows_now.get(name, rows), rows) for name, rows in then.items()]
        return [one for one in both if one[1] != one[2]]

    @property
    def standing(self) -> list[int]:
        """The deliveries that are not undone, the oldest first."""
        return self._replayed()[0]

    @property
    def shown(self) -> list[Entry]:
        """The deliveries whose rows stand in the tables: the newest snapshot, and what came on
        top."""
        shown: list[Entry] = []
        standing = self.standing
        for entry in self.entries:
            if entry.ingest_id in standing:
                shown = [*(shown if entry.mode == "append" else []), entry]
        return shown

    def kept_with(self, ingest_id: int) -> list[int]:
        """The deliveries whose logs are kept when this one is published."""
        return [*self._replayed()[1], ingest_id][-KEPT:]

    def _replayed(self) -> tuple[list[int], list[int]]:
        """The deliveries that stand, and those of them whose logs are still there."""
        standing: list[int] = []
        kept: list[int] = []
        for entry in self.entries:
            if entry.mode == UNDO:
                standing = [number for number in standing if number != entry.undoes]
                kept = [number for number in kept if number != entry.undoes]
            elif entry.mode != ERASE:
                standing.append(entry.ingest_id)
                kept = [*kept, entry.ingest_id][-KEPT:] if entry.rows else []
        return standing, kept

    def undoable(self, number: int | None) -> Entry:
        """The delivery to undo: the one of that number, or the newest that stands.

        Raises WrongUse with what to do instead when it cannot be undone.
        """
        if not self.entries:
            raise WrongUse("nothing was ever ingested, so there is nothing to undo.", fix=LOAD)
        standing, kept = self._replayed()
        if number is None and not standing:
            raise WrongUse("every delivery is undone already.", fix=LOAD)
        wanted, number = number, standing[-1] if number is None else number
        entry = self._delivery(number)
        if number not in kept:
            raise self._not_kept(entry)
        last = self.entries[-1]
        if wanted is None and last.mode == UNDO:
            # Who runs a command again that was stopped does not want one delivery more undone.
            raise WrongUse(
                f"delivery {last.undoes} is undone already, by ingest {last.ingest_id} at "
                f"{last.finished_at:%Y-%m-%d %H:%M} UTC.",
                fix=f"To take delivery {number} out as well: `mesh ingest --undo {number}`.",
            )
        if later := [other for other in standing if other > number]:
            stand = "stands" if len(later) == 1 else "stand"
            numbers = [str(other) for other in later]
            raise WrongUse(
                f"delivery {number} cannot be undone while {joined(numbers)} {stand} on it.",
                fix=f"Undo {joined(numbers[::-1])} first, then ingest "
                f"{'it' if len(later) == 1 else 'them'} again.",
            )
        self.refuse_touched()
        return entry

    def refuse_touched(self) -> None:
        """Raise WrongUse where something else than an ingest changed the tables since."""
        for name, now, rows in self.touched:
            raise WrongUse(
                f"{SCHEMA}.{name} has {now:,} rows, and had {rows:,} after ingest "
                f"{self.newest_id}: something else changed it since.",
                fix="Put its rows back, or ingest the last good delivery as a full snapshot.",
            )

    def _delivery(self, number: int) -> Entry:
        """The delivery of that number that is not undone."""
        entry = next((e for e in self.entries if e.ingest_id == number), None)
        if entry is None:
            raise WrongUse(
                f"there is no delivery {number}: the newest ingest is {self.newest_id}.",
                fix=self._instead(),
            )
        if entry.mode == UNDO:
            raise WrongUse(
                f"ingest {number} is not a delivery but the undo of delivery {entry.undoes}.",
                fix=f"To have delivery {entry.undoes} back, ingest it again.",
            )
        if entry.mode == ERASE:
            raise WrongUse(
                f"ingest {number} is no delivery but the {entry.source}: what was erased is gone.",
                fix=self._instead(),
            )
        undo = next((e for e in self.entries if e.undoes == number), None)
        if undo is not None:
            raise WrongUse(
                f"delivery {number} is undone already, by ingest {undo.ingest_id}.",
                fix=self._instead(),
            )
        return entry

    def _instead(self) -> str:
        if not self.standing:
            return LOAD
        newest = self.standing[-1]
        return f"`mesh ingest --undo {newest}` undoes delivery {newest}, the newest that stands."

    def _not_kept(self, entry: Entry) -> WrongUse:
        why = (
            f"they are kept for the {KEPT} newest deliveries."
            if entry.rows
            else "an older version of this project loaded it."
        )
        return WrongUse(
            f"the rows from before delivery {entry.ingest_id} are not kept: {why}",
            fix="Ingest the last good delivery again, as a full snapshot.",
        )
