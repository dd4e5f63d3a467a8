"""How users leave, when that is planted: known chances, which data products have to find again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from mesh.errors import WrongUse
from mesh.movielens.generate.audience import MEDIAN_RATINGS, Audience
from mesh.movielens.generate.timeline import Timeline, epoch

MONTH_SECONDS = 30.4375 * 86_400


@dataclass(frozen=True)
class Leaving:
    """Who leaves when. All act on their first day; who does not leave then, acts once a month.

    at_once: the share that leaves after the first day, of users who rate no more than the median
    user on it. hazard: the share of those still there that leaves after each later month.
    keen_odds: the odds of leaving at once of those who rate more, as a multiple of the others'.
    since, since_odds: from that year on, the odds of leaving at once of who comes, as a multiple.
    """

    at_once: float = 0.6
    hazard: float = 0.1
    keen_odds: float = 0.4
    since: int | None = None
    since_odds: float = 1.0

    def __post_init__(self) -> None:
        for name in ("at_once", "hazard"):
            if not 0 < getattr(self, name) < 1:
                raise WrongUse(
                    f"{name} is {getattr(self, name)}.", fix="Give a share between 0 and 1."
                )
        for name in ("keen_odds", "since_odds"):
            if not getattr(self, name) > 0:
                raise WrongUse(f"{name} is {getattr(self, name)}.", fix="Give more than 0.")

    def chance(self, is_keen: np.ndarray, is_since: np.ndarray) -> np.ndarray:
        """The chance of leaving after the first day."""
        odds = self.at_once / (1 - self.at_once) * np.where(is_keen, self.keen_odds, 1.0)
        odds = odds * np.where(is_since, self.since_odds, 1.0)
        return odds / (1 + odds)


def plant(
    rng: np.random.Generator, leaving: Leaving, audience: Audience, timeline: Timeline
) -> Audience:
    """The same users with the months in which they come back, and a rating more for each."""
    since = np.inf if leaving.since is None else epoch(date(leaving.since, 1, 1))
    chance = leaving.chance(audience.ratings > MEDIAN_RATINGS, audience.arrival >= since)
    stays = rng.random(audience.size) >= chance
    months = np.where(stays, rng.geometric(leaving.hazard, audience.size), 0)
    left = np.floor((timeline.last - audience.arrival) / MONTH_SECONDS - 0.5).astype(np.int64)
    months = np.minimum(months, np.maximum(left, 0))
    return replace(audience, ratings=audience.ratings + months, months=months)
