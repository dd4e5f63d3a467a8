"""Audits of what no contract can ask: right models pass, and each way to be wrong is found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext

import duckdb
import numpy as np
import pandas as pd
import pytest
from churning import CHAIN, World, full_name
from project_copy import PROJECT
from rendered import audit_of, edited
from sqlglot import exp

from mesh.contracts.header import model_properties

AUDITS = {
    "churn_predictors": "predictors_are_those_of_the_users",
    "churn_curve": "steps_are_those_of_the_users",
}
CURVE = ("newest_rating", "user_months", "user_lifetimes", "churn_steps", "churn_curve")
CURVES = full_name(CURVE[-1])
# Days of action since the first: around the seven days, the 180 after them, and ends of months.
LIVES = (
    *((0,), (0, 3), (0, 6), (0, 7), (0, 40), (0, 60), (0, 90, 120), (0, 150, 270)),
    *((0, 6, 186), (0, 6, 187), (0, 3, 189), (0, 100, 281), (0, 5, 300), tuple(range(0, 1700, 50))),
)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Viewers of all these lives, who came on any day of four years and more."""
    world = World()
    rng = np.random.default_rng(3)
    users, each, movies = 1400, 34, np.arange(1, 201)
    came = rng.integers(0, 1650 * 24, users)
    hours = np.array(
        [came + 24 * np.resize(LIVES[user % len(LIVES)], each) for user, came in enumerate(came)]
    )
    ratings = pd.DataFrame(
        {
            "user_id": np.repeat(np.arange(1, users + 1), each),
            "movie_id": rng.permuted(np.tile(movies, (users, 1)), axis=1)[:, :each].ravel(),
            "rating": rng.integers(1, 11, users * each) / 2,
            "rated_at": pd.Timestamp("2012-01-01", tz="UTC") + pd.to_timedelta(hours.ravel(), "h"),
        }
    )
    ratings = ratings[ratings.rated_at < pd.Timestamp("2016-10-01", tz="UTC")]
    some = ratings[rng.random(len(ratings)) < 0.04]
    tags = some.assign(tag="slow", tagged_at=some.rated_at + pd.Timedelta(minutes=9))
    years = np.where(movies % 7 == 6, None, 1980 + movies % 36)
    genres = np.where(movies % 3 == 1, "War", "Drama|Romance")
    catalogue = {"movie_id": movies, "release_year": years, "genres": genres}
    world.put("interactions.user_movie_ratings", ratings)
    world.put("interactions.user_tags", tags.drop(columns="rated_at"))
    world.put("interactions.movie_catalogue", pd.DataFrame(catalogue))
    yield world
    world.connection.close()


def found(world: World) -> set[str]:
    """The products that an audit finds wrong, and says so with one of their rows."""
    wrong = set()
    for product, audit in AUDITS.items():
        try:
            assert world.connection.sql(audit_of(audit, f"engagement.{product}")).fetchall() == []
        except duckdb.InvalidInputException as error:
            said = rf"engagement\.{product} is not what .*: \d+ rows differ.*, such as \w+=.+"
            assert re.search(said, str(error)), error
            wrong.add(product)
    return wrong


def test_what_the_models_make_passes(world):
    world.run("thresholds", *CHAIN)
    assert len(world.rows("churn_predictors")) > 20 and len(world.rows("churn_curve")) > 10
    assert found(world) == set()


