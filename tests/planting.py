"""How users leave, decays, tastes, seasons and moods that are planted in generated files.

The data products have to find them again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from mesh.errors import WrongUse
from mesh.movielens.generate import activity, run
from mesh.movielens.generate.activity import BLOCK_USERS, Ratings, block_rng
from mesh.movielens.generate.audience import MEDIAN_RATINGS, Audience, make_arrivals
from mesh.movielens.generate.catalogue import Catalogue
from mesh.movielens.generate.tagging import Tags, Vocabulary, ranks
from mesh.movielens.generate.timeline import TAGS_FROM, Timeline, epoch
from mesh.movielens.generate.words import GENRES

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


def months_of(
    rng: np.random.Generator, leaving: Leaving, audience: Audience, timeline: Timeline
) -> np.ndarray:
    """In how many months after the first day each user comes back; int64."""
    since = np.inf if leaving.since is None else epoch(date(leaving.since, 1, 1))
    chance = leaving.chance(audience.ratings > MEDIAN_RATINGS, audience.arrival >= since)
    stays = rng.random(audience.size) >= chance
    months = np.where(stays, rng.geometric(leaving.hazard, audience.size), 0)
    left = np.floor((timeline.last - audience.arrival) / MONTH_SECONDS - 0.5).astype(np.int64)
    return np.minimum(months, np.maximum(left, 0))


def _plan_stays(
    rng: np.random.Generator,
    counts: np.ndarray,
    arrival: np.ndarray,
    catalogue: Catalogue,
    timeline: Timeline,
    *,
    months: np.ndarray,
) -> activity._Slots:
    """Everybody rates on the first day, and one movie in each month in which they come back."""
    owner = np.repeat(np.arange(len(counts)), 1 + months)
    start = np.cumsum(1 + months) - (1 + months)
    nth = np.arange(len(owner)) - start[owner]
    # In the middle of a month, so that its length and that of the first day do not matter.
    begins = arrival[owner] + (nth + 0.5 * (nth > 0)) * MONTH_SECONDS
    size = np.where(nth == 0, (counts - months)[owner], 1)
    session = np.repeat(np.arange(len(owner)), size)
    return activity._fill_sessions(rng, owner[session], session, owner, begins, catalogue, timeline)


@dataclass(frozen=True)
class Decay:
    """Premieres: so many movies are rated from one day on, by that share of those who came before.

    half_life: after how many months half of their ratings have been made.
    """

    half_life: float = 12.0
    movies: int = 40
    share: float = 0.3

    def days(self, timeline: Timeline) -> np.ndarray:
        """When each of them opens, in epoch seconds: first days of months, in mid-timeline."""
        wished = timeline.first + (timeline.last - timeline.first) * np.linspace(
            0.45, 0.75, self.movies
        )
        days = (datetime.fromtimestamp(second, tz=UTC) for second in wished.tolist())
        return np.array([float(epoch(date(d.year, d.month, 1))) for d in days])


@dataclass(frozen=True)
class Taste:
    """That share of the users gives all movies of the genre five stars, the others three."""

    genre: str
    share: float


@dataclass(frozen=True)
class Seasons:
    """New users come as 1 + height * cos of the time of the year, most of them at peak (0 to 1)."""

    height: float = 0.5
    peak: float = 0.0

    def share_until(self, part: np.ndarray) -> np.ndarray:
        """The share of a year's new users who come in that part of the year."""
        wave = np.sin(2 * np.pi * (part - self.peak)) + np.sin(2 * np.pi * self.peak)
        return part + self.height * wave / (2 * np.pi)


@dataclass(frozen=True)
class Mood:
    """A tag on that share of all ratings, which are so many half-stars higher, or lower, for it."""

    tag: str
    half_stars: int
    share: float = 0.005


