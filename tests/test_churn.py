"""Cohorts, survival and predictors are what other tools make of the same users."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from churning import (
    CHAIN,
    MONTH,
    PAUSE,
    World,
    actions_of,
    against_their_years,
    pairs_of_their_years,
)
from lifelines import KaplanMeierFitter
from sklearn.metrics import roc_auc_score

FEATURES = (
    *("ratings", "high_rating_share", "tags", "genres"),
    *("old_movie_share", "movie_age", "first_hour", "first_weekday"),
)
real_data = pytest.mark.skipif(not os.environ.get("MOVIELENS_DIR"), reason="needs MOVIELENS_DIR")


@pytest.fixture(scope="module")
def real() -> tuple[World, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The models on latest-small; its ratings, tags and movies as pandas reads them."""
    folder = Path(os.environ["MOVIELENS_DIR"])
    ratings, tags, movies = (
        pd.read_csv(folder / f"{name}.csv", keep_default_na=False)
        for name in ("ratings", "tags", "movies")
    )
    for rows, column in ((ratings, "rated_at"), (tags, "tagged_at")):
        rows[column] = pd.to_datetime(rows.pop("timestamp"), unit="s", utc=True)
    ratings = ratings.rename(columns={"userId": "user_id", "movieId": "movie_id"})
    tags = tags.rename(columns={"userId": "user_id", "movieId": "movie_id"})
    movies = pd.DataFrame(
        {
            "movie_id": movies.movieId,
            "release_year": movies.title.str.extract(r"\((\d{4})(?:[-–]\d{0,4})?\)\s*$")[0].astype(
                "Int64"
            ),
            "genres": movies.genres.replace("(no genres listed)", None),
        }
    )
    world = World()
    world.put("interactions.user_movie_ratings", ratings)
    world.put("interactions.user_tags", tags.assign(rating=math.nan))
    world.put("interactions.movie_catalogue", movies)
    world.run(*CHAIN)
    return world, ratings, tags, movies


@pytest.fixture(scope="module")
def impressions(real) -> pd.DataFrame:
    _, ratings, tags, movies = real
    return impressions_of(actions_of(ratings, tags), movies)


