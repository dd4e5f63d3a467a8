"""Users who leave as planned: the products of churn find the plan again, at two sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from churning import CHAIN, World
from planting import Leaving, generate

from mesh.errors import WrongUse
from mesh.movielens.generate.audience import MEDIAN_RATINGS

PLAN = Leaving(at_once=0.6, hazard=0.08, keen_odds=0.4, since=2010, since_odds=2.5)


def world_of(folder: Path) -> World:
    """The products of churn on generated files."""
    world = World()
    movies = pd.read_csv(folder / "movies.csv", keep_default_na=False)
    years = movies.title.str.extract(r"\((\d{4})\) *$")[0].astype("Int64")
    world.put(
        "interactions.movie_catalogue",
        pd.DataFrame({"movie_id": movies.movieId, "release_year": years, "genres": movies.genres}),
    )
    for name, column in (("ratings", "rated_at"), ("tags", "tagged_at")):
        rows = pd.read_csv(folder / f"{name}.csv", keep_default_na=False)
        rows = rows.rename(columns={"userId": "user_id", "movieId": "movie_id"})
        rows[column] = pd.to_datetime(rows.pop("timestamp"), unit="s", utc=True)
        table = "user_movie_ratings" if name == "ratings" else "user_tags"
        world.put(f"interactions.{table}", rows)
    world.run(*CHAIN)
    return world


@pytest.fixture(scope="module", params=[1_500, 6_000])
def planted(request, tmp_path_factory) -> tuple[World, pd.DataFrame]:
    """The products, and for each user the chance of leaving at once that the plan gave them."""
    folder = tmp_path_factory.mktemp("planted")
    generate(folder, request.param, seed=18, movies=3_000, leaving=PLAN)
    world = world_of(folder)
    users = world.connection.sql(
        "SELECT user_id, cohort_month, watched_months, COUNT(*) AS first_day_ratings "
        "FROM engagement_internal.user_lifetimes "
        "JOIN interactions.user_movie_ratings USING (user_id) "
        "WHERE rated_at < first_action_at + INTERVAL 7 DAY GROUP BY ALL"
    ).df()
    users["year"] = users.cohort_month.dt.year
    users["is_keen"] = users.first_day_ratings > MEDIAN_RATINGS
    users["chance"] = PLAN.chance(users.is_keen.to_numpy(), (users.year >= 2010).to_numpy())
    return world, users


def test_the_curve_of_all_finds_the_planted_hazard(planted):
    world, users = planted
    stay = 1 - users[users.watched_months > 0].chance.mean()
    curve = world.rows("churn_curve").query("cohort == 'all' and months_since > 0")
    assert curve.months_since.max() >= 12
    truth = stay * (1 - PLAN.hazard) ** (curve.months_since - 1)
    # Later years are watched for a shorter time, and their plan differs.
    inside = (curve.survival_low <= truth) & (truth <= curve.survival_high)
    assert inside[curve.months_since <= 24].all()


def test_the_curves_of_years_find_what_was_planted_for_them(planted):
    world, users = planted
    curves = world.rows("churn_curve").query("cohort != 'all' and months_since == 1")
    chances = users[users.watched_months > 0].groupby("year").chance.mean()
    truth = 1 - chances.loc[curves.cohort.astype(int)].to_numpy()
    inside = (curves.survival_low <= truth) & (truth <= curves.survival_high)
    # One of twenty intervals may miss.
    assert len(curves) > 12 and inside.sum() >= len(curves) - 3
    before, since = curves[curves.cohort < "2010"], curves[curves.cohort >= "2010"]
    assert before.survival.mean() > since.survival.mean() + 0.1


def test_predictors_find_the_planted_odds_and_nothing_else(planted):
    world, users = planted
    rows = world.rows("churn_predictors")
    judged = users[users.watched_months >= 1]
    gone, stays = judged.chance, 1 - judged.chance
    keen_gone = gone[judged.is_keen].sum() / gone.sum()
    keen_stays = stays[judged.is_keen].sum() / stays.sum()
    ratings = rows[rows.feature == "ratings"]
    assert (ratings.feature_rank == 1).all()
    area = 0.5 + (keen_gone - keen_stays) / 2
    assert ratings.auc_low.iloc[0] <= area <= ratings.auc_high.iloc[0]
    for quartile, is_keen in ((1, False), (4, True)):
        lift = judged[judged.is_keen == is_keen].chance.mean() / judged.chance.mean()
        row = ratings[ratings.quartile == quartile].iloc[0]
        assert row.lift_low <= lift <= row.lift_high
    # What else goes with the year, such as half-stars, does tell something.
    other = rows[rows.feature.isin(["first_hour", "first_weekday"])]
    assert ((other.auc_low < 0.5) & (other.auc_high > 0.5)).all()


def test_a_user_acts_once_in_each_month_that_was_planted(planted):
    world, _ = planted
    months = world.rows("user_lifetimes").set_index("user_id")
    counts = world.connection.sql(
        "SELECT user_id, COUNT(*) FILTER (rated_at >= first_action_at + INTERVAL 7 DAY) AS later "
        "FROM interactions.user_movie_ratings JOIN engagement_internal.user_lifetimes "
        "USING (user_id) GROUP BY user_id"
    ).df()
    active = months.active_months.loc[counts.user_id].to_numpy()
    # Who tags later than they rated, by minutes, may reach into the next month.
    assert (np.abs(active - counts.later.to_numpy()) <= 1).all()
    assert (active == counts.later.to_numpy()).mean() > 0.99


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"at_once": 1.0}, "at_once is 1.0. Give a share between 0 and 1."),
        ({"hazard": 0.0}, "hazard is 0.0. Give a share between 0 and 1."),
        ({"keen_odds": 0.0}, "keen_odds is 0.0. Give more than 0."),
        ({"since_odds": -1.0}, "since_odds is -1.0. Give more than 0."),
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan, message):
    with pytest.raises(WrongUse) as caught:
        Leaving(**plan)
    assert " ".join(str(caught.value).split()) == message
