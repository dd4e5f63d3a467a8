"""Signals that end a command: what it does then, and where it does not end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_Handler = Callable[[int, FrameType | None], object]


@contextmanager
def ending() -> Iterator[list[int]]:
    """Leave as after Ctrl-C, so that nothing of a run is left behind; it notes which signal came.

    What a library makes of the exception, as DuckDB does of a query that it interrupts and SQLMesh
    of a model that fails, says no longer that it was a signal.
    """
    came: list[int] = []

    def end(number: int, _: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    with _handled(end, *_ENDING):
        yield came


@contextmanager
def undisguised(connection: Any) -> Iterator[None]:
    """Leave a query with what ended it, and end it.

    DuckDB makes an ordinary error of a signal, which SQLMesh takes for one of a model, and goes on
    with the next. Its other threads go on with the query, and whatever comes next waits for them.
    """
    try:
        yield
    except RuntimeError as error:
        if isinstance(error.__cause__, KeyboardInterrupt | SystemExit):
            connection.interrupt()
            raise error.__cause__ from None
        raise


@contextmanager
def held() -> Iterator[None]:
    """Finish what is in here, whatever comes: who is told "stopped" of something that is done would
    do it once more."""

    def pass_over(number: int, _: FrameType | None) -> None:
        pass

    with _handled(pass_over, *_ENDING):
        yield


@contextmanager
def _handled(handler: _Handler, *numbers: signal.Signals) -> Iterator[None]:
    """Only the main thread may say what follows on a signal, and `nohup` has one ignored."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        kept = {number: signal.getsignal(number) for number in numbers}
        before = {n: one for n, one in kept.items() if one not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, one in before.items():
            signal.signal(number, one)