@dataclass(frozen=True)
class Planted:
    """What is planted besides; each of them has random streams of its own, so the rest stays."""

    decay: Decay | None = None
    taste: Taste | None = None
    seasons: Seasons | None = None
    moods: tuple[Mood, ...] = ()

    def __post_init__(self) -> None:
        shares = {"the moods' share": sum(mood.share for mood in self.moods)}
        if self.decay:
            shares["the decay's share"] = self.decay.share
            if not self.decay.half_life > 0:
                raise WrongUse(
                    f"the decay's half-life is {self.decay.half_life}.", fix="Give more than 0."
                )
        if self.taste:
            shares["the taste's share"] = self.taste.share
            if self.taste.genre not in GENRES:
                raise WrongUse(
                    f"{self.taste.genre} is no genre.", fix=f"Give one of {', '.join(GENRES)}."
                )
        if self.seasons:
            shares["the seasons' height"] = self.seasons.height
        for name, share in shares.items():
            if not 0 <= share < 1:
                raise WrongUse(f"{name} is {share}.", fix="Give 0 or more, and less than 1.")

    def arrivals(self, arrival: np.ndarray, timeline: Timeline) -> np.ndarray:
        """The same users by season; the year under way stays as it is."""
        if self.seasons is None:
            return arrival
        last = datetime.fromtimestamp(timeline.last, tz=UTC).year
        starts = [float(epoch(date(year, 1, 1))) for year in range(1995, last + 1)]
        year = np.searchsorted(starts, arrival, side="right") - 1
        begins, length = np.array(starts)[year], np.diff([*starts, timeline.last])[year]
        grid = np.linspace(0.0, 1.0, 1_001)
        part = np.interp((arrival - begins) / length, self.seasons.share_until(grid), grid)
        moved = np.where(year < len(starts) - 1, begins + part * length, arrival)
        return np.clip(moved, timeline.first, timeline.last)

    def premieres(self, catalogue: Catalogue, timeline: Timeline) -> np.ndarray:
        """Which movies they are: the last that were added before the day, in the order of days."""
        if self.decay is None:
            return np.zeros(0, dtype=np.int64)
        latest = np.searchsorted(catalogue.added, self.decay.days(timeline)) - 1
        # No movie opens twice.
        return np.maximum.accumulate(latest - np.arange(len(latest))) + np.arange(len(latest))

    def catalogue(self, catalogue: Catalogue, timeline: Timeline) -> Catalogue:
        """Nobody comes upon the movies that have a premiere by themselves."""
        weight = np.diff(catalogue.weight_before)
        weight[self.premieres(catalogue, timeline)] = 0.0
        return replace(catalogue, weight_before=np.concatenate([[0.0], np.cumsum(weight)]))

    def vocabulary(self, vocabulary: Vocabulary) -> Vocabulary:
        """The moods' tags come last."""
        texts = vocabulary.texts + [mood.tag for mood in self.moods]
        return replace(vocabulary, texts=texts, rank=ranks(texts))

    def ratings(self, world: run.World, block: int, ratings: Ratings) -> tuple[Ratings, np.ndarray]:
        """The ratings of a block as they are planted; and of each its mood, or -1."""
        ratings = self._premiered(world, block, ratings)
        stars = ratings.half_stars.copy()
        if self.taste:
            drawn = block_rng(world.seed, block, 4).random(int(np.ptp(ratings.user)) + 1)
            loves = drawn < self.taste.share
            genre = (world.catalogue.genre_slots == GENRES.index(self.taste.genre)).any(axis=0)
            own = genre[ratings.movie]
            stars[own] = np.where(loves[ratings.user - ratings.user.min()], 10, 6)[own]
        bounds = np.cumsum([0.0, *(mood.share for mood in self.moods)])
        drawn = block_rng(world.seed, block, 5).random(len(stars))
        mood = np.searchsorted(bounds, drawn, side="right") - 1
        mood = np.where((mood < len(self.moods)) & (ratings.seconds >= TAGS_FROM), mood, -1)
        shift = np.array([*(mood.half_stars for mood in self.moods), 0])
        return replace(ratings, half_stars=np.clip(stars + shift[mood], 1, 10)), mood

    def _premiered(self, world: run.World, block: int, ratings: Ratings) -> Ratings:
        if self.decay is None:
            return ratings
        rng = block_rng(world.seed, block, 6)
        members = np.unique(ratings.user)
        opens = self.decay.days(world.timeline)
        shape = (len(members), len(opens))
        seconds = opens + rng.exponential(self.decay.half_life / np.log(2), shape) * MONTH_SECONDS
        seen = rng.random(shape) < self.decay.share
        seen &= (world.audience.arrival[members][:, None] < opens) & (
            seconds <= world.timeline.last
        )
        who, which = np.nonzero(seen)
        stars = 2 * rng.integers(2, 6, len(who))
        movie = self.premieres(world.catalogue, world.timeline)[which]
        user = np.concatenate([ratings.user, members[who]])
        movies = np.concatenate([ratings.movie, movie])
        _, order = np.unique(user * world.catalogue.size + movies, return_index=True)
        return Ratings(
            user=user[order],
            movie=movies[order],
            half_stars=np.concatenate([ratings.half_stars, stars])[order],
            seconds=np.concatenate([ratings.seconds, seconds[seen].astype(np.int64)])[order],
        )

    def tags(self, world: run.World, ratings: Ratings, mood: np.ndarray, tags: Tags) -> Tags:
        """The tags of a block, and those of moods."""
        moody = np.flatnonzero(mood >= 0)
        user = np.concatenate([tags.user, ratings.user[moody]])
        movie = np.concatenate([tags.movie, ratings.movie[moody]])
        own = len(world.vocabulary.texts) - len(self.moods) + mood[moody]
        tag = np.concatenate([tags.tag, own])
        at = np.minimum(ratings.seconds[moody] + 60, world.timeline.last)
        order = np.lexsort((world.vocabulary.rank[tag], movie, user))
        return Tags(
            user[order], movie[order], tag[order], np.concatenate([tags.seconds, at])[order]
        )


