"""What the report of a movie reads: its tags and its years, worked out again from the files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pandas as pd
import pytest
from real_ratings import REAL, real_ratings
from rendered import Products, movielens, products

TAGS = ("thresholds", "newest_rating", "tag_uses")
LEAST, LIFE_FROM = 5, 50


@pytest.fixture(scope="module")
def tags() -> Iterator[Products]:
    internal = [f"engagement_internal.{name}" for name in TAGS]
    with products(*internal, "engagement.tag_interests", "engagement.movie_tags") as made:
        days = pd.DataFrame({"rated_on": [date(2018, 9, 24)]})
        made.load("interactions.movies_engagement_daily", days)
        months = pd.DataFrame({"movie_id": range(1, 4), "rating_count": 9})
        made.load("interactions.movies_engagement", months)
        movies = pd.DataFrame({"movie_id": [1], "genres": ["Drama"]})
        made.load("interactions.movie_catalogue", movies)
        yield made


@pytest.fixture(scope="module")
def years() -> Iterator[Products]:
    with products("engagement_internal.thresholds", "engagement.movie_years") as made:
        yield made


def load_months(years: Products, ratings: pd.DataFrame, newest: date) -> None:
    """ratings: movie_id and rated_at."""
    month = ratings.rated_at.dt.to_period("M").dt.to_timestamp().dt.date
    months = ratings.assign(reporting_month=month).groupby(["movie_id", "reporting_month"]).size()
    years.load("interactions.movies_engagement", months.reset_index(name="rating_count"))
    years.load("engagement_internal.newest_rating", pd.DataFrame({"rated_on": [newest]}))


def written(uses: dict[tuple[int, str], range]) -> pd.DataFrame:
    """Tags as the producer has them: the users who gave each to a movie."""
    rows = [(user, movie, tag) for (movie, tag), users in uses.items() for user in users]
    found = pd.DataFrame(rows, columns=["user_id", "movie_id", "tag"])
    return found.assign(tagged_at=pd.Timestamp("2018-01-03"), rating=4.0)


def test_a_tag_is_told_of_a_movie_when_enough_users_gave_it_and_enough_are_left(tags) -> None:
    uses = {
        (1, "Sci-Fi"): range(4), (1, "sci fi"): range(3, 6), (2, "scifi"): range(6, 11),
        (1, "robots"): range(7), (2, "robots"): range(7, 10),
        (1, "fun"): range(4), (2, "fun"): range(20, 30), (3, "fun"): range(40, 41),
        (1, '<img src=x onerror="alert(1)">'): range(5),
    }  # fmt: skip
    tags.load("interactions.user_tags", written(uses))
    rows = tags.make()
    told = {(row.movie_id, row.spelling): row.user_count for row in rows.itertuples()}
    # Of the users of robots three are elsewhere alone; of scifi all five who gave it to movie 2.
    assert told == {
        (1, "scifi"): 6,
        (2, "scifi"): 5,
        (2, "fun"): 10,
        (1, '<img src=x onerror="alert(1)">'): 5,
    }


@REAL
def test_no_movie_of_the_small_data_has_a_tag_of_five_users(tags) -> None:
    found = movielens()["tags"]
    tags.load("interactions.user_tags", found)
    months = found.drop_duplicates("movie_id").assign(rating_count=9)
    tags.load("interactions.movies_engagement", months)
    assert tags.make().empty
    letters = found.tag.str.lower().str.replace(r"[\W_]+", "", regex=True).str.rstrip("s")
    users = found.assign(letters=letters).groupby(["movie_id", "letters"]).user_id.nunique()
    assert users.max() == 3


@REAL
def test_years_are_those_of_the_files_and_no_few_users_are_found_by_subtraction(years) -> None:
    ratings = real_ratings().ratings.rename(columns={"movieId": "movie_id"})
    ratings = ratings.assign(rated_at=pd.to_datetime(ratings.timestamp, unit="s"))
    load_months(years, ratings, date(2018, 9, 24))
    rows = years.make()
    known = ratings[ratings.rated_at < "2018-09-01"]
    sums = known.groupby("movie_id").size()
    lives = sums[sums >= LIFE_FROM]
    assert set(rows.movie_id) == set(lives.index) and len(lives) > 400
    months = known.assign(month=known.rated_at.dt.to_period("M"))
    counts = months.groupby(["movie_id", months.month.dt.year]).size()
    first = months.groupby("movie_id").month.min()
    found = 0
    for movie, own in rows.groupby("movie_id"):
        shown = dict(zip(own.reporting_year.dt.year, own.rating_count, strict=True))
        right = {year: counts.get((movie, year), 0) for year in range(first[movie].year, 2018)}
        assert shown == {year: count - count % LEAST for year, count in right.items()}
        # movie_lifecycles tells the early ones exactly, up to the month where half have come.
        month = months[months.movie_id == movie].groupby("month").size()
        before = month.cumsum() - month
        if (late_from := before[2 * before >= lives[movie]].index.min()) is pd.NaT:
            continue
        over = [count for year, count in shown.items() if year < late_from.year]
        # Of those in the year of that month, the least and the most that can be early ones.
        most = before[late_from] - sum(over)
        least = max(most - (LEAST - 1) * len(over), 0)
        most = min(most, shown.get(late_from.year, most) + LEAST - 1)
        found += least == most and most in range(1, LEAST)
    assert not found
