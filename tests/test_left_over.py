"""Who subtracts what marts show from what they sum up to finds no cell of one to four users.

Nor is what is left of so few, of several cells together: one user may be in all of them, so cells
are not added up, but their users counted.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from few import few_users
from rendered import Tables, build
from test_over_time import (
    AGES,
    GENRES,
    MONTHS,
    age_rank,
    by_genre,
    month_of,
    with_movies,
)


def real_ratings() -> Tables:
    folder = Path(os.environ["MOVIELENS_DIR"])
    return {name: pd.read_csv(folder / f"{name}.csv") for name in ("movies", "ratings", "tags")}


def found_by_subtraction(known: list[np.ndarray], cells: int) -> np.ndarray:
    """Which of so many cells follow from sums of them that are known: each row says of which."""
    _, values, basis = np.linalg.svd(np.array(known))
    free = basis[np.sum(values > 1e-9) :]
    return np.all(np.abs(free) < 1e-9, axis=0) if len(free) else np.ones(cells, dtype=bool)


def left_over(cells: pd.DataFrame, shown: pd.DataFrame) -> pd.Series:
    """How many users are left of each whole that shows a part.

    cells: a row for each user in each cell, which is a `part` of a `whole`. shown: the cells that
    the mart shows.
    """
    told = cells.merge(shown.assign(told=True), on=["whole", "part"], how="left")
    hidden = told[told["told"].isna() & told["whole"].isin(shown["whole"])]
    return hidden.groupby("whole")["userId"].nunique()


@pytest.mark.parametrize(
    "seed", [*range(4), None], ids=lambda seed: "real" if seed is None else f"{seed}"
)
def test_what_is_left_is_of_enough_users(seed: int | None) -> None:
    source = real_ratings() if seed is None else few_users(seed)
    marts = build(source, MONTHS, AGES, GENRES)
    months, ages, genres = marts[MONTHS], marts[AGES], marts[GENRES]
    ratings = with_movies(source)
    tags = source["tags"].assign(month=month_of(source["tags"]["timestamp"]))
    told = months.loc[months["rating_count"].notna(), "reporting_month"]
    wholes = {
        "ages of a month": (
            ratings.assign(whole=ratings["month"], part=age_rank(ratings)),
            ages[ages["state"] != "withheld"].set_axis(
                ages.columns.map({"reporting_month": "whole", "age_rank": "part"}.get), axis=1
            ),
        ),
        "months of a genre": (
            by_genre(ratings).assign(whole=lambda one: one["genre"], part=lambda one: one["month"]),
            genres[genres["state"] != "withheld"].rename(
                columns={"genre": "whole", "reporting_month": "part"}
            ),
        ),
        "ratings of a month": (
            ratings.assign(whole="all", part=ratings["month"]),
            pd.DataFrame({"whole": "all", "part": told}),
        ),
        "tags of a month": (
            tags.assign(whole="all", part=tags["month"]),
            pd.DataFrame(
                {
                    "whole": "all",
                    "part": months.loc[months["tag_count"].notna(), "reporting_month"],
                }
            ),
        ),
    }
    for name, (cells, shown) in wholes.items():
        left = left_over(cells, shown[["whole", "part"]])
        assert not left.between(1, 4).any(), (name, left[left.between(1, 4)])
    assert (ages["state"] == "withheld").sum() > 10


@pytest.mark.parametrize("seed", range(4))
def test_few_users_are_not_found_by_subtracting_marts_from_each_other(seed: int) -> None:
    """Who knows all that the marts show, and all totals, still knows no cell of 1 to 4 users."""
    source = few_users(seed)
    marts = build(source, MONTHS, AGES, GENRES)
    ratings = with_movies(source)
    ages = marts[AGES].sort_values(["reporting_month", "age_rank"]).reset_index(drop=True)
    behind = ratings.assign(rank=age_rank(ratings)).groupby(["month", "rank"])["userId"].nunique()
    index = pd.MultiIndex.from_frame(ages[["reporting_month", "age_rank"]])
    few = behind.reindex(index, fill_value=0).between(1, 4).to_numpy()
    assert few.sum() > 10
    months, genres = marts[MONTHS], marts[GENRES]
    told = set(months.loc[months["rating_count"].notna(), "reporting_month"])
    # A genre's count and share tell all ratings of its month.
    told |= set(genres.loc[genres["rating_share"] > 0, "reporting_month"])
    known = [np.eye(len(ages))[place] for place in np.flatnonzero(ages["rating_count"].notna())]
    known += [(ages["reporting_month"] == month).to_numpy(float) for month in told]
    known += [np.ones(len(ages))]
    assert not (found_by_subtraction(known, len(ages)) & few).any()
    # The month itself, the whole of its classes, is not found either.
    raters = ratings.groupby("month")["userId"].nunique()
    number = {month: place for place, month in enumerate(sorted(months["reporting_month"]))}
    small = np.array([1 <= raters.get(month, 0) <= 4 for month in number])
    known = [np.eye(len(number))[number[month]] for month in told] + [np.ones(len(number))]
    assert small.any() and not (found_by_subtraction(known, len(number)) & small).any()
    for kind, column in ((source["tags"], "tag_count"), (None, "new_user_count")):
        if kind is None:
            first = pd.concat([source["ratings"], source["tags"]])
            first = month_of(first.groupby("userId")["timestamp"].min().reset_index()["timestamp"])
            users = first.value_counts()
        else:
            users = (
                kind.assign(month=month_of(kind["timestamp"])).groupby("month")["userId"].nunique()
            )
        small = np.array([1 <= users.get(month, 0) <= 4 for month in number])
        shown = months.loc[months[column].notna(), "reporting_month"]
        known = [np.eye(len(number))[number[month]] for month in shown] + [np.ones(len(number))]
        assert not (found_by_subtraction(known, len(number)) & small).any(), column


def test_a_month_of_a_genre_is_not_found_in_its_moving_values() -> None:
    source = few_users(9)
    genres = build(source, GENRES)[GENRES]
    for _, rows in genres.sort_values("reporting_month").groupby("genre"):
        counts = rows["rating_count"].fillna(0).to_numpy(float)
        moving = rows["moving_rating_count"].to_numpy(float)
        left = np.concatenate([np.zeros(12), counts])[: len(counts)]
        step = np.diff(np.concatenate([[0], moving])) + left
        np.testing.assert_allclose(step, counts)
    assert (genres["state"] == "withheld").sum() > 5
