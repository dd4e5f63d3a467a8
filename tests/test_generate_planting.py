"""Planted decays, tastes, seasons and moods: the products find them again, at two sizes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planting import Decay, Mood, Planted, Seasons, Taste, generate
from rendered import Tables, build
from scipy.stats import binomtest

from mesh.errors import WrongUse
from mesh.movielens.generate.timeline import LAST_DAY, make_timeline

LIVES, TAGS = "engagement.movie_lifecycles", "engagement.tag_sentiment"
GENRES, USERS = "engagement.genre_report", "engagement_internal.user_lifetimes"
MOODS = tuple(Mood(f"mood {i}", i % 9 - 4, 0.003) for i in range(20))
PLAN = Planted(
    decay=Decay(half_life=9.0, movies=40, share=0.4),
    taste=Taste("Sci-Fi", 0.3),
    seasons=Seasons(height=0.6, peak=0.25),
    moods=MOODS,
)


def files_of(folder: Path, users: int, plan: Planted | None) -> Tables:
    generate(folder, users, seed=7, movies=2_000, planted=plan, force=True)
    return {
        name: pd.read_csv(folder / f"{name}.csv", keep_default_na=False)
        for name in ("movies", "ratings", "tags")
    }


@pytest.fixture(scope="module", params=[1_000, 3_000])
def found(request, tmp_path_factory) -> tuple[Tables, Tables, Tables]:
    """The products; the files, and those in which tags have no mood."""
    folder = tmp_path_factory.mktemp("planted")
    files = files_of(folder, request.param, PLAN)
    plain = files_of(folder, request.param, replace(PLAN, moods=()))
    return build(files, LIVES, TAGS, GENRES, USERS), files, plain


def test_the_planted_decay_lies_in_the_intervals_of_half_lives(found):
    products, files, _ = found
    ratings = files["ratings"].groupby("movieId").timestamp.agg(["min", "size"])
    timeline = make_timeline(LAST_DAY, files["ratings"].userId.nunique())
    opened = []
    for opens in PLAN.decay.days(timeline):
        near = ratings["min"].between(opens, opens + 12 * 86_400)
        opened.append(ratings[near]["size"].idxmax())
    lives = products[LIVES].set_index("movie_id").loc[opened]
    low, high = lives.half_life_low.fillna(0), lives.half_life_high.fillna(999)
    assert lives.index.is_unique and ((low <= 9) & (high >= 9)).sum() >= 36
    assert low.median() >= 2 and high.median() <= 24


def test_the_planted_taste_is_the_share_that_likes_the_genre(found):
    row = found[0][GENRES].set_index("genre").loc["Sci-Fi"]
    likes = binomtest(int(row.likes_user_count), int(row.asked_user_count))
    assert likes.proportion_ci(0.95).low <= 0.3 <= likes.proportion_ci(0.95).high
    assert row.likes_share == row.likes_user_count / row.asked_user_count
    # Their three comparable genres have no such audience.
    assert row.likes_difference_low > 0


def test_new_users_come_in_the_planted_seasons(found):
    came = found[0][USERS].cohort_month
    came = pd.to_datetime(came)[lambda month: month.dt.year < LAST_DAY.year].dt.month
    counts = came.value_counts().reindex(range(1, 13), fill_value=0)
    planted = np.diff(PLAN.seasons.share_until(np.arange(13) / 12))
    tests = [binomtest(int(n), len(came), p) for n, p in zip(counts, planted, strict=True)]
    assert sum(test.pvalue >= 0.05 for test in tests) >= 10
    assert binomtest(int(counts[[3, 4]].sum()), len(came), 1 / 6).pvalue < 0.001


def test_the_planted_moods_lie_in_19_of_20_intervals(found):
    products, files, plain = found
    both = files["ratings"].merge(plain["ratings"], on=["userId", "movieId"])
    assert len(both) == len(files["ratings"]) == len(plain["ratings"])
    both["shift"] = both.rating_x - both.rating_y
    own = files["tags"].merge(both, on=["userId", "movieId"])
    # A rating has nothing above five stars, so a mood can move it by less than was planted.
    truth = own.groupby(["tag", "userId"])["shift"].mean().groupby("tag").mean()
    told = products[TAGS].set_index("spelling").loc[[mood.tag for mood in MOODS]]
    planted = truth.loc[told.index]
    inside = (told.difference_low <= planted) & (planted <= told.difference_high)
    assert inside.sum() >= 17
    for mood in MOODS:
        if abs(mood.half_stars) >= 2:
            right = "praise" if mood.half_stars > 0 else "complaint"
            assert told.sentiment[mood.tag] == right
    still = [mood.tag for mood in MOODS if mood.half_stars == 0]
    assert (told.sentiment[still] == "neither").all()


def test_what_is_not_planted_stays_as_it_is(tmp_path):
    plain = files_of(tmp_path, 40, None)
    taste = files_of(tmp_path, 40, Planted(taste=Taste("Drama", 0.5)))
    names = ["userId", "movieId", "timestamp"]
    assert taste["ratings"][names].equals(plain["ratings"][names])
    assert taste["tags"].equals(plain["tags"]) and taste["movies"].equals(plain["movies"])
    assert not taste["ratings"].equals(plain["ratings"])


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (
            {"taste": Taste("Drama", 1.0)},
            "the taste's share is 1.0. Give 0 or more, and less than 1.",
        ),
        (
            {"decay": Decay(share=-0.1)},
            "the decay's share is -0.1. Give 0 or more, and less than 1.",
        ),
        (
            {"seasons": Seasons(height=1.5)},
            "the seasons' height is 1.5. Give 0 or more, and less than 1.",
        ),
        (
            {"moods": (Mood("fun", 2, 0.6), Mood("sad", -2, 0.5))},
            "the moods' share is 1.1. Give 0 or more, and less than 1.",
        ),
        ({"decay": Decay(half_life=0)}, "the decay's half-life is 0. Give more than 0."),
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan, message):
    with pytest.raises(WrongUse) as caught:
        Planted(**plan)
    assert " ".join(str(caught.value).split()) == message


def test_a_genre_that_there_is_not_is_refused():
    with pytest.raises(WrongUse, match="Krimi is no genre"):
        Planted(taste=Taste("Krimi", 0.3))