@pytest.mark.parametrize(
    ("model", "right", "wrong", "product"),
    [
        ("churn_predictors", "staying_below + staying_count / 2", "staying_below", "predictors"),
        ("churn_predictors", "all_churned - churned_below - churned_count / 2", "0", "predictors"),
        ("churn_predictors", "1.959963984540054 * separations", "1.64 * separations", "predictors"),
        ("churn_predictors", "/ NULLIF(auc *", "/ NULLIF(4 * auc *", "predictors"),
        (
            "churn_predictors",
            "NULLIF(year_areas.auc *",
            "NULLIF(4 * year_areas.auc *",
            "predictors",
        ),
        (
            "churn_predictors",
            "SUM(churned_count * staying_count * auc) / SUM(churned_count * staying_count)",
            "AVG(auc)",
            "predictors",
        ),
        ("churn_predictors", "POW(churned_count * staying_count, 2)", "1", "predictors"),
        ("churn_predictors", "year_areas.smallest_part >=", "0 >", "predictors"),
        ("churn_predictors", "feature, stratum\n    ORDER", "feature\n    ORDER", "predictors"),
        ("churn_predictors", "DIV(4 * users_below", "DIV(4 * (users_below + 9)", "predictors"),
        ("churn_predictors", "MIN(value) AS value_from", "MAX(value) AS value_from", "predictors"),
        (
            "first_impressions",
            "left_at < judged_from, FALSE",
            "left_at < judged_from, TRUE",
            "predictors",
        ),
        ("first_impressions", "@is_high(ratings.rating)", "ratings.rating >= 4", "predictors"),
        ("first_impressions", "> thresholds.old_above_years", ">= 20", "predictors"),
        ("first_impressions", "MOD(DIV(start_at, 3600000000)", "MOD(7", "predictors"),
        ("first_impressions", "+ 3, 7) + 1", "+ 4, 7) + 1", "predictors"),
        ("first_impressions", "UNIX_MICROS(tags.tagged_at) < users", "0 < users", "predictors"),
        ("first_impressions", "COALESCE(rated.genre_count, 0)", "rated.rating_count", "predictors"),
        ("churn_predictors", "'movie_age',", "", "predictors"),
        (
            "churn_predictors",
            "compared.smallest_part >=",
            "compared.smallest_part >= 90 *",
            "predictors",
        ),
        (
            "churn_predictors",
            " separations.logit_error > 0",
            " compared.all_users > 9999",
            "predictors",
        ),
        ("first_impressions", "DIV(start_at, 86400000000))) AS", "0)) AS", "predictors"),
        ("churn_predictors", " user_count > 1,", " user_count > 9999,", "predictors"),
        ("churn_predictors", "* year_churned / year_users", "* year_churned / 40", "predictors"),
        ("churn_predictors", "POW(1 - weight, 2)", "POW(weight, 2)", "predictors"),
        ("churn_predictors", "other_users - 1)", "other_users)", "predictors"),
        ("churn_predictors", "expected.variance > 0", "expected.variance > 99", "predictors"),
        (
            "thresholds",
            "7::INT64 AS first_impression_days",
            "8 AS first_impression_days",
            "predictors",
        ),
        (
            "thresholds",
            "180::INT64 AS churned_after_days",
            "182 AS churned_after_days",
            "predictors",
        ),
        ("user_months", "MIN(first_action_at)::", "MAX(first_action_at)::", "predictors"),
        ("user_months", "MIN(first_action_at)::", "MAX(first_action_at)::", "curve"),
        ("user_months", "MAX(last_action_at)::", "MIN(last_action_at)::", "curve"),
        ("user_lifetimes", "* 16, 487", "* 1, 30", "curve"),
        ("churn_steps", "AND lifetimes.watched_months >= steps.step_end", "", "curve"),
        (
            "churn_steps",
            "active_months < steps.step_end",
            "active_months <= steps.step_end",
            "curve",
        ),
        (
            "churn_steps",
            "judged.is_enough AND",
            "judged.is_enough AND judged.step_end < 7 AND",
            "curve",
        ),
        (
            "churn_curve",
            "parts.cohort = 'all' OR",
            "parts.cohort = 'all' AND parts.step_end < 7 OR",
            "curve",
        ),
        ("churn_curve", "OR safe.is_shown", "OR safe.is_shown AND parts.step_end < 12", "curve"),
        ("churn_curve", "OR safe.is_shown", "OR safe.is_shown AND parts.cohort <> '2013'", "curve"),
        ("churn_curve", "OR safe.is_shown", "OR safe.is_shown AND parts.step_end <> 3", "curve"),
    ],
)
def test_a_model_that_counts_otherwise_is_found(world, model, right, wrong, product):
    query = edited(full_name(model), right, wrong)
    world.run("thresholds", *CHAIN, instead={model: query})
    assert f"churn_{product}" in found(world)


