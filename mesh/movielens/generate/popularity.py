"""How often each movie is rated: expected shares by rank, and the weights that lead to them.

A user who rates n movies picks n different ones, so the share of users that rate the best known
movie saturates. The weights are found by solving for the shares on a coarse grid of ranks.
"""

from __future__ import annotations

import numpy as np

# Share of all users that rate the movie of a rank, from the published data.
_HEAD_RANK = np.array([1.0, 10.0, 100.0, 1000.0])
_HEAD_SHARE = np.array([0.56, 0.44, 0.25, 0.045])
_TAIL_BEND = 1.36
# Expected ratings of the least known movie, for few and for many users: a Poisson tail that
# leaves a twentieth of the movies unrated, although new ones get more than their share.
_TAIL_USERS = (600, 162_541)
_TAIL_RATINGS = (1.2, 0.8)


def _shares(ranks: np.ndarray, movies: int, users: int, level: float) -> np.ndarray:
    head = np.log(_HEAD_RANK)
    scale = np.interp(head, [0.0, np.log(1000.0)], [1.0, level])
    height = np.log(_HEAD_SHARE * scale)
    knee = min(1000.0, movies / 2)
    at_knee = float(np.interp(np.log(knee), head, height))
    least = float(np.interp(np.log(users), np.log(_TAIL_USERS), _TAIL_RATINGS))
    floor = min(np.log(least / users), at_knee - 0.5)
    x = np.log(ranks)
    reach = np.clip((x - np.log(knee)) / np.log(movies / knee), 0.0, 1.0)
    tail = at_knee + (floor - at_knee) * reach**_TAIL_BEND
    return np.exp(np.where(ranks <= knee, np.interp(x, head, height), tail))


def rank_shares(movies: int, users: int, mean_ratings: float) -> np.ndarray:
    """Share of users expected to rate each movie, best known first.

    Returns float64 of shape (movies,), descending; sums to about `mean_ratings` where the
    catalogue is large enough to hold that many.
    """
    ranks = np.arange(1, movies + 1, dtype=np.float64)
    low, high = 0.05, 12.0
    for _ in range(50):
        level = float(np.sqrt(low * high))
        total = float(np.minimum(_shares(ranks, movies, users, level), 0.9).sum())
        low, high = (level, high) if total < mean_ratings else (low, level)
    return np.minimum(_shares(ranks, movies, users, low), 0.9)


def weights_for(shares: np.ndarray, ratings: np.ndarray) -> np.ndarray:
    """Weights under which picking without repetition gives each movie its share of the users.

    shares: float64 (movies,), descending. ratings: the number of ratings of typical users.
    Returns float64 (movies,), in any scale.
    """
    grid = np.unique(np.geomspace(1, len(shares), 160).astype(np.int64)) - 1
    mass = np.diff(np.append(grid, len(shares))).astype(np.float64)
    target = shares[grid]
    weight = -np.log1p(-target)
    picks = np.minimum(ratings, 0.8 * len(shares))
    for _ in range(25):
        low, high = np.full(len(picks), -12.0), np.full(len(picks), 25.0)
        for _ in range(45):
            pull = (low + high) / 2
            rated = ((1.0 - np.exp(-np.outer(np.exp(pull), weight))) * mass).sum(axis=1)
            low = np.where(rated < picks, pull, low)
            high = np.where(rated < picks, high, pull)
        reached = (1.0 - np.exp(-np.outer(np.exp(low), weight))).mean(axis=0)
        weight = weight * target / np.maximum(reached, 1e-12)
    return np.exp(np.interp(np.log1p(np.arange(len(shares))), np.log1p(grid), np.log(weight)))
