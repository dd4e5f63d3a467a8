"""How an ingest tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# From here on the delivery may be there, whatever becomes of the process.
COMMITTING = "committing"


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
