"""Loads a file while it is still being checked.

Nearly always every line of the ratings is plain, and then the load that ran beside the check is
what the check would have ordered. Otherwise it is given up at the first line that is not.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

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
        self.stands = True
        self.pool = ThreadPoolExecutor(1)
        self.load = self.pool.submit(connection.execute, statement)

    def __enter__(self) -> EarlyLoad:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self.pool.shutdown()

    def give_up(self) -> None:
        """Stop, and leave no trace. Does nothing the second time."""
        if self.stands:
            self._stop()
            self.stands = False
            self.restart()

    def finish(self) -> bool:
        """Wait for the end; True when the load stands, False when it was given up."""
        if self.stands:
            self.load.result()
        return self.stands

    def _stop(self) -> None:
        while not self.load.done():
            # An interrupt before the statement has begun is lost: say it until it is heard.
            self.connection.interrupt()
            wait([self.load], INTERRUPT_SECONDS)
