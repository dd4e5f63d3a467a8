"""When things happen: the activity of the service over the years, and the months it is cut into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

FIRST_DAY = date(1995, 1, 9)
LAST_DAY = date(2019, 11, 21)
EARLIEST_LAST_DAY = date(1997, 12, 31)
HALF_STARS_FROM = int(datetime(2003, 2, 18, tzinfo=UTC).timestamp())
TAGS_FROM = int(datetime(2005, 12, 20, tzinfo=UTC).timestamp())

# Share of all users that arrive in each year from 1995 on; later years repeat the last.
_ARRIVALS = (
    0.0002, 0.081, 0.036, 0.018, 0.045, 0.068, 0.044, 0.034, 0.040, 0.042, 0.055, 0.042, 0.040,
    0.042, 0.036, 0.034, 0.030, 0.028, 0.024, 0.023, 0.060, 0.064, 0.062, 0.056, 0.052,
)  # fmt: skip
# However small the sample, its last half year has this many users, so that a table of the
# newest month is full; at the full size there are far more anyway.
_RECENT_USERS = 60
_RECENT_SHARE = 0.12
_RECENT_SECONDS = 183 * 86_400
_DAY = 86_400


def epoch(day: date) -> int:
    """Seconds since 1970 at the start of the day, UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class Timeline:
    """The seconds between the first and the last rating, and how activity spreads over them.

    first, last: epoch seconds of the earliest and the latest possible event.
    knots, shares: the cumulative share of arrivals at each knot, both ascending from 0 to 1.
    """

    first: int
    last: int
    knots: np.ndarray
    shares: np.ndarray

    def at(self, share: np.ndarray) -> np.ndarray:
        """Epoch seconds (float64) by which that share of the users has arrived."""
        return np.interp(share, self.shares, self.knots)

    def share_before(self, seconds: np.ndarray) -> np.ndarray:
        """The share of users that arrived before those epoch seconds; the inverse of `at`."""
        return np.interp(seconds, self.knots, self.shares)


def make_timeline(end: date, users: int) -> Timeline:
    """The timeline of a data set of that many users whose newest rating is on the day `end`."""
    first, last = epoch(FIRST_DAY) + 42_409, epoch(end) + 33_303
    years = range(FIRST_DAY.year, end.year + 1)
    knots = [max(first, epoch(date(year, 1, 1))) for year in years] + [last]
    arrivals = np.array([_ARRIVALS[min(i, len(_ARRIVALS) - 1)] for i in range(len(years))])
    span = np.diff(np.array(knots, dtype=np.float64))
    arrivals[1:] *= np.minimum(1.0, span[1:] / (365 * _DAY))
    shares = np.concatenate([[0.0], np.cumsum(arrivals)]) / arrivals.sum()

    recent = float(last - _RECENT_SECONDS)
    natural = 1.0 - float(np.interp(recent, knots, shares))
    wanted = max(natural, min(_RECENT_SHARE, _RECENT_USERS / users))
    before = [(k, s) for k, s in zip(knots, shares, strict=True) if k < recent]
    old_total = 1.0 - natural
    kept = [(k, s / old_total * (1.0 - wanted)) for k, s in before]
    points = [*kept, (recent, 1.0 - wanted), (float(last), 1.0)]
    return Timeline(first, last, *np.array(points, dtype=np.float64).T)


def months_since_start(seconds: np.ndarray) -> np.ndarray:
    """Index of a 30.44-day month since the first day; for trends, not for reporting."""
    return np.maximum(0, (seconds - epoch(FIRST_DAY)) // int(30.44 * _DAY)).astype(np.int64)