def lives_of(actions: pd.DataFrame) -> pd.DataFrame:
    """One row per user: whole months until they left, if they did, and until watching ends."""
    users = actions.groupby("user_id")[["first", "left"]].first()
    days = users.apply(lambda column: column.dt.normalize())
    watched = (actions["at"].max().normalize() - PAUSE - days["first"]).dt.days
    stayed = (days["left"] - days["first"]).dt.days
    return users.assign(
        year=users["first"].dt.strftime("%Y"),
        active=(stayed.fillna(10**6) // MONTH).astype(int),
        watched=(watched.clip(lower=0) // MONTH).astype(int),
    )


def kaplan_meier(lives: pd.DataFrame, steps: list[int]) -> pd.DataFrame:
    """What lifelines makes of users who are seen at these months alone; the last step is first."""
    ends = np.array(steps)
    ended = np.searchsorted(ends, lives.active, side="right")
    watched = np.searchsorted(ends, lives.watched, side="right")
    fitter = KaplanMeierFitter().fit(np.minimum(ended + 1, watched), ended < watched)
    counts = fitter.event_table.reindex(range(1, len(ends) + 1))
    return pd.DataFrame(
        {
            "at_risk": counts.at_risk,
            "churned": counts.observed,
            "survival": fitter.survival_function_.iloc[:, 0].reindex(counts.index),
            "low": fitter.confidence_interval_.iloc[:, 0].reindex(counts.index),
            "high": fitter.confidence_interval_.iloc[:, 1].reindex(counts.index),
        }
    )


@real_data
def test_a_curve_is_what_lifelines_makes_of_the_same_users(real):
    world, ratings, tags, _ = real
    lives, curves = lives_of(actions_of(ratings, tags)), world.rows("churn_curve")
    assert len(curves[curves.cohort == "all"]) > 8 and curves.cohort.nunique() > 8
    for cohort, curve in curves.groupby("cohort"):
        own = lives if cohort == "all" else lives[lives.year == cohort]
        shown = curve[curve.months_since > 0]
        found = kaplan_meier(own[own.watched > 0], shown.months_since.tolist())
        columns = ["at_risk_user_count", "churned_user_count"]
        columns += ["survival", "survival_low", "survival_high"]
        np.testing.assert_allclose(shown[columns], found, rtol=1e-9)


def enough(users: pd.Series, whole) -> pd.Series:
    """Five users, and what is held back of the same whole is of nobody or of five as well."""
    ordered = users.to_frame("n").assign(whole=list(whole)).reset_index()
    ordered = ordered.sort_values(["n", "cohort"])
    less = ordered.groupby("whole").n.cumsum() - ordered.n
    ordered["shown"] = (ordered.n >= 5) & ~less.between(1, 4)
    return ordered.set_index(["cohort", "month"]).shown


@real_data
def test_cohorts_are_what_pandas_counts(real):
    world, ratings, tags, _ = real
    actions = actions_of(ratings, tags)
    months = actions["at"].dt.year * 12 + actions["at"].dt.month
    cohort = actions["first"].dt.year * 12 + actions["first"].dt.month
    actions = actions.assign(cohort=cohort, since=months - cohort, month=months)
    sizes = actions.groupby("cohort").user_id.nunique()
    new = world.rows("audience_months").set_index("reporting_month").shows_new_users
    new.index = new.index.year * 12 + new.index.month
    newest = actions["at"].max()
    assert not newest.is_month_end
    actions = actions[actions.month < actions.month.max()]
    cells = ["cohort", "month"]
    users = actions.groupby(cells).user_id.nunique()
    raters, taggers = (
        actions[actions.is_rating == is_rating].groupby(cells).user_id.nunique()
        for is_rating in (True, False)
    )
    told = [("back", m) if new[m] and c < m else (m, c == m and new[m]) for c, m in users.index]
    acting = enough(users, told)
    rating, tagging = (enough(some, some.index.droplevel(0)) for some in (raters, taggers))
    expected = {}
    for (cohort, month), some in actions.groupby(cells):
        count, rated, tagged = users[cohort, month], some[some.is_rating], some[~some.is_rating]
        few_left = cohort < month and sizes[cohort] - count < 5
        if not new[cohort] or not acting[cohort, month] or few_left:
            continue
        rates = rating.get((cohort, month), False)
        expected[cohort, month - cohort] = (
            sizes[cohort],
            count,
            count / sizes[cohort],
            len(rated) if rates else None,
            rated.rating.median() if rates else None,
            len(tagged) if tagging.get((cohort, month), False) else None,
        )
    rows = world.rows("cohort_activity")
    found = {
        (row.cohort_month.year * 12 + row.cohort_month.month, row.months_since): tuple(
            None if pd.isna(value) else value for value in row[2:8]
        )
        for row in (pd.Series(one[1:], index=rows.columns) for one in rows.itertuples())
    }
    assert len(found) > 15 and found == expected


def impressions_of(actions: pd.DataFrame, movies: pd.DataFrame) -> pd.DataFrame:
    """One row per user who can be judged: features, the year they came, whether they were gone."""
    actions = actions.merge(movies, on="movie_id", how="left")
    newest = actions["at"].max()
    actions = actions[actions["first"] + pd.Timedelta(days=187) <= newest]
    rows = {}
    for user, own in actions.groupby("user_id"):
        first = own["first"].iloc[0]
        since = own["at"] - first
        early = own[since < pd.Timedelta(days=7)]
        rated = early[early.is_rating]
        dated = rated[rated.release_year.notna()]
        if dated.empty:
            continue
        ages = first.year - dated.release_year.astype(int)
        rows[user] = (
            len(rated),
            (rated.rating > 4).sum() / len(rated),
            len(early) - len(rated),
            len({genre for text in rated.genres.dropna() for genre in text.split("|")}),
            (ages > 20).sum() / len(dated),
            ages.sum() / len(dated),
            first.hour,
            first.isoweekday(),
            first.year,
            own.left.iloc[0] - first < pd.Timedelta(days=7),
        )
    return pd.DataFrame.from_dict(rows, "index", columns=[*FEATURES, "year", "has_churned"])


@real_data
def test_predictors_are_what_pandas_and_scikit_learn_make_of_the_same_users(real, impressions):
    users, rows = impressions, real[0].rows("churn_predictors")
    assert set(rows.feature) == set(FEATURES)
    for feature, quarters in rows.groupby("feature"):
        value, gone = users[feature], users.has_churned.astype(bool)
        below = value.map(lambda one, value=value: (value < one).sum())
        quarter = 1 + 4 * below // len(users)
        some = gone.groupby(quarter)
        assert quarters.quartile.tolist() == sorted(quarter.unique())
        assert quarters.user_count.tolist() == some.size().tolist()
        assert quarters.churned_user_count.tolist() == some.sum().tolist()
        np.testing.assert_allclose(quarters.churned_user_share, some.mean())
        np.testing.assert_allclose(quarters.lift, some.mean() / gone.mean())
        starts = value.groupby(quarter).min().tolist()
        np.testing.assert_allclose(quarters.value_from, [math.nan, *starts[1:]])
        np.testing.assert_allclose(quarters.auc, roc_auc_score(gone, value))
    nearest = rows.assign(distance=-(rows.auc - 0.5).abs()).drop_duplicates("feature")
    assert nearest.sort_values("distance").feature_rank.tolist() == list(range(1, 9))


@real_data
def test_a_quarter_is_compared_with_those_who_came_in_its_years(real, impressions):
    users, rows = impressions, real[0].rows("churn_predictors")
    columns = ["churned_user_share", "expected_churned_share"]
    columns += ["year_lift", "year_lift_low", "year_lift_high"]
    for feature, quarters in rows.groupby("feature"):
        starts = [-math.inf, *quarters.value_from.dropna(), math.inf]
        assert (quarters.of_user_count == len(users)).all()
        expected = (quarters.expected_churned_share * quarters.user_count).sum()
        assert expected == pytest.approx(users.has_churned.sum())
        for number, (_, row) in enumerate(quarters.iterrows()):
            inside = users[feature].between(*starts[number : number + 2], inclusive="left")
            found = against_their_years(inside, users.year, users.has_churned)
            np.testing.assert_allclose(row[columns].astype(float), found, rtol=1e-9)


@real_data
def test_pairs_are_of_users_who_came_in_the_same_year(real, impressions):
    users, rows = impressions, real[0].rows("churn_predictors")
    first = rows.drop_duplicates("feature").set_index("feature")
    compared = users.groupby("year").filter(lambda own: own.has_churned.nunique() == 2)
    gone, of_year = compared.has_churned.astype(bool), compared.groupby("year").has_churned
    weights = of_year.sum() * (of_year.size() - of_year.sum())
    for feature in FEATURES:
        columns = ["year_auc", "year_auc_low", "year_auc_high"]
        found = pairs_of_their_years(users[feature], users.year, users.has_churned)
        np.testing.assert_allclose(first.loc[feature, columns].astype(float), found, rtol=1e-9)
        areas = [
            roc_auc_score(gone[own.index], own[feature]) for _, own in compared.groupby("year")
        ]
        np.testing.assert_allclose(first.year_auc[feature], np.average(areas, weights=weights))
    nearest = first.assign(distance=-(first.year_auc - 0.5).abs()).sort_values("distance")
    assert nearest.year_rank.tolist() == list(range(1, 9))


@real_data
def test_who_rates_more_leaves_as_others_of_the_same_year(real):
    """Who came later rates more, and leaves less: of all users it looks as if ratings kept them."""
    first = real[0].rows("churn_predictors").drop_duplicates("feature").set_index("feature")
    assert first.auc_high["ratings"] < 0.45 and first.auc_high["genres"] < 0.5
    assert (first.year_auc_low < 0.5).all() and (first.year_auc_high > 0.5).all()


@real_data
def test_who_rates_new_movies_leaves_as_others_of_the_same_year(real, impressions):
    """Nearly all who came in 1996 rated new movies, there were no others, and they left most."""
    rows = real[0].rows("churn_predictors").query("feature == 'movie_age'").set_index("quartile")
    first, lowest = impressions[impressions.year == 1996], rows.loc[1]
    assert (first.movie_age < rows.value_from[2]).mean() > 0.9
    assert lowest.lift_low > 1.05 and lowest.year_lift_low < 1 < lowest.year_lift_high


@real_data
def test_an_interval_of_an_area_is_delongs(real, impressions):
    """Over all pairs, as the paper has it, and not by counts of equal values."""
    users, gone = impressions, impressions.has_churned.to_numpy(bool)
    rows = real[0].rows("churn_predictors").drop_duplicates("feature").set_index("feature")
    for feature in FEATURES:
        value = users[feature].to_numpy(float)
        left, stayed = value[gone][:, None], value[~gone][None, :]
        pairs = (left > stayed) + (left == stayed) / 2
        error = math.sqrt(
            pairs.mean(1).var(ddof=1) / len(pairs) + pairs.mean(0).var(ddof=1) / pairs.shape[1]
        )
        auc = pairs.mean()
        logit, reach = math.log(auc / (1 - auc)), 1.959963984540054 * error / (auc * (1 - auc))
        ends = [1 / (1 + math.exp(-logit + sign * reach)) for sign in (1, -1)]
        np.testing.assert_allclose(rows.loc[feature, ["auc_low", "auc_high"]].tolist(), ends)
