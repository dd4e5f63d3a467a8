"""How far numbers can be told apart, so that nothing is said of a picture that is chance."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

LEVEL = 95
"""Of how many in a hundred intervals hold the true value, where nothing else is stated."""


@dataclass(frozen=True)
class Estimate:
    """A number and the interval that it lies in; level: of the interval, in percent."""

    value: float
    low: float
    high: float
    level: int = LEVEL

    @property
    def _error(self) -> float:
        return (self.high - self.low) / 2 / _z(1 - self.level / 100)


def counted(count: float) -> Estimate:
    """How many of something there were, which another time would be a few more or fewer."""
    room = _z(1 - LEVEL / 100) * sqrt(max(count, 1))
    return Estimate(count, max(0.0, count - room), count + room)


def share(part: float, of: float) -> Estimate:
    """A share from 0 to 1 of so many, with Wilson's interval, which rounding must not put beside
    a share of none or of all."""
    z = _z(1 - LEVEL / 100)
    middle = (part + z * z / (2 * of)) / (1 + z * z / of)
    room = z / (1 + z * z / of) * sqrt(part * (1 - part) / of + z * z / (4 * of * of))
    return Estimate(part, min(part, max(0.0, middle - room)), max(part, min(1.0, middle + room)))


def apart(one: Estimate, other: Estimate, compared: int = 1) -> bool:
    """Whether one is surely more than the other.

    compared: among how many comparisons this one was picked, since of many some lie far apart by
    chance (Bonferroni's correction).
    """
    if one.low <= other.high and other.low <= one.high:
        return False
    error = sqrt(one._error**2 + other._error**2)
    return abs(one.value - other.value) > _z((1 - LEVEL / 100) / max(1, compared)) * error


def pairs(count: int) -> int:
    """How many comparisons there are among so many numbers."""
    return count * (count - 1) // 2


def _z(chance: float) -> float:
    """How many standard errors a value is off by chance that often, to either side."""
    return NormalDist().inv_cdf(1 - chance / 2)
