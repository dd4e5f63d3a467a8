"""Who subtracts what marts show from what they sum up to is left with five users, or with nobody.

What is left is of several cells, and one user may be in all of them: cells are not added up here,
but their users counted.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from rendered import Tables, build
from test_over_time import (
    AGES,
    GENRES,
    MONTHS,
    age_rank,
    by_genre,
    few_users,
    month_of,
    with_movies,
)


def real_ratings() -> Tables:
    folder = Path(os.environ["MOVIELENS_DIR"])
    return {name: pd.read_csv(folder / f"{name}.csv") for name in ("movies", "ratings", "tags")}


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
