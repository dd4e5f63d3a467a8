"""Python's garbage collector, which is spared the loaded project while SQLMesh works.

It would walk the million objects of the project again and again, a tenth of the time of a plan, to
find the queries that are done with. Without any collection these would pile up: 0.7 GB in a plan.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def collector_spared() -> Iterator[None]:
    """What is there now is not looked at; what comes is collected, ten times as seldom."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def spared(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a method does, without a look at what was there before."""
    with collector_spared():
        return original(*args, **kwargs)


def paused(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a method does that makes objects which stay: nothing is collected."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return original(*args, **kwargs)
    finally:
        if was_enabled:
            gc.enable()
