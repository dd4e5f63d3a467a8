"""Lines over months as they are drawn: their points, and from when to when they go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from mesh.dashboards.drawing.evidence import bursts
from mesh.dashboards.kinds.base import Row

# Of so many lines it is said how many months of each have a gap in their place.
FEW_LINES = 3


@dataclass(frozen=True)
class Point:
    """A month of a line. moving: its strong value. over: whether the month is. left_out: whether
    it has a strong value that rests on too few; its row has it no longer."""

    month: date
    value: float | None
    moving: float | None
    low: float | None
    high: float | None
    over: bool
    row: Row
    left_out: bool = False

    @property
    def told(self) -> float | None:
        """What the strong line shows, or the only one."""
        return self.value if self.moving is None else self.moving


@dataclass(frozen=True)
class Track:
    """One line: its points in order. metric: what it shows by itself; judged: what is compared;
    first, last: the months in which it has rows, whether they can be shown or not; few: how many
    of these have a number that is left out; key: its own among the lines of a picture."""

    name: str
    metric: str
    judged: str
    points: list[Point]
    first: date
    last: date
    few: int = 0
    key: str = ""
    colour: str = "@accent"

    @cached_property
    def bursts(self) -> float:
        """Of its whole months by themselves, if they are counts."""
        return bursts([p.value for p in self.points if p.over and p.value is not None])


def values_of(tracks: Sequence[Track]) -> list[float]:
    """All numbers that the picture has to have room for."""
    return [
        value
        for track in tracks
        for point in track.points
        for value in (point.value, point.moving, point.low, point.high)
        if value is not None
    ]


def has_band(tracks: Sequence[Track]) -> bool:
    """Whether any point has an interval that can be drawn."""
    return any(point.low is not None for track in tracks for point in track.points)
