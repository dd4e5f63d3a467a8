"""What is left of the attention after a peak: worked out again from the files."""

from __future__ import annotations

import os
from math import comb, floor, sqrt

import numpy as np
import pandas as pd
import pytest
from rendered import daily, monthly, movielens, products

MONTHS, LEAST = 24, 10
MODELS = ("engagement_internal.thresholds", "engagement_internal.newest_rating")


def low_place(count: int) -> int:
    return floor((count - 1.959963984540054 * sqrt(count)) / 2)


@pytest.mark.parametrize("count", [10, 11, 17, 30, 101, 400])
def test_the_places_limit_the_median_in_95_of_100_cases(count: int) -> None:
    place = low_place(count)
    outside = 2 * sum(comb(count, below) for below in range(place)) / 2**count
    assert place >= 1
    assert 0.0005 < outside <= 0.05


@pytest.mark.skipif(not os.environ.get("MOVIELENS_DIR"), reason="needs MOVIELENS_DIR")
def test_curves_are_those_that_the_files_tell() -> None:
    source = movielens()
    movies = source["movies"]
    movies["release_year"] = movies.title.str.extract(r"\((\d{4})\)\s*$")[0].astype(float)
    days = daily(source["ratings"])
    lives, curve = "engagement.movie_lifecycles", "engagement.movie_life_curve"
    with products(*MODELS, lives, curve) as model:
        model.load("interactions.movie_catalogue", movies)
        model.load("interactions.movies_engagement", monthly(days))
        model.load("interactions.movies_engagement_daily", days)
        found = model.make().set_index(["movies", "months_since"])
    # The newest rating is of 24 September 2018, so August is the last whole month.
    ratings = source["ratings"].assign(month=source["ratings"].rated_at.dt.to_period("M"))
    ratings = ratings[ratings.month <= pd.Period("2018-08")]
    years = movies.set_index("movie_id").release_year
    shares: dict[tuple[str, int], list[float]] = {}
    for movie, own in ratings.groupby("movie_id"):
        every = pd.period_range(own.month.min(), "2018-08", freq="M")
        counts = own.groupby("month").size().reindex(every, fill_value=0).to_numpy()
        if len(own) < 50 or len(counts) < 3:
            continue
        sums = counts[:-2] + counts[1:-1] + counts[2:]
        peak = int(np.argmax(sums))
        if sums[peak] < 10:
            continue
        groups = ["all"]
        if not pd.isna(years[movie]):
            new = years[movie] >= every[peak].year - 1
            groups.append("new_at_peak" if new else "older_at_peak")
        for since, count in enumerate(sums[peak : peak + MONTHS + 1]):
            for group in groups:
                shares.setdefault((group, since), []).append(count / sums[peak])
    known = {key: sorted(own) for key, own in shares.items() if len(own) >= LEAST}
    assert set(found.index) == set(known) and len(known) > 60
    for key, own in known.items():
        row, place = found.loc[key], low_place(len(own))
        told = (row.attention_share, row.attention_share_low, row.attention_share_high)
        assert row.movie_count == len(own)
        assert told == pytest.approx((np.median(own), own[place - 1], own[-place]))
