"""Loads a file while it is still being checked.

Nearly always every line of the ratings is plain, and then the load that ran beside the check is
what the check would have ordered. Otherwise it is given up at the first line that is not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import duckdb

INTERRUPT_SECONDS = 0.05


class EarlyLoad:
    """One statement that runs in a thread of its own, the only user of the connection meanwhile.

    restart: puts the connection's transaction back to its start, should the load be given up.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, statement: str, restart: Callable[[], None]
    ) -> None:
        self.connection = connection
        self.restart = restart
        self.error: Exception | None = None
        self.running = True
        self.thread = threading.Thread(target=self._run, args=(statement,), daemon=True)

    def __enter__(self) -> EarlyLoad:
        self.thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._stop()

    def _run(self, statement: str) -> None:
        try:
            self.connection.execute(statement)
        except Exception as error:
            self.error = error

    def give_up(self) -> None:
        """Stop, and leave no trace. Does nothing the second time."""
        if self.running:
            self._stop()
            self.running = False
            self.restart()

    def finish(self) -> bool:
        """Wait for the end; True when the load stands, False when it was given up."""
        self.thread.join()
        if self.running and self.error:
            raise self.error
        return self.running

    def _stop(self) -> None:
        while self.thread.is_alive():
            # An interrupt before the statement has begun is lost: say it until it is heard.
            self.connection.interrupt()
            self.thread.join(INTERRUPT_SECONDS)
