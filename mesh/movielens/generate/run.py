"""The whole run: plan the world from the seed, make it block by block, write three files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np

from mesh.console import progress
from mesh.deliveries import months_after
from mesh.errors import WrongUse
from mesh.movielens.generate.activity import BLOCK_USERS, Ratings, rate
from mesh.movielens.generate.audience import (
    Audience,
    make_arrivals,
    make_audience,
    normal_quantiles,
    rating_counts,
)
from mesh.movielens.generate.catalogue import (
    MAXIMUM_MOVIES,
    MINIMUM_MOVIES,
    Catalogue,
    make_catalogue,
    movies_for,
)
from mesh.movielens.generate.files import (
    movie_lines,
    prepare_folder,
    rating_lines,
    replaced_together,
    tag_lines,
)
from mesh.movielens.generate.tagging import Tags, Vocabulary, make_vocabulary, write_tags
from mesh.movielens.generate.timeline import (
    EARLIEST_LAST_DAY,
    LAST_DAY,
    Timeline,
    epoch,
    make_timeline,
)

DEFAULT_SEED = 25
Events = TypeVar("Events", Ratings, Tags)
_MOST_LATER_MONTHS = 24


@dataclass(frozen=True)
class GeneratedCounts:
    """What was written, and how long it took."""

    folder: Path
    users: int
    movies: int
    ratings: int
    tags: int
    seconds: float

    @property
    def rows(self) -> int:
        """Lines in all three files, headers aside."""
        return self.movies + self.ratings + self.tags


@dataclass(frozen=True)
class _Delivery:
    """A folder, and the epoch seconds from which on ratings and tags are in the next one."""

    folder: Path
    until: float


@dataclass(frozen=True)
class World:
    """All that is known before anything is rated."""

    seed: int
    audience: Audience
    catalogue: Catalogue
    vocabulary: Vocabulary
    timeline: Timeline

    def events(self, block: int) -> tuple[Ratings, Tags]:
        """All that the users of one block do."""
        known = (self.seed, block, self.audience, self.catalogue)
        ratings = rate(*known, self.timeline)
        return ratings, write_tags(*known, self.vocabulary, self.timeline, ratings)


def generate(
    out: Path,
    users: int,
    seed: int = DEFAULT_SEED,
    *,
    movies: int | None = None,
    end: date = LAST_DAY,
    later_months: int = 0,
    force: bool = False,
) -> GeneratedCounts:
    """Write movies.csv, ratings.csv and tags.csv of that many users into the folder `out`.

    movies: how many; by default as many as a data set of that size has.
    end: the day of the newest rating (UTC).
    later_months: that many of the last months are deliveries of their own, to be appended, in
    folders beside `out` whose names end in the month; all of movies.csv is in each.
    force: replace the three files when the folder is not empty.

    The same users, seed, movies, end and later_months give the same bytes. Raises WrongUse when an
    argument is out of range or a folder cannot be used; then no file is left or changed.
    """
    started = time.perf_counter()
    movies = movies_for(users) if movies is None and users > 0 else movies
    _check(users, seed, movies, end, later_months)
    assert movies is not None
    deliveries = _deliveries(out, end, later_months)
    for delivery in deliveries:
        prepare_folder(delivery.folder, users, force)
    world = make_world(users, seed, movies, end)
    ids, ends = world.catalogue.ids, [one.until for one in deliveries]
    blocks = -(-users // BLOCK_USERS)
    ratings = tags = 0
    with ExitStack() as stack:
        opened = [stack.enter_context(replaced_together(one.folder)) for one in deliveries]
        bar = stack.enter_context(progress())
        task = bar.add_task("generating", total=blocks, detail="")
        for files in opened:
            files["movies.csv"].write(movie_lines(world.catalogue))
        for block in range(blocks):
            rated, tagged = world.events(block)
            parts = zip(opened, _parts(rated, ends), _parts(tagged, ends), strict=True)
            for files, some_ratings, some_tags in parts:
                files["ratings.csv"].write(rating_lines(some_ratings, ids))
                files["tags.csv"].write(tag_lines(some_tags, ids, world.vocabulary))
            ratings, tags = ratings + len(rated.user), tags + len(tagged.user)
            bar.update(task, advance=1, detail=f"{ratings:,} ratings")
    return GeneratedCounts(out, users, movies, ratings, tags, time.perf_counter() - started)


def _deliveries(out: Path, end: date, later_months: int) -> tuple[_Delivery, ...]:
    months = [months_after(end, -back) for back in reversed(range(later_months))]
    whole = out.resolve()
    folders = [out, *(whole.with_name(f"{whole.name}-{month:%Y-%m}") for month in months)]
    ends = [*(float(epoch(month)) for month in months), float("inf")]
    return tuple(map(_Delivery, folders, ends))


def _check(users: int, seed: int, movies: int | None, end: date, later_months: int) -> None:
    if users < 1:
        raise WrongUse(f"--users is {users}.", fix="Give 1 or more.")
    if seed < 0:
        raise WrongUse(f"--seed is {seed}.", fix="Give 0 or more.")
    if movies is not None and not MINIMUM_MOVIES <= movies <= MAXIMUM_MOVIES:
        raise WrongUse(
            f"--movies is {movies}.",
            fix=f"Give {MINIMUM_MOVIES} to {MAXIMUM_MOVIES}: every user rates at least 20 of "
            "them, and all must fit into memory.",
        )
    if not 0 <= later_months <= _MOST_LATER_MONTHS:
        raise WrongUse(f"--later-months is {later_months}.", fix=f"Give 0 to {_MOST_LATER_MONTHS}.")
    today = datetime.now(tz=UTC).date()
    if not EARLIEST_LAST_DAY <= end < today:
        raise WrongUse(
            f"--end is {end}.",
            fix=f"Give a day from {EARLIEST_LAST_DAY} to yesterday: ratings begin in 1995.",
        )


def make_world(users: int, seed: int, movies: int, end: date) -> World:
    streams = np.random.SeedSequence([seed, 0]).spawn(4)
    for_movies, for_arrivals, for_users, for_words = (
        np.random.Generator(np.random.PCG64DXSM(stream)) for stream in streams
    )
    timeline = make_timeline(end, users)
    typical = rating_counts(normal_quantiles(101))
    catalogue = make_catalogue(for_movies, movies, users, typical, timeline)
    arrival = make_arrivals(for_arrivals, users, timeline)
    vocabulary = make_vocabulary(for_words)
    available = np.searchsorted(catalogue.added, arrival, side="right")
    audience = make_audience(for_users, arrival, available)
    return World(seed, audience, catalogue, vocabulary, timeline)


def _parts(events: Events, ends: list[float]) -> Iterator[Events]:
    """Events by the delivery that they are in."""
    delivery = np.searchsorted(ends, events.seconds, side="right")
    for number in range(len(ends)):
        mine = delivery == number
        yield replace(
            events, **{one.name: getattr(events, one.name)[mine] for one in fields(events)}
        )
