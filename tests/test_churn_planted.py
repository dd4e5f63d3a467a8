"""Intervals of churn are honest: 95 of 100 hold what was planted."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from churning import MONTH, World, against_their_years

SEEDS = 100


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def covered(inside: list[bool]) -> bool:
    """Whether so many intervals held the truth as 95 % ones do, give or take three errors."""
    share, error = np.mean(inside), math.sqrt(0.95 * 0.05 / len(inside))
    return abs(share - 0.95) <= 3 * error


def test_the_interval_of_a_curve_holds_the_planted_survival_in_95_of_100_seeds(world):
    """Half leave at once, a tenth of the others in each month; half of those who left come back.

    People come over three years, so that the first of them have more time to come back.
    """
    users, end = 400, 1_096
    inside: dict[int, list[bool]] = {1: [], 6: [], 12: []}
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        active = np.where(rng.random(users) < 0.5, rng.geometric(0.1, users), 0)
        came = rng.uniform(0, end, users)
        owner = np.repeat(np.arange(users), active + 1)
        nth = np.arange(len(owner)) - np.repeat(np.cumsum(active + 1) - active - 1, active + 1)
        acted = came[owner] + (nth + 0.5 * (nth > 0)) * MONTH
        back = np.flatnonzero(rng.random(users) < 0.5)
        again = (came + (active + 0.5) * MONTH)[back] + rng.uniform(181, 700, len(back))
        days = np.concatenate([acted, again, [end]])
        rows = pd.DataFrame(
            {
                "user_id": np.concatenate([owner, back, [users]]),
                "movie_id": np.arange(len(days)),
                "rating": 3.0,
                "rated_at": pd.Timestamp("2016-01-01", tz="UTC") + pd.to_timedelta(days, "D"),
            }
        )
        world.put("interactions.user_movie_ratings", rows[days <= end])
        curve = world.run("user_months", "user_lifetimes", "churn_steps", "churn_curve")
        curve = curve[curve.cohort == "all"].set_index("months_since")
        for month, held in inside.items():
            low, high = curve.loc[month, ["survival_low", "survival_high"]]
            held.append(low <= 0.5 * 0.9 ** (month - 1) <= high)
    assert all(covered(held) for held in inside.values()), inside


def test_the_intervals_of_predictors_hold_the_planted_odds_in_95_of_100_seeds(world):
    """With each level of activity, and with a tag, the odds of leaving are about halved."""
    users, share_of_taggers = 800, np.array([0.7, 0.3])
    odds = np.exp(1.5 - 0.6 * np.arange(6)[:, None] - 0.7 * np.arange(2)[None, :])
    leaves = odds / (1 + odds)
    by_level, by_tag = leaves @ share_of_taggers, leaves.mean(0)
    gone, stays = by_level / by_level.sum(), (1 - by_level) / (1 - by_level).sum()
    above = np.subtract.outer(np.arange(6), np.arange(6))
    area = (np.outer(gone, stays) * ((above > 0) + (above == 0) / 2)).sum()
    lift = by_tag[1] / (by_tag @ share_of_taggers)
    areas, lifts = [], []
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        level, tags = rng.integers(0, 6, users), (rng.random(users) < 0.3).astype(int)
        put_impressions(world, level, tags, rng.random(users) < leaves[level, tags])
        rows = world.run("churn_predictors").set_index("feature")
        levels, tagged = rows.loc["ratings"].iloc[0], rows.loc["tags"].query("value_from == 1")
        areas.append(levels.auc_low <= area <= levels.auc_high)
        lifts.append(tagged.lift_low.item() <= lift <= tagged.lift_high.item())
    assert covered(areas) and covered(lifts), (np.mean(areas), np.mean(lifts))


def test_what_goes_with_the_year_alone_is_told_of_all_users_only(world):
    """In each year fewer leave, and people rate more: of one year ratings tell nothing."""
    users, inside, misled, areas = 600, [], [], []
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        year = rng.integers(0, 8, users)
        ratings = 20 + 10 * year + rng.integers(0, 25, users)
        gone = rng.random(users) < 0.9 - 0.07 * year
        put_impressions(world, ratings, np.zeros(users), gone, 2008 + year)
        rows = world.run("churn_predictors").query("feature == 'ratings' and quartile == 1")
        misled.append(rows.lift_low.item() > 1 and rows.auc_high.item() < 0.5)
        inside.append(rows.year_lift_low.item() <= 1 <= rows.year_lift_high.item())
        areas.append(rows.year_auc_low.item() <= 0.5 <= rows.year_auc_high.item())
    assert covered(inside) and covered(areas), (np.mean(inside), np.mean(areas))
    assert np.mean(misled) > 0.95, np.mean(misled)


@pytest.mark.parametrize("times", [0.5, 0.8, 1.0, 1.2])
def test_the_interval_beside_the_same_year_holds_how_often_a_quarter_leaves(times):
    """Few users of many years, in which other shares leave, and are in the quarter.

    With the variance of a test that the quarter does not matter (Mantel and Haenszel) it would
    hold it in 83 of 100 at 0.5.
    """
    rng, inside = np.random.default_rng(7), []
    year = np.repeat(np.arange(16), [1, 2, 3, 5, *[12] * 11, 90])
    for _ in range(400):
        quarter = rng.random(len(year)) < np.where(year == 15, 0.7, 0.25)
        leaves = (0.45 + 0.025 * year) * np.where(quarter, times, 1)
        gone = rng.random(len(year)) < leaves
        _, _, true, _, _ = against_their_years(quarter, year, leaves)
        *_, low, high = against_their_years(quarter, year, gone)
        inside.append(low <= true <= high)
    assert 0.93 <= np.mean(inside) <= 0.98, np.mean(inside)


def test_the_interval_of_pairs_holds_how_often_the_higher_value_leaves(world):
    """Few users of many years, in which other shares leave, and values are others."""
    year, found = np.repeat(np.arange(16), [1, 2, 3, 5, *[12] * 11, 90]), []
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        level = rng.integers(0, 8, len(year))
        odds = np.exp(0.8 - 0.1 * year + 0.3 * (level - 3.5))
        gone = rng.random(len(year)) < odds / (1 + odds)
        put_impressions(world, 20 + level + year, np.zeros(len(year)), gone, 2000 + year)
        own = world.run("churn_predictors").query("feature == 'ratings'").iloc[0]
        found.append((own.year_auc, own.year_auc_low, own.year_auc_high))
    areas, lows, highs = np.array(found).T
    inside = (lows <= areas.mean()) & (areas.mean() <= highs)
    assert covered(inside) and areas.mean() > 0.6, (inside.mean(), areas.mean())


def put_impressions(world: World, ratings, tags, has_churned, first_year=2015) -> None:
    users = len(ratings)
    world.put(
        "engagement_internal.first_impressions",
        pd.DataFrame(
            {
                "user_id": np.arange(users),
                "rating_count": np.asarray(ratings, dtype="int64"),
                "high_rating_share": 0.5,
                "tag_count": np.asarray(tags, dtype="int64"),
                "genre_count": 3,
                "old_movie_share": 0.0,
                "movie_age": 10.0,
                "first_year": first_year,
                "first_hour": 12,
                "first_weekday": 1,
                "has_churned": has_churned,
            }
        ),
    )
