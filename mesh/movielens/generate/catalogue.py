"""The movies: when each became known to the service, how known and how good it is, what it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from mesh.movielens.generate.popularity import rank_shares, weights_for
from mesh.movielens.generate.timeline import FIRST_DAY, Timeline, months_since_start
from mesh.movielens.generate.titles import make_titles
from mesh.movielens.generate.words import GENRE_RATING, GENRE_SHARE, GENRES, NO_GENRES

UNLISTED = len(GENRES)
GENRE_SLOTS = 4
MINIMUM_MOVIES = 100
MAXIMUM_MOVIES = 1_000_000

# The best known movies come in as in a small data set; the long tail comes late and all at once.
_CORE_MOVIES = 9_000
_CORE_CURVE = ((0.0, 0.15), (0.08, 0.17), (0.2, 0.36), (0.4, 0.62), (0.6, 0.80), (0.8, 0.93))
_TAIL_CURVE = ((0.0, 0.0), (0.2, 0.02), (0.4, 0.12), (0.6, 0.27), (0.8, 0.55))
_OPENING_MOVIES = 150
_GENRE_COUNTS = (0.29, 0.33, 0.24, 0.10, 0.03, 0.01)
_LEAST_EXPOSURE = 0.012
_UNKNOWN_SHARE = 1e-4


@dataclass(frozen=True)
class Catalogue:
    """All movies, ordered by the moment from which they can be rated; arrays share that order.

    ids: int64 (movies,), ascending. titles, genres: as written to the file.
    added: float64 (movies,), epoch seconds, ascending.
    weight_before: float64 (movies + 1,), the weight of all movies in front of each one.
    quality: float32 (movies,), how far the movie is rated above the mean, genres included.
    genre_slots: uint8 (4, movies), indexes into GENRES, repeated to fill; UNLISTED for none.
    trend: float32 (months, genres + 1), attention that each genre gets in each month, 0 to 1.
    """

    ids: np.ndarray
    titles: list[str]
    genres: list[str]
    added: np.ndarray
    weight_before: np.ndarray
    quality: np.ndarray
    genre_slots: np.ndarray
    trend: np.ndarray

    @property
    def size(self) -> int:
        return len(self.ids)


def movies_for(users: int) -> int:
    """How many movies a data set of that many users has: 62,423 at 162,541, about 9,000 at 600."""
    return max(MINIMUM_MOVIES, round(62_423 * (users / 162_541) ** 0.3457))


def make_catalogue(
    rng: np.random.Generator, movies: int, users: int, ratings: np.ndarray, timeline: Timeline
) -> Catalogue:
    """A catalogue of that many movies.

    ratings: float64, the numbers of ratings of typical users, evenly spaced by quantile.
    """
    added = _added(rng, movies, timeline)
    shares = rank_shares(movies, users, float(ratings.mean()))
    by_rank = weights_for(shares, ratings)
    exposure = np.maximum(1.0 - timeline.share_before(added), _LEAST_EXPOSURE)
    needed = np.minimum(shares / exposure, shares[0])
    weight = np.exp(np.interp(np.log(needed), np.log(shares[::-1]), np.log(by_rank[::-1])))
    known = np.clip(np.log(shares / _UNKNOWN_SHARE) / np.log(0.5 / _UNKNOWN_SHARE), 0.0, 1.0)

    order = np.argsort(added, kind="stable")
    added, weight, known, shares, rank = (
        added[order], weight[order], known[order], shares[order], order
    )  # fmt: skip
    years = _years(rng, added, rank >= _CORE_MOVIES, timeline)
    chosen = _genres(rng, years, rank)
    quality = rng.normal(0.0, 0.40, movies) + 0.55 * known
    quality += _mean_of_chosen(chosen, 1.25 * np.array(GENRE_RATING))
    # Centred by attention, so that the mean rating does not hang on the luck of a few famous ones.
    quality -= np.average(quality, weights=shares)
    return Catalogue(
        ids=_ids(rng, movies),
        titles=make_titles(rng, years),
        genres=_genre_texts(chosen),
        added=added,
        weight_before=np.concatenate([[0.0], np.cumsum(weight)]),
        quality=quality.astype(np.float32),
        genre_slots=_slots(rng, chosen),
        trend=_trend(rng, timeline),
    )


def _added(rng: np.random.Generator, movies: int, timeline: Timeline) -> np.ndarray:
    opening = min(0.9, _OPENING_MOVIES / movies)
    core = [(0.0, max(_CORE_CURVE[0][1], opening))]
    core += [(x, max(y, opening)) for x, y in _CORE_CURVE[1:]] + [(1.0, 1.0)]
    draw = rng.random(movies)
    span = timeline.last - 86_400 - timeline.first
    place = np.interp(draw, [y for _, y in core], [x for x, _ in core])
    place[draw <= core[0][1]] = 0.0
    tail = np.interp(draw, [y for _, y in _TAIL_CURVE] + [1.0], [x for x, _ in _TAIL_CURVE] + [1.0])
    place[_CORE_MOVIES:] = tail[_CORE_MOVIES:]
    top = min(100, movies // 4)
    place[:top] = np.where(rng.random(top) < 0.6, 0.0, rng.uniform(0.04, 0.75, top))
    place[: min(3, top)] = 0.0
    needed = min(_OPENING_MOVIES, movies) - int((place == 0.0).sum())
    if needed > 0:
        place[np.flatnonzero(place > 0.0)[:needed]] = 0.0
    return timeline.first + place * span


def _years(
    rng: np.random.Generator, added: np.ndarray, tail: np.ndarray, timeline: Timeline
) -> np.ndarray:
    """Years of release: most movies are added in their year, the rest are older ones.

    tail: bool (movies,), movies outside the well known core, which are older when added.
    """
    size = len(added)
    seen = np.array([datetime.fromtimestamp(t, tz=UTC).year for t in added.tolist()])
    opening = added <= timeline.first
    age = np.where(
        rng.random(size) < np.where(tail, 0.30, 0.62),
        rng.integers(0, 2, size),
        np.floor(rng.exponential(np.where(tail, 24.0, 18.0), size)).astype(np.int64) + 2,
    )
    old = np.floor(rng.exponential(13.0, size)).astype(np.int64)
    return np.maximum(1902, np.where(opening, FIRST_DAY.year - old, seen - age))


def _genres(rng: np.random.Generator, years: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Bool (movies, genres): which genres each movie carries; a row without any is unlisted."""
    size = len(years)
    share = np.tile(np.array(GENRE_SHARE), (size, 1))
    column = {name: i for i, name in enumerate(GENRES)}
    share[:, column["Film-Noir"]] *= np.where(years < 1960, 14.0, 0.25)
    share[:, column["IMAX"]] *= np.where(years > 2001, 2.0, 0.4)
    share[:, column["Documentary"]] *= np.where(years > 2000, 1.4, 0.6)
    share[:, column["Western"]] *= np.where(years < 1975, 4.0, 0.6)
    keys = rng.exponential(1.0, share.shape) / share
    wanted = 1 + rng.choice(len(_GENRE_COUNTS), size, p=_GENRE_COUNTS)
    position = np.argsort(np.argsort(keys, axis=1), axis=1)
    chosen = position < wanted[:, None]
    unlisted = rng.random(size) < np.where(rank < _CORE_MOVIES, 0.004, 0.092)
    unlisted[size // 2] = True
    chosen[unlisted] = False
    return chosen


def _mean_of_chosen(chosen: np.ndarray, values: np.ndarray) -> np.ndarray:
    return (chosen * values).sum(axis=1) / np.maximum(chosen.sum(axis=1), 1)


def _genre_texts(chosen: np.ndarray) -> list[str]:
    return [
        "|".join(name for name, has in zip(GENRES, row, strict=True) if has) or NO_GENRES
        for row in chosen.tolist()
    ]


def _slots(rng: np.random.Generator, chosen: np.ndarray) -> np.ndarray:
    keys = np.where(chosen, rng.random(chosen.shape), 2.0)
    order = np.argsort(keys, axis=1)[:, :GENRE_SLOTS]
    count = np.clip(chosen.sum(axis=1), 1, GENRE_SLOTS)
    slots = order[np.arange(len(order))[:, None], np.arange(GENRE_SLOTS)[None, :] % count[:, None]]
    slots[~chosen.any(axis=1)] = UNLISTED
    return np.ascontiguousarray(slots.T.astype(np.uint8))


def _ids(rng: np.random.Generator, movies: int) -> np.ndarray:
    """Ids ascend with gaps that widen, as withdrawn entries left them."""
    place = np.arange(movies) / movies
    return np.cumsum(rng.geometric(1.0 / (1.0 + 6.0 * place**2)))


def _trend(rng: np.random.Generator, timeline: Timeline) -> np.ndarray:
    """Slow waves, five to fourteen years long, different for every genre."""
    months = int(months_since_start(np.array([timeline.last]))[0]) + 2
    at = np.arange(months)[:, None]
    genres = len(GENRES) + 1
    period = rng.uniform(60.0, 168.0, genres)
    wave = np.sin(2 * np.pi * (at / period + rng.random(genres)))
    short = np.sin(2 * np.pi * (at / (period / 2.7) + rng.random(genres)))
    return (0.54 + 0.34 * wave + 0.12 * short).astype(np.float32)
