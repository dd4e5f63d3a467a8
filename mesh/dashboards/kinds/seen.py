"""What kinds of charts share to say in a sentence what is seen: names, amounts, estimates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from mesh.dashboards.drawing.evidence import Estimate, counted, share
from mesh.dashboards.kinds.base import Board, Row
from mesh.dashboards.parts import Interval

T = TypeVar("T")
LONGEST_NAME = 60


def named(name: str) -> str:
    """A name from the data in a sentence of ours: not too long, and in its own direction."""
    cut = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].rstrip()}…"
    return cut if cut.isascii() else f"\u2068{cut}\u2069"


def lowered(label: str) -> str:
    """A label within a sentence; what is written in capitals stays so."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def amount(board: Board, metric: str, row: Row, of: str | None = None) -> str:
    """`610 users`, or `27.1%`, or `27.1% of 277`."""
    text = board.text(metric, row)
    if of:
        return f"{text} of {board.text(of, row)}"
    stated = board.metrics[metric]
    return f"{text} {lowered(stated.label)}" if stated.format == "count" else text


def estimate(
    board: Board,
    row: Row,
    metric: str,
    interval: Interval | None = None,
    of: str | None = None,
) -> Estimate | None:
    """A metric of a row with how sure it is: by the interval that the product has of it, as a
    share of so many, or as a count. None where nothing tells how sure it is."""
    value = row[metric]
    if value is None:
        return None
    if interval:
        low, high = row[interval.low], row[interval.high]
        if low is not None and high is not None:
            return Estimate(value, low, high, interval.level)
        return None
    if board.metrics[metric].format == "count":
        return counted(value) if value >= 0 else None
    if of and row[of] and 0 <= value <= 1:
        return share(value, row[of])
    return None


def extreme(
    found: Sequence[tuple[T, Estimate]], which: Literal["most", "least"]
) -> tuple[T, Estimate] | None:
    """The only one that has the most or the least; None where several share that place."""
    sign = 1 if which == "most" else -1
    return the_most(found, lambda one: sign * one[1].value)


def the_most(found: Sequence[T], value: Callable[[T], float]) -> T | None:
    """The only one whose value is the greatest; None where several share that place."""
    most = max(map(value, found), default=None)
    those = [one for one in found if value(one) == most]
    return those[0] if len(those) == 1 else None
