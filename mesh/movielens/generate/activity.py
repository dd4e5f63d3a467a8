"""What a block of users does: sessions, the movies they pick in them, and how they rate those."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mesh.movielens.generate.audience import Audience
from mesh.movielens.generate.catalogue import UNLISTED, Catalogue
from mesh.movielens.generate.timeline import HALF_STARS_FROM, Timeline, months_since_start
from mesh.movielens.generate.words import GENRES

# Users of one block share one random stream: changing this changes the data of every seed.
BLOCK_USERS = 512
_DAY = 86_400.0
_MEAN_LATENT = 3.62
# Candidates per open slot in each round: more of them once the easy slots are filled.
_TRIES = (1,) * 6 + (2,) * 6 + (8,) * 12
_ONE_SESSION = 0.60
_MOST_SESSIONS = 200


@dataclass(frozen=True)
class Ratings:
    """Ratings of one block, ordered by user, then movie; arrays of one length.

    user: int64, index of the user in the whole audience. movie: int64, index in the catalogue.
    half_stars: int64, 1 to 10. seconds: int64, epoch.
    """

    user: np.ndarray
    movie: np.ndarray
    half_stars: np.ndarray
    seconds: np.ndarray


@dataclass(frozen=True)
class _Slots:
    """One entry per rating to be made, ordered by user and session; `user` counts in the block.

    session_at: epoch seconds of its session. cut: how many movies exist by then.
    later: whether the session is not the user's first. seconds: the moment of the rating.
    """

    user: np.ndarray
    session_at: np.ndarray
    cut: np.ndarray
    later: np.ndarray
    seconds: np.ndarray


def block_rng(seed: int, block: int, purpose: int) -> np.random.Generator:
    """The random stream of one block: the same whatever was drawn before."""
    return np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence([seed, purpose, block])))


def rate(
    seed: int, block: int, audience: Audience, catalogue: Catalogue, timeline: Timeline
) -> Ratings:
    """All ratings of the users of one block."""
    rng = block_rng(seed, block, 1)
    first = block * BLOCK_USERS
    members = slice(first, min(first + BLOCK_USERS, audience.size))
    counts, arrival = audience.ratings[members], audience.arrival[members]
    attention, liking = _tastes(rng, len(counts))
    slots = _plan_sessions(rng, counts, arrival, catalogue, timeline)
    movie = _pick(rng, slots, catalogue, attention)
    half_stars = _judge(rng, slots, movie, catalogue, liking)
    order = np.argsort(slots.user * catalogue.size + movie)
    return Ratings(
        user=slots.user[order] + first,
        movie=movie[order],
        half_stars=half_stars[order],
        seconds=slots.seconds[order],
    )


def _tastes(rng: np.random.Generator, users: int) -> tuple[np.ndarray, np.ndarray]:
    """What each user looks at and what each user likes, float32 (users, genres + 1) each.

    Every user has two favourite genres and three that they avoid and rate low.
    """
    genres = len(GENRES)
    attention = 0.42 * np.exp(rng.normal(0.0, 0.35, (users, genres + 1)))
    liking = rng.normal(0.0, 0.16, (users, genres + 1))
    order = np.argsort(rng.random((users, genres)) ** np.linspace(1.0, 1.6, genres), axis=1)
    rows = np.arange(users)[:, None]
    favourite, avoided = order[:, -2:], order[:, :3]
    attention[rows, favourite] = 1.0
    attention[rows, avoided] = 0.14
    liking[rows, favourite] += 0.55
    liking[rows, avoided] -= 0.60
    attention[:, UNLISTED], liking[:, UNLISTED] = 0.4, 0.0
    return np.minimum(attention, 1.0).astype(np.float32), liking.astype(np.float32)


def _plan_sessions(
    rng: np.random.Generator,
    counts: np.ndarray,
    arrival: np.ndarray,
    catalogue: Catalogue,
    timeline: Timeline,
) -> _Slots:
    """Most users come once; the rest come back after hours, weeks or years."""
    users = len(counts)
    more = np.floor(np.exp(rng.exponential(0.9, users))).astype(np.int64) + counts // 400
    sessions = np.where(rng.random(users) < _ONE_SESSION, 1 + counts // 900, 1 + more)
    sessions = np.clip(sessions, 1, np.minimum(counts, _MOST_SESSIONS))
    owner = np.repeat(np.arange(users), sessions)
    start = np.cumsum(sessions) - sessions
    is_first = np.zeros(len(owner), dtype=bool)
    is_first[start] = True
    gap = np.where(
        rng.random(len(owner)) < 0.35,
        rng.exponential(0.8 * _DAY, len(owner)),
        _DAY * np.exp(rng.normal(3.3, 1.5, len(owner))),
    )
    gap[is_first] = 0.0
    since = np.cumsum(gap)
    begins = arrival[owner] + since - since[start][owner]
    begins = np.where(begins > timeline.last, arrival[owner], begins)

    user = np.repeat(np.arange(users), counts)
    which = np.floor(sessions[user] * rng.random(len(user)) ** 2.2).astype(np.int64)
    session = np.sort(start[user] + which)
    return _fill_sessions(rng, user, session, owner, begins, catalogue, timeline)


def _fill_sessions(
    rng: np.random.Generator,
    user: np.ndarray,
    session: np.ndarray,
    owner: np.ndarray,
    begins: np.ndarray,
    catalogue: Catalogue,
    timeline: Timeline,
) -> _Slots:
    """The moments of all ratings.

    user, session: of each rating. owner, begins: of each session, whose it is and when it begins.
    """
    is_first = np.diff(owner, prepend=-1) > 0
    users = int(owner[-1]) + 1
    size = np.bincount(session, minlength=len(owner))
    place = np.arange(len(session)) - (np.cumsum(size) - size)[session]
    pace = np.exp(rng.normal(2.0, 0.6, users))
    length = (size + 1) * pace[owner]
    begins = np.maximum(np.minimum(begins, timeline.last - length), timeline.first)
    moment = begins[session] + (place + (place > 0) * rng.random(len(session))) * pace[user]
    cut = np.searchsorted(catalogue.added, begins, side="right")
    return _Slots(
        user=user,
        session_at=begins[session],
        cut=cut[session],
        later=~is_first[session],
        seconds=np.clip(moment, timeline.first, timeline.last).astype(np.int64),
    )


def _candidates(
    rng: np.random.Generator, slots: _Slots, todo: np.ndarray, catalogue: Catalogue
) -> np.ndarray:
    """One movie for each slot of `todo`: a well known one, or one that came out not long ago."""
    cut = slots.cut[todo]
    low = np.zeros(len(todo), dtype=np.int64)
    high = cut.copy()
    recent = np.flatnonzero(rng.random(len(todo)) < np.where(slots.later[todo], 0.42, 0.14))
    looked_at = slots.session_at[todo[recent]] - rng.exponential(130 * _DAY, len(recent))
    near = np.searchsorted(catalogue.added, looked_at + 20 * _DAY, side="right")
    near = np.minimum(near, cut[recent])
    far = np.searchsorted(catalogue.added, looked_at - 20 * _DAY)
    far = np.minimum(far, near - 8)
    usable = (far > 0) & (looked_at - 20 * _DAY > catalogue.added[0])
    low[recent[usable]], high[recent[usable]] = far[usable], near[usable]
    before = catalogue.weight_before
    value = before[low] + rng.random(len(todo)) * (before[high] - before[low])
    return np.clip(np.searchsorted(before, value, side="right") - 1, low, high - 1)


def _pick(
    rng: np.random.Generator, slots: _Slots, catalogue: Catalogue, attention: np.ndarray
) -> np.ndarray:
    """A movie for every slot, none twice for one user; int64, shape (slots,)."""
    users = len(attention)
    movie = np.full(len(slots.user), -1, dtype=np.int64)
    taken = np.zeros(users * catalogue.size, dtype=bool)
    month = months_since_start(slots.session_at)
    todo = np.arange(len(movie))
    for tries in _TRIES:
        if not len(todo):
            return movie
        slot = np.repeat(todo, tries)
        found = _candidates(rng, slots, slot, catalogue)
        score = _over_genres(attention, slots.user[slot], found, catalogue)
        score *= _over_genres(catalogue.trend, month[slot], found, catalogue) * np.float32(2.0)
        key = slots.user[slot] * catalogue.size + found
        passed = np.flatnonzero((rng.random(len(slot), dtype=np.float32) < score) & ~taken[key])
        _, earliest = np.unique(key[passed], return_index=True)
        kept = passed[np.sort(earliest)]
        if tries > 1:
            kept = kept[np.unique(slot[kept], return_index=True)[1]]
        movie[slot[kept]] = found[kept]
        taken[key[kept]] = True
        todo = todo[movie[todo] < 0]
    _pick_rest(rng, slots, catalogue, attention, movie, taken.reshape(users, -1))
    return movie


def _over_genres(
    table: np.ndarray, row: np.ndarray, movie: np.ndarray, catalogue: Catalogue
) -> np.ndarray:
    """Mean of a float32 table (rows, genres + 1) over the genres of each movie, in that row."""
    flat, base = table.ravel(), row * table.shape[1]
    slots = catalogue.genre_slots
    total = flat[base + slots[0][movie]]
    for column in slots[1:]:
        total += flat[base + column[movie]]
    return total * np.float32(1 / len(slots))


def _pick_rest(
    rng: np.random.Generator,
    slots: _Slots,
    catalogue: Catalogue,
    attention: np.ndarray,
    movie: np.ndarray,
    taken: np.ndarray,
) -> None:
    """Fill what is left for users who have seen so much that drawing keeps hitting the same."""
    weight = np.diff(catalogue.weight_before).astype(np.float32)
    todo = np.flatnonzero(movie < 0)
    for user in np.unique(slots.user[todo]).tolist():
        places = todo[slots.user[todo] == user]
        before = int(slots.cut[places].min())
        free = np.flatnonzero(~taken[user, :before] & (weight[:before] > 0))
        score = attention[user][catalogue.genre_slots[0][free]]
        keys = rng.standard_exponential(len(free), dtype=np.float32) / (weight[free] * score)
        nearest = np.argpartition(keys, min(len(places), len(free) - 1))[: len(places)]
        movie[places] = free[np.sort(nearest)]


def _judge(
    rng: np.random.Generator,
    slots: _Slots,
    movie: np.ndarray,
    catalogue: Catalogue,
    liking: np.ndarray,
) -> np.ndarray:
    """Half-stars from 1 to 10; before 2003, and for some users for ever, whole stars only."""
    users = len(liking)
    generosity = rng.normal(0.0, 0.42, users).astype(np.float32)
    spread = rng.uniform(0.65, 1.0, users).astype(np.float32)
    uses_halves = rng.random(users) < 0.92
    user = slots.user
    latent = np.float32(_MEAN_LATENT) + generosity[user] + catalogue.quality[movie]
    latent += np.float32(0.9) * _over_genres(liking, user, movie, catalogue)
    mood = rng.standard_normal(len(user), dtype=np.float32)
    # Disappointment reaches further down than delight reaches up.
    mood -= np.float32(0.8) * np.maximum(-mood - np.float32(1.0), np.float32(0.0))
    latent += spread[user] * mood
    whole = np.rint(latent)
    halves = uses_halves[user] & (slots.seconds >= HALF_STARS_FROM)
    halves &= np.abs(latent - whole) > np.float32(0.25)
    stars = np.where(halves, 2 * np.floor(latent) + 1, 2 * whole)
    return np.clip(stars, np.where(halves, 1, 2), 10).astype(np.int64)
