"""Cohorts, survival and predictors: silent about few, and as they were for those who have left."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from churning import CHAIN, World, actions_of, put_lives
from hypothesis import given, settings
from hypothesis import strategies as st

ENDS = [f"{of}_{end}" for of in ("lift", "year_lift", "auc", "year_auc") for end in ("low", "high")]


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 4),
            st.one_of(st.integers(0, 900), st.sampled_from([0, 179, 180, 181, 360, 361])),
            st.sampled_from([0, 1, 86_399]),
        ),
        min_size=1,
        max_size=40,
    ),
    st.integers(0, 900),
)
def test_a_life_that_has_ended_stays_so_whatever_comes_later(world, actions, known):
    """Who stayed may leave later; who left has left, on the same day."""
    start = pd.Timestamp("2015-01-10", tz="UTC")
    ratings = pd.DataFrame(actions, columns=["user_id", "day", "second"])
    at = start + pd.to_timedelta(ratings.day * 86_400 + ratings.second, unit="s")
    ratings = ratings.assign(movie_id=range(len(ratings)), rating=3.0, rated_at=at)
    ratings = ratings[["user_id", "movie_id", "rating", "rated_at"]]
    nobody = few_users(0)["interactions.user_tags"]
    world.put("interactions.user_tags", nobody)
    lives = []
    for until in (start + pd.Timedelta(days=known), start + pd.Timedelta(days=2_000)):
        some = ratings[ratings.rated_at <= until]
        world.put("interactions.user_movie_ratings", some)
        found = world.run("user_months", "user_lifetimes").set_index("user_id")
        truth = actions_of(some, nobody)[["user_id", "left"]]
        left = truth.dropna().groupby("user_id").left.first()
        assert dict(found.left_at.dropna()) == dict(left)
        lives.append(found)
    before, after = lives
    after = after.loc[before.index]
    had_left = before.left_at.notna()
    same = ["left_at", "active_months", "first_action_at", "cohort_month"]
    pd.testing.assert_frame_equal(before.loc[had_left, same], after.loc[had_left, same])
    # Who was still there is counted as that for as long as they were watched, and no longer.
    assert (before.active_months[~had_left] >= before.watched_months[~had_left]).all()
    assert (after.active_months[~had_left] >= before.watched_months[~had_left]).all()
    assert (after.watched_months >= before.watched_months).all()


def few_users(users: int = 40, **changes: object) -> dict[str, pd.DataFrame]:
    """Users who come month by month, rate thirty movies, and half of them come back."""
    rng = np.random.default_rng(1)
    number = np.repeat(np.arange(1, users + 1), 30)
    first = pd.Timestamp("2015-01-10", tz="UTC") + pd.to_timedelta(number * 9, unit="D")
    later = np.tile(np.arange(30) % 3 == 0, users) & (number % 2 == 0)
    rated_at = first + pd.to_timedelta(np.where(later, rng.integers(20, 170, len(number)), 0), "D")
    ratings = pd.DataFrame(
        {
            "user_id": number,
            "movie_id": np.tile(np.arange(1, 31), users),
            "rating": rng.integers(1, 11, len(number)) / 2,
            "rated_at": rated_at,
        }
    )
    movies = pd.DataFrame(
        {
            "movie_id": np.arange(1, 31),
            "release_year": 1970 + np.arange(30),
            "genres": ["Drama|War", "Comedy"] * 15,
        }
    )
    for column, value in changes.items():
        (movies if column in movies else ratings)[column] = value
    tags = ratings[::7].assign(tag="fun", tagged_at=lambda rows: rows.rated_at)
    return {
        "interactions.user_movie_ratings": ratings,
        "interactions.user_tags": tags[["user_id", "movie_id", "tag", "tagged_at", "rating"]],
        "interactions.movie_catalogue": movies,
    }


def built(world: World, sources: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    for table, rows in sources.items():
        world.put(table, rows)
    world.run(*CHAIN)
    found = {name: world.rows(name) for name in CHAIN[-3:]}
    for rows in found.values():
        numbers = rows.select_dtypes("number").astype(float)
        # A NULL is a NaN in pandas; the database tells them apart.
        assert not np.isinf(numbers).any().any()
    for name in CHAIN[-3:]:
        floats = [c for c, t in world.connection.sql(f"FROM engagement.{name}").df().dtypes.items()
                  if t == "float64"]  # fmt: skip
        assert floats, name
        for column in floats:
            query = f"SELECT COUNT(*) FROM engagement.{name} WHERE isnan({column})"
            assert world.connection.sql(query).fetchone() == (0,)
    return found


@pytest.mark.parametrize("users", [0, 1], ids=["nobody", "one user"])
def test_too_few_users_give_no_rows(world, users):
    found = built(world, few_users(users))
    assert all(rows.empty for rows in found.values())


def test_a_single_month_that_is_under_way_gives_no_rows(world):
    at = pd.Timestamp("2015-03-04", tz="UTC")
    assert all(rows.empty for rows in built(world, few_users(rated_at=at)).values())


def test_without_tags_nothing_is_told_of_them(world):
    sources = few_users(80)
    sources["interactions.user_tags"] = sources["interactions.user_tags"][:0]
    found = built(world, sources)
    assert found["cohort_activity"].tag_count.isna().all() and len(found["churn_curve"]) > 2
    tags = found["churn_predictors"].query("feature == 'tags'")
    assert tags.quartile.tolist() == [1] and tags.auc.tolist() == [0.5]
    assert tags[ENDS].isna().all().all() and tags.year_lift.tolist() == [1.0]


@pytest.mark.parametrize(
    ("changes", "feature"),
    [({"rating": 3.5}, "high_rating_share"), ({"genres": "Drama"}, "genres")],
    ids=["all ratings equal", "one genre only"],
)
def test_what_is_alike_for_all_separates_nobody(world, changes, feature):
    rows = built(world, few_users(80, **changes))["churn_predictors"]
    alike = rows[rows.feature == feature]
    assert alike.lift.tolist() == [1.0] and alike.auc.tolist() == [0.5]
    assert alike[ENDS].isna().all().all() and alike.year_lift.tolist() == [1.0]


def test_without_known_years_of_movies_nobody_is_judged(world):
    found = built(world, few_users(80, release_year=pd.NA, genres=None))
    assert found["churn_predictors"].empty and len(found["churn_curve"]) > 2


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(5, 160), st.integers(1, 30)), min_size=1, max_size=6),
    st.integers(0, 2**32),
)
def test_no_few_users_are_found_by_taking_years_from_all(world, years, seed):
    rng = np.random.default_rng(seed)
    year = np.repeat(2000 + np.arange(len(years)), [users for users, _ in years])
    active = rng.geometric(0.2, len(year)) - 1 + rng.integers(0, 2, len(year)) * 7
    watched = 12 * (len(years) - year + 2000) + rng.integers(0, 12, len(year))
    put_lives(world, year, np.minimum(active, watched + 3), watched)
    curve = world.run("churn_steps", "churn_curve").query("months_since > 0")
    steps = world.rows("churn_steps")
    every = curve[curve.cohort == "all"].set_index("months_since")
    shown = curve[curve.cohort != "all"].groupby("months_since")
    parts = ["at_risk_user_count", "churned_user_count"]
    rest = every[parts].sub(shown[parts].sum(), fill_value=0)
    rest["staying"] = rest.at_risk_user_count - rest.churned_user_count
    assert set(rest.index) == set(every.index) <= set(steps.step_end)
    nothing = rest.at_risk_user_count == 0
    assert (rest[~nothing] >= 5).all().all()
    assert (curve.churned_user_count >= 5).all()
    assert (curve.at_risk_user_count - curve.churned_user_count >= 5).all()


def test_a_pause_that_makes_one_leave_is_longer_than_any_month(world):
    """Of a month only the first and the last action are kept, so no pause within one is seen."""
    assert world.rows("thresholds").churned_after_days.item() >= 31
