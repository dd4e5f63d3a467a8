"""The users: how much each one rates and tags, and when each one arrives.

Counts and arrivals are spread evenly over their distributions and then shuffled, so that even a
small data set has the published mean and median instead of a lucky draw's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from mesh.movielens.generate.timeline import TAGS_FROM, Timeline

MINIMUM_RATINGS = 20
MEDIAN_RATINGS = 71
MEAN_RATINGS = 25_000_095 / 162_541
TAGGER_SHARE = 14_592 / 162_541
MEAN_TAGS = 1_093_360 / 14_592
_MEDIAN_TAGS = 3.0
_SPREAD = 1.39
_LARGEST_SHARE = 0.35
_TAGS_PER_RATING = 8


@dataclass(frozen=True)
class Audience:
    """What is known of every user before anything is rated; arrays of shape (users,).

    ratings, tags: int64, how many of each. arrival: float64, epoch seconds of the first rating.
    """

    ratings: np.ndarray
    tags: np.ndarray
    arrival: np.ndarray

    @property
    def size(self) -> int:
        return len(self.ratings)


def normal_quantiles(count: int) -> np.ndarray:
    """Evenly spaced quantiles of the normal distribution, ascending, shape (count,)."""
    inverse = NormalDist().inv_cdf
    return np.array([inverse((i + 0.5) / count) for i in range(count)])


def rating_counts(quantiles: np.ndarray, spread_above: float = _SPREAD) -> np.ndarray:
    """Ratings per user at each normal quantile: 20 plus a log-normal with median 51."""
    spread = np.where(quantiles > 0, spread_above, _SPREAD)
    extra = (MEDIAN_RATINGS - MINIMUM_RATINGS) * np.exp(spread * quantiles)
    return np.rint(MINIMUM_RATINGS + extra)


def make_arrivals(rng: np.random.Generator, users: int, timeline: Timeline) -> np.ndarray:
    """Epoch seconds of each user's first rating: one on the first day, one on the last."""
    place = rng.permutation(users)
    seconds = timeline.at((place + rng.random(users)) / users)
    seconds[place == users - 1] = timeline.last
    seconds[place == 0] = timeline.first
    return seconds


def make_audience(rng: np.random.Generator, arrival: np.ndarray, available: np.ndarray) -> Audience:
    """Counts for users who arrive at these times.

    available: int64 (users,), how many movies exist at each arrival: nobody rates more than a
    third of them.
    """
    users = len(arrival)
    quantiles = normal_quantiles(users)[rng.permutation(users)]
    ceiling = np.maximum(MINIMUM_RATINGS, (available * _LARGEST_SHARE).astype(np.int64))

    def counts(spread: float) -> np.ndarray:
        return np.minimum(rating_counts(quantiles, spread), ceiling)

    ratings = _with_mean(MEAN_RATINGS, counts, 0.8, 2.2)
    return Audience(ratings=ratings, tags=_tag_counts(rng, ratings, arrival), arrival=arrival)


def _tag_counts(rng: np.random.Generator, ratings: np.ndarray, arrival: np.ndarray) -> np.ndarray:
    """Few users tag; of those most tag once or twice and a handful tag nearly everything."""
    users = len(ratings)
    eligible = np.flatnonzero(arrival >= TAGS_FROM)
    wanted = min(round(users * TAGGER_SHARE), len(eligible))
    tags = np.zeros(users, dtype=np.int64)
    if not wanted:
        return tags
    taggers = rng.choice(eligible, wanted, replace=False)
    eagerness = np.log(ratings[taggers]) + rng.normal(0.0, 0.8, wanted)
    taggers = taggers[np.argsort(eagerness, kind="stable")]
    quantiles = normal_quantiles(wanted)
    ceiling = ratings[taggers] * _TAGS_PER_RATING

    def counts(spread: float) -> np.ndarray:
        wish = np.rint(_MEDIAN_TAGS * np.exp(np.minimum(spread * quantiles, 14.0)))
        return np.clip(wish, 1, ceiling)

    tags[taggers] = _with_mean(MEAN_TAGS, counts, 0.5, 4.5)
    return tags


def _with_mean(
    mean: float, counts: Callable[[float], np.ndarray], low: float, high: float
) -> np.ndarray:
    """The counts of this mean, int64, by a spread between these two."""
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if counts(middle).mean() < mean else (low, middle)
    return counts(low).astype(np.int64)
