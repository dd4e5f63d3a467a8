"""Lives of movies: worked out again from the files, and planted ones found again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd
import pytest
from rendered import Products, daily, monthly, movielens, products, reach_of_t

LEAST_RATINGS, LEAST_AT_PEAK, TOP, LEAST_FOR_INTERVAL = 50, 10, 100, 10


@pytest.fixture(scope="module")
def model() -> Iterator[Products]:
    names = ("thresholds", "newest_rating")
    with products(*(f"engagement_internal.{n}" for n in names), "engagement.movie_lifecycles") as p:
        yield p


def lives(model: Products, days: pd.DataFrame) -> pd.DataFrame:
    model.load("interactions.movies_engagement", monthly(days))
    model.load("interactions.movies_engagement_daily", days)
    return model.make().set_index("movie_id")


@pytest.mark.skipif(not os.environ.get("MOVIELENS_DIR"), reason="needs MOVIELENS_DIR")
def test_lives_are_those_that_the_files_tell(model):
    source = movielens()
    model.load("interactions.movie_catalogue", source["movies"])
    found = lives(model, daily(source["ratings"]))
    ratings = source["ratings"].assign(month=source["ratings"].rated_at.dt.to_period("M"))
    # The newest rating is of 24 September 2018.
    ratings = ratings[ratings.month <= pd.Period("2018-08")]
    counts = ratings.groupby(["month", "movie_id"]).size()
    top = counts[
        (counts.groupby("month").rank(ascending=False, method="min") <= TOP) & (counts > 4)
    ]
    of_movies = dict(list(ratings.groupby("movie_id")))
    assert set(found.index) == {m for m, own in of_movies.items() if len(own) >= LEAST_RATINGS}
    for movie, row in found.iterrows():
        own = of_movies[movie].sort_values("month")
        assert row.rating_count == len(own)
        assert row.first_month.date() == own.month.min().start_time.date()
        assert row.rating_variance == pytest.approx(own.rating.var())
        assert row.months_in_top == (top.index.get_level_values("movie_id") == movie).sum()
        middle = own.month.iloc[(len(own) + 1) // 2 - 1]
        _halves(row, own[own.month <= middle].rating, own[own.month > middle].rating)
        _life(row, own.groupby("month").size())


def _halves(row: pd.Series, early: pd.Series, late: pd.Series) -> None:
    if min(len(early), len(late)) < LEAST_FOR_INTERVAL:
        assert row[["early_rating_count", "late_median", "difference_low"]].isna().all()
        return
    assert row.early_rating_count == len(early)
    assert (row.early_median, row.late_median) == (early.median(), late.median())
    error = np.sqrt(early.var() / len(early) + late.var() / len(late))
    reach = reach_of_t(min(len(early), len(late)) - 1) * error
    difference = late.mean() - early.mean()
    assert row.difference == pytest.approx(difference)
    assert row.difference_low == pytest.approx(difference - reach, abs=0.001)
    assert row.difference_high == pytest.approx(difference + reach, abs=0.001)


def _life(row: pd.Series, counts: pd.Series) -> None:
    months = pd.period_range(counts.index.min(), "2018-08", freq="M")
    spans = counts.reindex(months, fill_value=0).rolling(3).sum().to_numpy()[2:]
    if not len(spans) or spans.max() < LEAST_AT_PEAK:
        assert row.attention == "not_enough_data"
        assert row[["peak_month", "half_life", "months_observed", "comeback_months"]].isna().all()
        return
    peak = int(spans.argmax())
    after = spans[peak + 1 :]
    assert row.peak_month.date() == months[peak].start_time.date()
    assert row.peak_rating_count == spans[peak]
    assert row.months_observed == len(after)
    share = np.log((after + 0.5) / spans[peak])
    margin = 1.959964 * np.sqrt(1 / (after + 0.5) + 1 / spans[peak])
    first = [
        np.flatnonzero(fallen)[:1] + 1
        for fallen in (
            after <= spans[peak] / 2,
            share - margin <= np.log(0.5),
            share + margin <= np.log(0.5),
        )
    ]
    told = [row.half_life, row.half_life_low, row.half_life_high]
    assert [[] if pd.isna(value) else [value] for value in told] == [list(f) for f in first]
    assert row.attention == ("halved" if len(first[0]) else "not_halved")
    back = after[first[2][0] :] if len(first[2]) else after[:0]
    comebacks = (back > spans[peak] / 2) & (back >= LEAST_AT_PEAK)
    assert row.comeback_months == comebacks.sum()


MONTHS = 60


def planted(half_life: float, first: float, drift: float, seed: int) -> tuple[pd.DataFrame, list]:
    """A hundred movies whose ratings halve in so many months, and sink by `drift` stars over all.

    Besides, by how much the later half of each is planted to be lower.
    """
    chance = np.random.default_rng(seed)
    mean = 3.5 - drift * np.arange(MONTHS) / MONTHS
    counts = chance.poisson(first * 2.0 ** (-np.arange(MONTHS) / half_life), (100, MONTHS))
    parts, truth = [], []
    for movie, own in enumerate(counts, start=1):
        month = np.repeat(np.arange(MONTHS), own)
        latent = mean[month] + chance.normal(0, 0.8, len(month))
        # Rounded up or down by chance, so that the mean stays what it is.
        stars = np.floor(2 * latent + chance.random(len(month))) / 2
        at = pd.PeriodIndex(pd.period_range("2000-01", periods=MONTHS, freq="M")[month])
        parts.append(
            pd.DataFrame({"movie_id": movie, "rating": stars, "rated_at": at.to_timestamp()})
        )
        late = month > month[(len(month) + 1) // 2 - 1]
        truth.append(mean[month[late]].mean() - mean[month[~late]].mean())
    ratings = pd.concat(parts)
    ratings["rating"] = ratings.rating.clip(0.5, 5.0)
    last = pd.DataFrame({"movie_id": 999, "rating": 3.0, "rated_at": [pd.Timestamp("2004-12-31")]})
    return daily(pd.concat([ratings, last])), truth


@pytest.mark.parametrize(("half_life", "first"), [(6, 30), (6, 200), (12, 60)])
def test_planted_half_lives_lie_in_their_intervals(model, half_life, first):
    model.load("interactions.movie_catalogue", _catalogue())
    found = lives(model, planted(half_life, first, 0.0, seed=7)[0])
    assert len(found) == 100
    low, high = found.half_life_low.fillna(0), found.half_life_high.fillna(MONTHS)
    assert 92 <= ((low <= half_life) & (half_life <= high)).sum() <= 100
    assert abs(found.half_life.astype(float).median() - half_life) <= 1
    assert (found.attention == "halved").all()
    assert (found.peak_month.dt.date <= date(2000, 6, 1)).mean() > 0.9


def test_planted_differences_lie_in_95_of_100_intervals(model):
    model.load("interactions.movie_catalogue", _catalogue())
    inside = []
    for drift, seed in ((0.0, 1), (1.0, 2)):
        days, truth = planted(12, 10, drift, seed)
        found = lives(model, days).loc[1:100]
        assert found.difference.notna().all()
        inside.append(((found.difference_low <= truth) & (found.difference_high >= truth)).sum())
    assert all(90 <= count <= 99 for count in inside), inside


def _catalogue() -> pd.DataFrame:
    return pd.DataFrame({"movie_id": [1], "title": "A", "release_year": 2000, "genres": "Drama"})
