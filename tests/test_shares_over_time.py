"""Intervals of monthly shares, whose ratings are not independent: recomputed, and planted."""

from __future__ import annotations

import math
import os

import numpy as np
import pandas as pd
import pytest
from rendered import Products, daily, movielens, products, reach_of_t

AGE_ENDS = (0, 1, 4, 9, 19)
MONTHS, AGES = "engagement.audience_over_time", "engagement.attention_by_age"
INTERNAL = ("thresholds", "newest_rating", "audience_months", "user_months", "age_months")
MODELS = (*(f"engagement_internal.{name}" for name in INTERNAL), MONTHS, AGES)


def put(model: Products, ratings: pd.DataFrame, movies: pd.DataFrame, tags: pd.DataFrame) -> None:
    """Load what the models read, of ratings with `rated_at`, movies with `release_year`."""
    utc = ratings.assign(rated_at=ratings.rated_at.dt.tz_localize("UTC"))
    model.load("interactions.user_movie_ratings", utc)
    model.load("interactions.movie_catalogue", movies)
    model.load("interactions.movies_engagement_daily", daily(ratings))
    tags = tags.assign(tagged_at=pd.to_datetime(tags.tagged_at).dt.tz_localize("UTC"))
    model.load("interactions.user_tags", tags)
    both = {"rate": ratings.rated_at, "tag": tags.tagged_at.dt.tz_localize(None)}
    users = {"rate": ratings.user_id, "tag": tags.user_id}
    actions = pd.concat(
        pd.DataFrame({"user_id": users[kind], "month": at, "action_type": kind})
        for kind, at in both.items()
    )
    actions["reporting_month"] = actions.month.dt.to_period("M").dt.start_time
    by = ["user_id", "action_type", "reporting_month"]
    model.load(
        "interactions.user_actions",
        actions.groupby(by).size().rename("action_monthly_count").reset_index(),
    )


