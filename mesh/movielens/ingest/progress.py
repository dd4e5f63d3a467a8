"""How an ingest tells how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Step:
    """One sign of life: what is being done, and how much of it is done (0 to 1).

    lines: how many lines were read so far in this step; 0 where that is not the measure.
    """

    what: str
    done: float
    lines: int = 0


Observer = Callable[[Step], None]


def unobserved(_step: Step) -> None:
    """For those who do not want to know."""


@contextmanager
def watched(connection: duckdb.DuckDBPyConnection, what: str, observer: Observer) -> Iterator[None]:
    """While the block runs a statement on the connection, tell the observer how far it is."""
    if observer is unobserved:
        yield
        return
    observer(Step(what, 0.0))
    over = threading.Event()

    def watch() -> None:
        while not over.wait(POLL_SECONDS):
            done = connection.query_progress()
            if done > 0:
                observer(Step(what, done / 100))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
