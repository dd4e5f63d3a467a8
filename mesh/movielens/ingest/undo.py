"""`undo`: the operational tables become what they were before their newest delivery."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from mesh.errors import MeshError, WrongUse
from mesh.movielens.ingest.failures import understood
from mesh.movielens.ingest.history import UNDO
from mesh.movielens.ingest.progress import COMMITTING, Observer, Step, unobserved
from mesh.movielens.ingest.run import IngestResult
from mesh.movielens.ingest.schema import DELIVERED
from mesh.movielens.ingest.stage import Counts
from mesh.movielens.ingest.targets.base import Record, Target
from mesh.movielens.ingest.targets.duckdb import DuckDBTarget

EMPTIED = (
    "No delivery stands any more: the tables are empty, and what environments show is of none that "
    "does. Load one with `mesh ingest <source>`."
)


def delivery_number(text: str | None) -> int | None:
    """The number of the delivery to undo; None for the newest that stands."""
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,18}", text):
        raise WrongUse(
            f"--undo takes the number of a delivery, and {text!r} is none.",
            fix="The numbers are the ingest_id of operational.ingests; without one, --undo "
            "undoes the newest delivery.",
        )
    return int(text)


def undo(
    number: int | None = None,
    *,
    database: Path,
    target: Target | None = None,
    observer: Observer = unobserved,
) -> IngestResult:
    """Undo a delivery: the one of that number, or the newest that is not undone.

    database, target, observer: as for `ingest`. Raises WrongUse when that delivery cannot be
    undone; the tables are then as they were.
    """
    started_at = datetime.now(UTC)
    target = target or DuckDBTarget(database)
    with understood(database, database), _named(target) as undoing:
        history = target.history()
        delivery = history.undoable(number)
        record = Record(
            source=f"undo of delivery {delivery.ingest_id}",
            checksum=delivery.checksum,
            mode=UNDO,
            counts={table.name: Counts(0, 0, 0) for table in DELIVERED},
            started_at=started_at,
            undoes=delivery.ingest_id,
        )
        undoing.append(delivery.ingest_id)
        observer(Step(f"undoing delivery {delivery.ingest_id}", 0.0))
        published = target.undo(delivery, record)
        observer(Step(COMMITTING, 0.0))
        target.commit()
    return IngestResult(
        **vars(published),
        source=record.source,
        mode=record.mode,
        nothing_changed=False,
        checksum=record.checksum,
        counts=record.counts,
        seconds=(datetime.now(UTC) - started_at).total_seconds(),
        undoes=delivery.ingest_id,
        notes=(EMPTIED,) if history.standing == [delivery.ingest_id] else (),
    )


@contextmanager
def _named(target: Target) -> Iterator[list[int]]:
    """A session in which a failure names the delivery that was to be undone.

    Whether a lost connection was lost before or after the undo is not known here: to run the same
    command again without a number might undo one delivery more.
    """
    undoing: list[int] = []
    try:
        with target.session():
            yield undoing
    except MeshError as error:
        if not undoing:
            raise
        raise type(error)(
            error.message,
            where=error.where,
            fix=f"Run `mesh ingest --undo {undoing[0]}`, with this number: it undoes that "
            "delivery, or says that it is undone already.",
        ) from error
