"""How far numbers can be told apart, so that nothing is said of a picture that is chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, hypot, sqrt
from statistics import NormalDist, median

# The median of chi squared with one degree of freedom.
_MIDDLE_OF_SQUARES = 0.4549364
LEVEL = 95
"""Of how many in a hundred intervals hold the true value, where nothing else is stated."""


@dataclass(frozen=True)
class Estimate:
    """A number and the interval that it lies in; level: of the interval, in percent.

    exact: whether the number itself was counted, so that two that are alike are a tie; the interval
    is then of what another time would be counted.
    """

    value: float
    low: float
    high: float
    level: int = LEVEL
    exact: bool = False

    def wider(self, times: float) -> Estimate:
        """The same number, with so many times the variance; no count is below 0."""
        low, high = (self.value + sqrt(times) * (end - self.value) for end in (self.low, self.high))
        return Estimate(self.value, max(0.0, low), high, self.level, self.exact)

    def error(self, end: float) -> float:
        """Its standard error to the side of this end."""
        return abs(end - self.value) / _z(1 - self.level / 100)


NOTHING = Estimate(0.0, 0.0, 0.0)
"""No difference, which is as sure as can be: it has no interval of its own."""


def counted(count: float, steps: int = 1) -> Estimate:
    """How many of something there were, which another time would be a few more or fewer.

    steps: to which the count was rounded down, so that it may have been up to the next.
    """
    most = count + steps - 1
    low, high = (_z(1 - LEVEL / 100) * sqrt(max(one, 1)) for one in (count, most))
    value = (count + most) / 2
    return Estimate(value, max(0.0, count - low), most + high, exact=steps == 1)


def bursts(counts: Sequence[float]) -> float:
    """How many times the variance of chance these counts in order lie off their neighbours.

    1 where each of what they count came by itself; more where much comes at once, as from
    one busy user. Steady growth is no burst: each is held against the middle of the two beside
    it. A step bends it little, since it is the median that counts.
    """
    three = zip(counts, counts[1:], counts[2:], strict=False)
    found = [(a - 2 * b + c) ** 2 / (a + 4 * b + c) for a, b, c in three if a + b + c]
    return max(1.0, median(found) / _MIDDLE_OF_SQUARES) if found else 1.0


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
    most, least = (one, other) if one.value > other.value else (other, one)
    if most.low <= least.high:
        return False
    error = hypot(most.error(most.low), least.error(least.high))
    return most.value - least.value > _z((1 - LEVEL / 100) / max(1, compared)) * error


def by_chance(count: int, level: int = LEVEL) -> int:
    """How many of so many intervals may leave out what is true, though nothing differs."""
    return ceil(count * (100 - level) / 100)


def pairs(count: int) -> int:
    """How many comparisons there are among so many numbers."""
    return count * (count - 1) // 2


def _z(chance: float) -> float:
    """How many standard errors a value is off by chance that often, to either side."""
    return NormalDist().inv_cdf(1 - chance / 2)
