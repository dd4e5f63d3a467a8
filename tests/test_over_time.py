"""Eras, and how audience, genres and ages of movies move: recomputed, attacked, on little data."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from few import few_users
from rendered import Tables, build

MONTHS, AGES = "engagement.audience_over_time", "engagement.attention_by_age"
GENRES, ERAS = "engagement.genre_over_time", "engagement.era_audience"
SEGMENTS, CATALOGUE = "engagement.era_segments", "interactions.movie_catalogue"
PREFERENCES, COHORTS = "engagement.user_period_preferences", "engagement.cohort_activity"
MARTS = (MONTHS, AGES, GENRES, ERAS, SEGMENTS)
AGE_ENDS = [0, 1, 4, 9, 19]


def month_of(seconds: pd.Series) -> pd.Series:
    return pd.to_datetime(seconds, unit="s").dt.to_period("M").dt.to_timestamp()


def with_movies(source: Tables) -> pd.DataFrame:
    """Ratings with their month and what is known of their movies."""
    movies = source["movies"].copy()
    found = movies["title"].str.strip().str.extract(r"\((\d{4})(?:[-–]\d{0,4})?\)$")[0]
    movies["year"] = found.astype(float)
    ratings = source["ratings"].merge(movies, on="movieId")
    ratings["month"] = month_of(ratings["timestamp"])
    ratings["day"] = pd.to_datetime(ratings["timestamp"], unit="s").dt.normalize()
    return ratings


def by_genre(ratings: pd.DataFrame) -> pd.DataFrame:
    one = ratings.assign(genre=ratings["genres"].str.split("|")).explode("genre")
    return one[one["genre"] != "(no genres listed)"]


def age_rank(ratings: pd.DataFrame) -> pd.Series:
    age = ratings["month"].dt.year - ratings["year"]
    rank = 1 + sum((age > end).astype(int) for end in AGE_ENDS)
    return rank.where(age.notna(), 7)


@pytest.fixture(scope="module")
def source() -> Tables:
    folder = os.environ.get("MOVIELENS_DIR")
    if not folder:
        pytest.skip("needs MOVIELENS_DIR")
    return {
        name: pd.read_csv(Path(folder) / f"{name}.csv") for name in ("movies", "ratings", "tags")
    }


@pytest.fixture(scope="module")
def real(source: Tables) -> Tables:
    return build(source, *MARTS, CATALOGUE, PREFERENCES, COHORTS)


def equal(found: pd.Series, expected: pd.Series) -> None:
    both = pd.concat([found.astype(float), expected.astype(float)], axis=1, keys=["is", "must"])
    np.testing.assert_allclose(both["is"], both["must"], atol=1e-9)


def test_the_catalogue_has_every_movie_of_the_source(real: Tables, source: Tables) -> None:
    found = real[CATALOGUE].set_index("movie_id").sort_index()
    movies = source["movies"].set_index("movieId").sort_index()
    rated = movies.index.isin(source["ratings"]["movieId"])
    assert (~rated).sum() == 18 and list(found.index) == list(movies.index)
    assert (found["genres"].fillna("(no genres listed)") == movies["genres"]).all()
    assert found["release_year"].isna().sum() == 12
    decades = found["release_year"].dropna().astype(int) // 10 * 10
    names = decades.map(lambda first: f"{first % 100 if 1920 <= first < 2000 else first}s")
    assert (found["release_decade"].dropna() == names).all()


def test_preferences_by_decade_are_those_of_the_medians(real: Tables, source: Tables) -> None:
    ratings = with_movies(source).dropna(subset="year")
    ratings["first"] = ratings["year"].astype(int) // 10 * 10
    whole = ratings.groupby(["userId", "first"])["rating"].agg(["size", "median"])
    found = real[PREFERENCES].drop_duplicates(["user_id", "release_decade"])
    first = found["release_decade"].str[:-1].astype(int)
    found = found.assign(first=first.where(first >= 100, first + 1900))
    found = found.set_index(["user_id", "first"]).sort_index()
    equal(found["rating_count"], whole["size"])
    equal(found["rating_median"], whole["median"])
    assert ((found["user_preference"] == "likes") == (whole["median"] > 4)).all()
    assert ((found["user_preference"] == "dislikes") == (whole["median"] < 3)).all()


@pytest.mark.parametrize(("period", "days"), [("all_time", 99_999), ("last_182_days", 182)])
def test_eras_count_who_rated_and_who_likes(
    real: Tables, source: Tables, period: str, days: int
) -> None:
    ratings = with_movies(source).dropna(subset="year")
    ratings = ratings[ratings["day"] > ratings["day"].max() - pd.Timedelta(days=days)]
    ratings["first"] = ratings["year"].astype(int) // 10 * 10
    users = ratings.groupby(["first", "userId"])["rating"].agg(["size", "median"])
    users["asked"] = users["size"] >= 5
    users["likes"] = users["asked"] & (users["median"] > 4)
    eras = users.groupby("first").agg(
        users=("size", "size"), asked=("asked", "sum"), likes=("likes", "sum")
    )
    eras = eras[eras["users"] >= 5]
    few = np.minimum(eras["likes"], eras["asked"] - eras["likes"]) < 5
    few |= (eras["users"] - eras["asked"]).between(1, 4)
    eras.loc[few, ["asked", "likes"]] = np.nan
    found = real[ERAS][real[ERAS]["period"] == period].set_index("decade_start").sort_index()
    equal(found["user_count"], eras["users"])
    equal(found["like_user_count"], eras["likes"])
    equal(found["like_share"], eras["likes"] / eras["asked"])
    equal(found["user_share"], eras["users"] / ratings["userId"].nunique())


def test_segments_are_of_who_rated_five_of_a_kind(real: Tables, source: Tables) -> None:
    ratings = with_movies(source).dropna(subset="year")
    users = ratings.groupby("userId")["year"].agg(
        new=lambda years: (years >= 2000).sum() >= 5,
        classic=lambda years: (years < 1990).sum() >= 5,
    )
    new, classic = users["new"].astype(bool), users["classic"].astype(bool)
    found = real[SEGMENTS][real[SEGMENTS]["period"] == "all_time"].set_index("segment")
    assert found["user_count"].astype(int).to_dict() == {
        "only_new": (new & ~classic).sum(),
        "only_classics": (~new & classic).sum(),
        "both": (new & classic).sum(),
        "neither": (~new & ~classic).sum(),
    }


def test_the_audience_of_a_month_is_who_did_something_in_it(real: Tables, source: Tables) -> None:
    actions = pd.concat([source["ratings"].assign(kind="rate"), source["tags"].assign(kind="tag")])
    actions["month"] = month_of(actions["timestamp"])
    first = actions.groupby("userId")["month"].min()
    every = pd.date_range(actions["month"].min(), actions["month"].max(), freq="MS")
    active = actions.groupby("month")["userId"].nunique().reindex(every, fill_value=0)
    new = first.value_counts().reindex(every, fill_value=0)
    found = real[MONTHS].set_index("reporting_month").sort_index()
    assert list(found.index) == list(every)
    states = np.select([active == 0, active >= 5], ["nobody", "shown"], "withheld")
    assert (found["state"] == states).all()
    equal(found["active_user_count"], active.where((active == 0) | (active >= 5)))
    shown = found["new_user_count"].notna()
    equal(found["new_user_count"][shown], new[shown])
    assert shown.sum() == 57
    ratings = actions[actions["kind"] == "rate"].groupby("month")["rating"]
    raters = actions[actions["kind"] == "rate"].groupby("month")["userId"].nunique()
    # The smallest month of five or more stands beside the smaller ones: it hides their users.
    beside = raters[raters >= 5].idxmin()
    seen = (raters >= 5).reindex(every, fill_value=False)
    seen[beside] = False
    equal(found["rating_count"][seen], ratings.size().reindex(every)[seen])
    equal(found["rating_median"], ratings.median().reindex(every).where(seen))
    high = ratings.agg(lambda stars: (stars > 4).mean()).reindex(every)
    equal(found["high_rating_share"], high.where(seen))


def test_cohorts_leave_no_few_users_of_a_month(real: Tables) -> None:
    """Of ten months one to four came back, which all active users less the cohort would tell."""
    months = real[MONTHS].set_index("reporting_month")
    new = real[COHORTS].query("months_since == 0").set_index("cohort_month")["user_count"]
    assert len(new) > 10
    assert not (months["active_user_count"] - new).between(1, 4).any()
    equal(months["new_user_count"].loc[new.index], new)


@pytest.mark.parametrize(
    ("newest", "is_whole"),
    [("2010-02-27 23:59:59", False), ("2010-02-28 00:00:00", True), ("2010-02-28 23:59:59", True)],
)
def test_a_month_is_whole_from_its_last_day_on_in_utc(newest: str, is_whole: bool) -> None:
    source = few_users(1)
    at = int(pd.Timestamp(newest).timestamp())
    source["ratings"]["timestamp"] = source["ratings"]["timestamp"].clip(upper=at)
    source["ratings"].loc[0, "timestamp"] = at
    source["tags"] = source["tags"].head(0)
    for mart, rows in build(source, MONTHS, AGES).items():
        rows = rows.sort_values("reporting_month")
        assert rows["reporting_month"].iloc[-1] == pd.Timestamp("2010-02-01"), mart
        assert rows["is_whole"].iloc[-1] == is_whole and rows["is_whole"].iloc[0], mart


def test_genres_move_as_their_ratings_do(real: Tables, source: Tables) -> None:
    ratings = with_movies(source)
    one = by_genre(ratings)
    cells = one.groupby(["genre", "month"]).agg(
        users=("userId", "nunique"),
        count=("rating", "size"),
        high=("rating", lambda r: (r > 4).sum()),
    )
    found = real[GENRES].set_index(["genre", "reporting_month"]).sort_index()
    months = ratings.groupby("month").size()
    every = pd.MultiIndex.from_product(
        [sorted(one["genre"].unique()), sorted(real[MONTHS]["reporting_month"])]
    )
    assert list(found.index) == list(every)
    shown = found[found["state"] == "shown"]
    cells = cells.loc[shown.index]
    equal(shown["user_count"], cells["users"])
    equal(shown["rating_count"], cells["count"])
    equal(shown["high_rating_share"], cells["high"] / cells["count"])
    of_all = months.reindex(cells.index.get_level_values(1)).to_numpy()
    equal(shown["rating_share"], cells["count"] / of_all)
    # Twelve months of Drama, of those that are shown.
    drama = found.loc["Drama"]
    counts = drama["rating_count"].astype(float)
    all_counts = months.reindex(drama.index, fill_value=0).where(counts.notna())
    twelve = {"window": 12, "min_periods": 0}
    equal(drama["moving_rating_count"], counts.fillna(0).rolling(**twelve).sum())
    moving = counts.fillna(0).rolling(**twelve).sum() / all_counts.fillna(0).rolling(**twelve).sum()
    equal(drama["moving_rating_share"], moving)


def test_ages_are_those_of_the_movies_when_they_were_rated(real: Tables, source: Tables) -> None:
    ratings = with_movies(source)
    ratings["rank"] = age_rank(ratings)
    cells = ratings.groupby(["month", "rank"])["userId"].agg(["nunique", "size"])
    found = real[AGES].set_index(["reporting_month", "age_rank"]).sort_index()
    assert len(found) == 7 * len(real[MONTHS])
    shown = found[found["state"] == "shown"]
    equal(shown["user_count"], cells["nunique"].loc[shown.index])
    equal(shown["rating_count"], cells["size"].loc[shown.index])
    nobody = found[found["state"] == "nobody"]
    assert len(shown) > 750 and not nobody.index.isin(cells.index).any()


@pytest.fixture(scope="module")
def planted() -> tuple[Tables, pd.DataFrame]:
    """Two years of a service with known shares of genres; those of `Rising` change between them.

    Users differ: each has their own share of high ratings by genre, their own mixture of genres,
    and as many ratings as they like, so that the ratings of a user are far from independent.
    """
    chance = np.random.default_rng(20)
    names = [f"Genre {n}" for n in range(20)] + ["Rising"]
    weights = np.array([*chance.uniform(0.5, 2.0, 20), 1.0])
    high = np.array([*chance.uniform(0.15, 0.6, 20), 0.3])
    first, rows, user = pd.Timestamp("2015-01-10"), [], 0
    for month in range(24):
        late = month >= 12
        mixture, liking = weights.copy(), high.copy()
        if late:
            mixture[-1], liking[-1] = 4.0, 0.6
        at = int((first + pd.DateOffset(months=month)).timestamp())
        for _ in range(90):
            user += 1
            size = int(np.exp(chance.normal(4.0, 0.9))) + 1
            counts = chance.multinomial(size, chance.dirichlet(mixture))
            own = chance.beta(4 * liking, 4 * (1 - liking))
            for genre, count in enumerate(counts):
                if count:
                    stars = np.where(chance.random(count) < own[genre], 5.0, 3.0)
                    number = 1 + genre * 5000 + np.arange(count)
                    rows.append(
                        np.column_stack([np.full(count, user), number, stars, np.full(count, at)])
                    )
    ratings = pd.DataFrame(
        np.concatenate(rows), columns=["userId", "movieId", "rating", "timestamp"]
    )
    movies = pd.DataFrame({"movieId": sorted(ratings["movieId"].unique().astype(int))})
    movies["title"] = "M (2000)"
    movies["genres"] = [names[(number - 1) // 5000] for number in movies["movieId"]]
    tags = pd.DataFrame({"userId": [], "movieId": [], "tag": [], "timestamp": []})
    found = build({"movies": movies, "ratings": ratings, "tags": tags}, GENRES)[GENRES]
    truth = pd.DataFrame({"genre": names, "high": high, "share": weights / weights.sum()})
    later = weights.copy()
    later[-1] = 4.0
    truth["change"] = later / later.sum() - truth["share"]
    return {GENRES: found}, truth


def test_intervals_cover_what_was_planted_in_95_of_100(
    planted: tuple[Tables, pd.DataFrame],
) -> None:
    found = planted[0][GENRES].merge(planted[1], on="genre")
    early = found[(found["genre"] != "Rising") & found["high_rating_share_low"].notna()]
    inside = early["high"].between(early["high_rating_share_low"], early["high_rating_share_high"])
    assert len(early) > 300 and 0.93 <= inside.mean() <= 0.98, inside.mean()
    still = found[(found["genre"] != "Rising") & found["high_rating_share_change"].notna()]
    no_change = (still["high_rating_share_change_low"] <= 0) & (
        still["high_rating_share_change_high"] >= 0
    )
    share = still["change"].between(
        still["rating_share_change_low"], still["rating_share_change_high"]
    )
    assert len(still) > 150 and 0.92 <= no_change.mean() <= 0.99, no_change.mean()
    assert 0.92 <= share.mean() <= 0.99, share.mean()
    # Of those that stayed as they were, hardly one is called changed.
    assert (still["high_rating_share_trend"] != "no_clear_change").mean() < 0.02


def test_what_was_planted_to_rise_is_called_so(planted: tuple[Tables, pd.DataFrame]) -> None:
    found = planted[0][GENRES]
    rising = found[(found["genre"] == "Rising") & (found["reporting_month"] >= "2016-01-01")]
    assert (rising["high_rating_share_trend"] == "up").mean() > 0.9
    assert (rising["rating_share_trend"] == "up").mean() > 0.9
    inside = (rising["high_rating_share_change_low"] <= 0.3) & (
        rising["high_rating_share_change_high"] >= 0.3
    )
    assert inside.sum() >= 10
    assert (
        found[found["reporting_month"] < "2016-01-01"]["rating_share_trend"] == "not_enough_data"
    ).all()


def poor(case: str) -> Tables:
    source = few_users(3)
    if case == "nothing":
        return {name: rows.head(0) for name, rows in source.items()}
    if case == "one user":
        for name in ("ratings", "tags"):
            source[name] = source[name][source[name]["userId"] == 1]
    if case == "one month":
        source["ratings"]["timestamp"] = source["tags"]["timestamp"] = 1_262_304_000
    if case == "no tags":
        source["tags"] = source["tags"].head(0)
    if case == "one genre":
        source["movies"]["genres"] = "Drama"
    if case == "all equal":
        source["ratings"]["rating"] = 5.0
    return source


CASES = ("nothing", "one user", "one month", "no tags", "one genre", "all equal")


@pytest.mark.parametrize("case", CASES)
def test_little_data_is_not_enough_and_never_an_error(case: str) -> None:
    marts = build(poor(case), *MARTS)
    for name, rows in marts.items():
        numbers = rows.select_dtypes("number").to_numpy(float)
        assert not np.isinf(numbers).any(), name
        assert (case == "nothing") <= rows.empty, name
    assert set(marts[GENRES]["high_rating_share_trend"]) <= {"not_enough_data", "no_clear_change"}
    if case == "one user":
        assert marts[ERAS].empty and marts[SEGMENTS].empty
        assert set(marts[MONTHS]["state"]) <= {"withheld", "nobody"}
    if case == "one month":
        assert list(marts[MONTHS]["returning_user_count"]) == [0]
        assert set(marts[GENRES]["rating_share_trend"]) == {"not_enough_data"}
    if case == "no tags":
        assert set(marts[MONTHS]["tag_count"].dropna()) == {0}
    if case == "one genre":
        assert set(marts[GENRES]["rating_share"].dropna()) == {1.0}
    if case == "all equal":
        assert set(marts[MONTHS]["high_rating_share"].dropna()) == {1.0}
        assert (marts[GENRES]["high_rating_share_low"].dropna() < 1).all()
