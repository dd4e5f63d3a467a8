"""A source in which a product may say little, since few stand behind each number."""

from __future__ import annotations

import numpy as np
import pandas as pd
from rendered import Tables


def few_users(seed: int, users: int = 60, months: int = 14) -> Tables:
    """A source in which many groups are too small."""
    chance = np.random.default_rng(seed)
    movies = pd.DataFrame(
        {
            "movieId": range(1, 61),
            "title": [f"M{n} ({year})" for n, year in enumerate(chance.integers(1975, 2011, 60))],
            "genres": chance.choice(["Drama", "War", "Drama|War", "Comedy"], 60),
        }
    )
    owner = np.repeat(np.arange(1, users + 1), 8)
    month = np.minimum(chance.geometric(0.35, len(owner)) - 1, months - 1)
    start = pd.Timestamp("2009-06-01")
    at = [int((start + pd.DateOffset(months=int(m), days=3)).timestamp()) for m in month]
    movie = np.concatenate([chance.choice(60, 8, replace=False) + 1 for _ in range(users)])
    ratings = pd.DataFrame(
        {"userId": owner, "movieId": movie, "rating": chance.integers(1, 11, len(owner)) / 2}
    ).assign(timestamp=at)
    tags = ratings[chance.random(len(owner)) < 0.1].drop(columns="rating").assign(tag="fun")
    return {"movies": movies, "ratings": ratings, "tags": tags}
