"""What taggers write: praise or complaint by their rating, the genre, the movie's own themes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mesh.movielens.generate.activity import BLOCK_USERS, Ratings, block_rng
from mesh.movielens.generate.audience import Audience
from mesh.movielens.generate.catalogue import GENRE_SLOTS, UNLISTED, Catalogue
from mesh.movielens.generate.timeline import TAGS_FROM, Timeline
from mesh.movielens.generate.titles import invented_names
from mesh.movielens.generate.words import (
    ADJECTIVES,
    AWKWARD_TAGS,
    COMPLAINT,
    GENRE_TAGS,
    GENRES,
    NOUNS,
    PRAISE,
    THEMES,
)

_PEOPLE = 4_000
_COINED = 24_000
_ROUNDS = 12
_TAGS_PER_MOVIE = 2.5
_MIX = np.cumsum([0.18, 0.26, 0.25, 0.14, 0.155, 0.015])


@dataclass(frozen=True)
class Vocabulary:
    """All tags that can be written, in sections that follow one another.

    texts: every tag once. rank: int64 (tags,), place of each in case-blind order, as the real
    files sort them. starts, sizes: int64 per section: praise, complaint, one per genre, themes
    (which also serve movies without genres), people, coined, awkward.
    """

    texts: list[str]
    rank: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray


@dataclass(frozen=True)
class Tags:
    """Tags of one block, ordered by user, movie and text; arrays of one length.

    user: int64, index in the whole audience. movie: int64, index in the catalogue.
    tag: int64, index in the vocabulary. seconds: int64, epoch.
    """

    user: np.ndarray
    movie: np.ndarray
    tag: np.ndarray
    seconds: np.ndarray


_THEMES = 2 + len(GENRES)


def make_vocabulary(rng: np.random.Generator) -> Vocabulary:
    """The same for every size of data set, so that a tag means the same in all of them."""
    names = invented_names(rng, 2 * _PEOPLE)
    people = [f"{a} {b}" for a, b in zip(names[:_PEOPLE], names[_PEOPLE:], strict=True)]
    coined = [f"{a} {n}".lower() for a in ADJECTIVES for n in NOUNS]
    more = invented_names(rng, _COINED - len(coined))
    nouns = rng.integers(0, len(NOUNS), len(more)).tolist()
    coined += [f"{name} {NOUNS[n].lower()}" for name, n in zip(more, nouns, strict=True)]
    sections = [PRAISE, COMPLAINT, *(GENRE_TAGS[g] for g in GENRES), THEMES, people, coined]
    sections.append(AWKWARD_TAGS)

    seen: set[str] = set()
    texts: list[str] = []
    starts, sizes = [], []
    for section in sections:
        fresh = [text for text in dict.fromkeys(section) if text not in seen]
        seen.update(fresh)
        starts.append(len(texts))
        sizes.append(len(fresh))
        texts.extend(fresh)
    return Vocabulary(texts, ranks(texts), np.array(starts), np.array(sizes))


def ranks(texts: Sequence[str]) -> np.ndarray:
    """The place of each text in case-blind order."""
    rank = np.empty(len(texts), dtype=np.int64)
    rank[sorted(range(len(texts)), key=lambda i: (texts[i].lower(), texts[i]))] = range(len(texts))
    return rank


def write_tags(
    seed: int,
    block: int,
    audience: Audience,
    catalogue: Catalogue,
    vocabulary: Vocabulary,
    timeline: Timeline,
    ratings: Ratings,
) -> Tags:
    """All tags of the users of one block, given their ratings."""
    rng = block_rng(seed, block, 2)
    members = np.arange(block * BLOCK_USERS, min((block + 1) * BLOCK_USERS, audience.size))
    users = np.repeat(members, audience.tags[members])
    rated = _tagged_ratings(rng, users, audience, ratings)
    movie, stars, seconds = ratings.movie[rated], ratings.half_stars[rated], ratings.seconds[rated]
    unrated = np.flatnonzero(rng.random(len(users)) < 0.02)
    cut = np.maximum(np.searchsorted(catalogue.added, seconds[unrated], side="right"), 1)
    movie[unrated] = np.floor(rng.random(len(unrated)) * cut).astype(np.int64)
    stars[unrated] = 6
    seconds = seconds + 1 + np.floor(rng.exponential(70.0, len(users))).astype(np.int64)

    tag = np.full(len(users), -1, dtype=np.int64)
    pair = (users - block * BLOCK_USERS) * catalogue.size + movie
    keys = np.full(len(users), -1, dtype=np.int64)
    todo = np.arange(len(users))
    for _ in range(_ROUNDS):
        if not len(todo):
            break
        tag[todo] = _draw(rng, movie[todo], stars[todo], catalogue, vocabulary)
        keys[todo] = pair[todo] * len(vocabulary.texts) + vocabulary.rank[tag[todo]]
        _, earliest = np.unique(keys, return_index=True)
        repeated = np.ones(len(users), dtype=bool)
        repeated[earliest] = False
        todo = np.flatnonzero(repeated)
    kept = np.setdiff1d(np.arange(len(users)), todo)
    order = kept[np.argsort(keys[kept])]
    return Tags(
        user=users[order],
        movie=movie[order],
        tag=tag[order],
        seconds=np.clip(seconds[order], TAGS_FROM, timeline.last),
    )


def _tagged_ratings(
    rng: np.random.Generator, users: np.ndarray, audience: Audience, ratings: Ratings
) -> np.ndarray:
    """For each tag to be written the rating that it goes with: a few movies get several tags."""
    count = audience.ratings[users]
    start = np.searchsorted(ratings.user, users)
    reach = np.clip(np.ceil(audience.tags[users] / _TAGS_PER_MOVIE), 1, count)
    place = np.floor(rng.random(len(users)) * reach)
    # Spread the tagged movies over all that the user rated, by a step that visits each once.
    return start + np.floor((place + 0.5) * count / reach).astype(np.int64)


def _draw(
    rng: np.random.Generator,
    movie: np.ndarray,
    stars: np.ndarray,
    catalogue: Catalogue,
    vocabulary: Vocabulary,
) -> np.ndarray:
    size = len(movie)
    kind = np.minimum(np.searchsorted(_MIX, rng.random(size), side="right"), len(_MIX) - 1)
    praises = np.where(rng.random(size) < 0.06, stars < 6, stars + rng.integers(0, 2, size) > 6)
    slot = catalogue.genre_slots[rng.integers(0, GENRE_SLOTS, size), movie].astype(np.int64)
    by_genre = np.where(slot == UNLISTED, _THEMES, 2 + slot)
    section = np.choose(
        kind, [np.where(praises, 0, 1), by_genre, _THEMES, _THEMES + 1, _THEMES + 2, _THEMES + 3]
    )
    free = rng.random(size)
    # A movie has five themes, four people and eight sayings of its own, which users repeat.
    own = np.choose(kind, [0, 0, 5, 4, 8, 0])
    choice = np.floor(free**1.5 * np.maximum(own, 1)).astype(np.uint64)
    mixed = _mix(movie.astype(np.uint64) * np.uint64(64) + choice + kind.astype(np.uint64) * 8)
    theirs = (own > 0) & (rng.random(size) < 0.7)
    count = vocabulary.sizes[section]
    at = np.where(
        theirs,
        (mixed % count.astype(np.uint64)).astype(np.int64),
        np.floor(free**1.4 * count).astype(np.int64),
    )
    return vocabulary.starts[section] + at


def _mix(values: np.ndarray) -> np.ndarray:
    """Scatter uint64 values evenly (a multiply and shift hash), the same everywhere."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