@pytest.mark.parametrize("wrong", ["", "/ 4 AS rank_variance"])
def test_predictors_of_years_in_which_one_user_left_or_stayed_are_found_right(wrong):
    """Of one user it is not known how far ranks differ; that is what the ranks of all tell."""
    world, users = World(), np.arange(121)
    rng = np.random.default_rng(4)
    late = users - 100
    year = np.where(late < 0, 2009, 2010 + late % 7)
    gone = np.where(late < 0, users % 2 == 0, late < 7)
    first = (pd.to_datetime(year, format="%Y", utc=True)).repeat(3)
    days = rng.integers(0, 300, len(users))[:, None] + np.where(gone, 0, 30)[:, None] * range(3)
    ratings = pd.DataFrame({"user_id": users.repeat(3), "rating": 3.5})
    ratings["movie_id"] = rng.integers(1, 41, len(ratings))
    ratings["rated_at"] = first + pd.to_timedelta(days.ravel(), "D")
    tags = ratings.assign(tag="slow", tagged_at=ratings.rated_at)[::9]
    movies = {"movie_id": np.arange(1, 41), "release_year": 1990 + np.arange(40) % 20}
    world.put("interactions.user_movie_ratings", ratings)
    world.put("interactions.user_tags", tags.drop(columns="rated_at"))
    world.put("interactions.movie_catalogue", pd.DataFrame({**movies, "genres": "War"}))
    model = full_name("churn_predictors")
    query = edited(model, "/ 12 AS rank_variance", wrong or "/ 12 AS rank_variance")
    world.run("thresholds", *CHAIN, instead={"churn_predictors": query})
    sides = world.rows("first_impressions").groupby(["first_year", "has_churned"]).size()
    assert (sides == 1).sum() == 6 and len(world.rows("churn_predictors")) > 9
    audit = audit_of(AUDITS["churn_predictors"], model)
    with pytest.raises(duckdb.InvalidInputException) if wrong else nullcontext():
        assert world.connection.sql(audit).fetchall() == []


@pytest.mark.parametrize("users", [20, 60, 150, 400])
def test_curves_that_end_since_few_are_left_pass(users):
    """Also where the last year that could be told of is not, so that no few are left of all."""
    world, hidden = World(), 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        each = rng.geometric(0.2, users)
        user = np.repeat(np.arange(users), each)
        hours = pd.Series(rng.exponential(60 * 24, len(user))).groupby(user).cumsum()
        hours += rng.integers(0, 1500 * 24, users)[user]
        ratings = pd.DataFrame({"user_id": user, "movie_id": 1, "rating": 3.5})
        ratings["rated_at"] = pd.Timestamp("2012-01-01", tz="UTC") + pd.to_timedelta(hours, "h")
        world.put("interactions.user_movie_ratings", ratings[hours < 1800 * 24])
        curves = world.run(*CURVE)
        steps = world.rows("churn_steps")
        hidden += len(steps) - (curves["months_since"] > 0).sum()
        assert world.connection.sql(audit_of(AUDITS["churn_curve"], CURVES)).fetchall() == []
    assert hidden > 20


def test_what_an_audit_reads_is_built_before_it() -> None:
    """In the first plan of all there is nothing by that name yet."""
    audit = exp.column(AUDITS["churn_curve"])
    properties = {
        p.name: p.args["value"] for p in model_properties("churn_curve", PROJECT, [audit])
    }
    names = {table.sql() for table in properties["depends_on"].expressions}
    assert {"interactions.user_tags", "interactions.user_actions"} <= names