def made(model: Products) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Months, and ages of movies by month."""
    ages = model.make().set_index(["reporting_month", "age_rank"]).sort_index()
    months = model.connection.sql(f"FROM {MONTHS} ORDER BY 1").df()
    return months.set_index("reporting_month"), ages


def limits(parts: np.ndarray, counts: np.ndarray) -> tuple[float, float, float]:
    """A share of ratings and its interval, by leaving out each user in turn."""
    n, users = counts.sum(), len(counts)
    p = parts.sum() / n
    without = np.array(
        [np.delete(parts, one).sum() / np.delete(counts, one).sum() for one in range(users)]
    )
    variance = (users - 1) / users * ((without - p) ** 2).sum()
    even = n**2 / (counts**2).sum()
    k = min(n, p * (1 - p) / variance) if variance > 1e-20 and 0 < p < 1 else even
    free = even - 1 if even >= 5 else max(1, math.floor(even - 1))
    t = reach_of_t(free)
    # Wilson's limits are where a share would lie t of its own standard errors off.
    low, high = np.sort(np.roots([1 + t * t / k, -2 * p - t * t / k, p * p]).real)
    return p, low, high


@pytest.mark.skipif(not os.environ.get("MOVIELENS_DIR"), reason="needs MOVIELENS_DIR")
def test_limits_are_those_that_leaving_users_out_tells() -> None:
    source = movielens()
    ratings, movies = source["ratings"], source["movies"]
    movies["release_year"] = movies.title.str.extract(r"\((\d{4})\)\s*$")[0].astype(float)
    with products(*MODELS) as model:
        put(model, ratings, movies, source["tags"])
        months, ages = made(model)
    ratings = ratings.merge(movies[["movie_id", "release_year"]])
    ratings["month"] = ratings.rated_at.dt.to_period("M").dt.start_time
    age = ratings.rated_at.dt.year - ratings.release_year
    ratings["rank"] = np.where(age.isna(), 7, 1 + sum((age > end).astype(int) for end in AGE_ENDS))
    raters = ratings.groupby("month")["user_id"].nunique()
    seen = raters.index[(raters >= 5) & (raters.index != raters[raters >= 5].idxmin())]
    compared = {"high": 0, "age": 0}
    for month, own in ratings.groupby("month"):
        users = own.groupby("user_id")
        counts = users.size().to_numpy()
        row = months.loc[month]
        told = row[["high_rating_share", "high_rating_share_low", "high_rating_share_high"]]
        assert told.notna().all() == told.notna().any() == (month in seen)
        if month not in seen:
            continue
        highs = users.rating.agg(lambda stars: (stars > 4).sum()).to_numpy()
        np.testing.assert_allclose(told.astype(float), limits(highs, counts), atol=0.002)
        compared["high"] += 1
        for rank, cell in ages.loc[month].iterrows():
            told = cell[["rating_share", "rating_share_low", "rating_share_high"]]
            assert (cell.state == "shown") == pd.notna(told["rating_share_low"])
            if cell.state != "shown":
                continue
            parts = users["rank"].agg(lambda ranks, of=rank: (ranks == of).sum()).to_numpy()
            np.testing.assert_allclose(told.astype(float), limits(parts, counts), atol=0.002)
            compared["age"] += 1
    assert compared["high"] > 200 and compared["age"] > 750


@pytest.fixture(scope="module")
def planted() -> tuple[pd.DataFrame, pd.DataFrame]:
    """300 months, each of other users: six in the first hundred, then 25, then 60.

    Some rate much and most little, each has an own share of high ratings around a quarter and an
    own mixture of ages around `mixture()`.
    """
    chance, rows, user = np.random.default_rng(7), [], 0
    for month, first in enumerate(pd.date_range("1996-01-01", periods=300, freq="MS")):
        for _ in range((6, 25, 60)[month // 100]):
            user += 1
            size = int(np.exp(chance.normal(2.3, 0.9))) + 1
            stars = np.where(chance.random(size) < chance.beta(1, 3), 5.0, 3.0)
            rank = chance.choice(3, size, p=chance.dirichlet(6 * mixture()))
            movie = first.year * 3_000 + rank * 1_000 + np.arange(size) % 1_000
            at = first + pd.Timedelta(days=3)
            rows.append(pd.DataFrame({"user_id": user, "movie_id": movie, "rating": stars}))
            rows[-1]["rated_at"] = at
    ratings = pd.concat(rows, ignore_index=True)
    movies = pd.DataFrame({"movie_id": ratings.movie_id.unique()})
    year, rank = movies.movie_id // 3_000, movies.movie_id % 3_000 // 1_000
    movies["release_year"] = year - np.array([0, 3, 30])[rank]
    nobody = pd.DataFrame({"user_id": [1], "tagged_at": [pd.Timestamp("1996-01-05")]})
    with products(*MODELS) as model:
        put(model, ratings, movies, nobody)
        return made(model)


def mixture() -> np.ndarray:
    """What share of ratings is of this year's movies, of those of three years, and of old ones."""
    return np.array([0.15, 0.35, 0.5])


@pytest.mark.parametrize("users", [6, 25, 60])
def test_the_interval_of_a_month_holds_the_planted_share_in_95_of_100(planted, users: int) -> None:
    months, ages = planted
    own = months[months.active_user_count == users]
    inside = [own.high_rating_share_low.le(0.25) & own.high_rating_share_high.ge(0.25)]
    for rank, share in zip((1, 3, 6), mixture(), strict=True):
        cells = ages.xs(rank, level="age_rank").loc[own.index].query("state == 'shown'")
        # Of six users a class is rarely shown, and then because many rated it.
        if users > 6:
            inside.append(cells.rating_share_low.le(share) & cells.rating_share_high.ge(share))
    error = math.sqrt(0.95 * 0.05 / 100)
    for one in inside:
        # Of six they are wide rather than narrow.
        most = 0.95 + 3 * error if users > 6 else 1
        assert len(one) >= 90 and 0.95 - 3 * error <= one.mean() <= most, one.mean()


def test_the_interval_of_many_users_is_narrow_and_of_a_busy_one_wide(planted) -> None:
    months, _ = planted
    width = (months.high_rating_share_high - months.high_rating_share_low).to_numpy()
    middle = [np.median(width[part * 100 : part * 100 + 100]) for part in range(3)]
    assert middle[0] > 2 * middle[1] > 2 * middle[2]
    # As if each rating were of another user it would be half as wide.
    n, p = months.rating_count.to_numpy(), months.high_rating_share.to_numpy()
    alone = 2 * 1.96 * np.sqrt(p * (1 - p) / n)
    assert np.median((width / alone)[100:]) > 1.5