@dataclass(frozen=True)
class PlantedWorld(run.World):
    """months: in how many months after the first day each user comes back, if that is planted."""

    planted: Planted | None
    months: np.ndarray | None

    @classmethod
    def of(cls, world: run.World, leaving: Leaving | None, planted: Planted | None) -> PlantedWorld:
        known = vars(world)
        months = None
        if planted is not None:
            known = known | {
                "catalogue": planted.catalogue(world.catalogue, world.timeline),
                "vocabulary": planted.vocabulary(world.vocabulary),
            }
        if leaving is not None:
            rng = np.random.default_rng([world.seed, 3])
            months = months_of(rng, leaving, world.audience, world.timeline)
            ratings = world.audience.ratings + months
            known = known | {"audience": replace(world.audience, ratings=ratings)}
        return cls(**known, planted=planted, months=months)

    def events(self, block: int) -> tuple[Ratings, Tags]:
        sessions = activity._plan_sessions
        if self.months is not None:
            first = block * BLOCK_USERS
            sessions = partial(_plan_stays, months=self.months[first : first + BLOCK_USERS])
        with patch.object(activity, "_plan_sessions", sessions):
            ratings, tags = super().events(block)
        if self.planted is None:
            return ratings, tags
        ratings, mood = self.planted.ratings(self, block, ratings)
        return ratings, self.planted.tags(self, ratings, mood, tags)


def generate(
    out: Path,
    users: int,
    *,
    leaving: Leaving | None = None,
    planted: Planted | None = None,
    **how: Any,
) -> None:
    """`mesh.movielens.generate.generate`, with what is planted."""
    make_world = run.make_world

    def arrivals(rng: np.random.Generator, users: int, timeline: Timeline) -> np.ndarray:
        arrival = make_arrivals(rng, users, timeline)
        return planted.arrivals(arrival, timeline) if planted else arrival

    def world(*known: Any) -> PlantedWorld:
        return PlantedWorld.of(make_world(*known), leaving, planted)

    with patch.object(run, "make_world", world), patch.object(run, "make_arrivals", arrivals):
        run.generate(out, users, **how)
