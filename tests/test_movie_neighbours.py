"""movie_neighbours: recomputed with a sparse matrix, and the same in whatever order rows lie."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from real_ratings import REAL, real_ratings
from rendered import Products, products
from scipy import sparse

MODELS = ("engagement_internal.thresholds", "engagement.movie_neighbours")
Z = 1.959963984540054


@pytest.fixture(scope="module")
def real() -> Iterator[Products]:
    with products(*MODELS) as made:
        real_ratings().load(made)
        yield made


@REAL
def test_neighbours_of_the_real_data_are_those_of_scipy(real: Products) -> None:
    ratings = real_ratings().ratings
    most = (
        ratings.movieId.value_counts()
        .reset_index()
        .sort_values(["count", "movieId"], ascending=[False, True])
    )
    movies = np.sort(most.movieId[:1000].to_numpy())
    likes = ratings[(ratings.rating > 4) & ratings.movieId.isin(movies)]
    columns = np.searchsorted(movies, likes.movieId)
    matrix = sparse.csr_array(
        (np.ones(len(likes), dtype=np.int64), (likes.userId, columns)), shape=(611, 1000)
    )
    both, users = (matrix.T @ matrix).toarray(), likes.userId.nunique()
    liked = np.diag(both)
    one, two = np.meshgrid(liked, liked, indexing="ij")
    with np.errstate(divide="ignore", invalid="ignore"):
        lift = both * users / (one * two)
        low = lift * np.exp(-Z * np.sqrt(1 / both - 1 / one - 1 / two + (2 * lift - 1) / users))
        square = both * both / (one * two)
    cells = np.minimum.reduce([one - both, two - both, users - one - two + both])
    found = (both >= 10) & (cells >= 5) & (low > 1)
    expected = []
    for own in range(1000):
        near = sorted(
            (-square[own, other], -both[own, other], movies[other])
            for other in np.flatnonzero(found[own])
        )
        expected += [(movies[own], movie, rank) for rank, (_, _, movie) in enumerate(near[:10], 1)]
    rows = real.make()
    told = rows[["movie_id", "neighbour_id", "neighbour_rank"]]
    assert sorted(told.itertuples(index=False, name=None)) == sorted(expected)
    at = np.searchsorted(movies, rows.movie_id), np.searchsorted(movies, rows.neighbour_id)
    assert (rows.user_count == both[at]).all() and (rows.liked_user_count == one[at]).all()
    np.testing.assert_allclose(rows.similarity, np.sqrt(square[at]))
    np.testing.assert_allclose(rows.lift_low, low[at])
    # Fewer than five who like the one and not the other are in no row, nor to be had from two.
    assert min(cells[at].min(), rows.user_count.min()) >= 5


@REAL
def test_who_liked_a_part_of_a_trilogy_also_liked_the_others(real: Products) -> None:
    rows = real.make()
    fellowship, towers, king = 4993, 5952, 7153
    near = rows[(rows.movie_id == fellowship) & (rows.neighbour_rank <= 2)]
    assert set(near.neighbour_id) == {towers, king}


@REAL
def test_neighbours_are_the_same_in_whatever_order_rows_lie(real: Products) -> None:
    before = real.make()
    shuffled = real.connection.execute(
        "FROM interactions.user_movie_ratings ORDER BY hash(user_id * 7 + movie_id)"
    ).df()
    real.load("interactions.user_movie_ratings", shuffled)
    key = ["movie_id", "neighbour_rank"]
    pd.testing.assert_frame_equal(
        before.sort_values(key, ignore_index=True), real.make().sort_values(key, ignore_index=True)
    )


def test_all_ratings_equal_leave_nobody_to_tell_apart() -> None:
    """Everybody likes everything: no pair is more than chance, nothing is divided by nothing."""
    day = pd.Timestamp("2018-09-24")
    ratings = pd.DataFrame(
        [(user, movie, 5.0) for user in range(1, 31) for movie in range(1, 4)],
        columns=["user_id", "movie_id", "rating"],
    )
    movies = pd.DataFrame(
        {"movie_id": [1, 2, 3], "title": "T", "release_year": 2018, "genres": "A"}
    )
    with products(*MODELS) as made:
        made.load("interactions.user_movie_ratings", ratings)
        made.load("interactions.movie_catalogue", movies)
        months = ratings.groupby("movie_id").size().rename("rating_count").reset_index()
        made.load("interactions.movies_engagement", months)
        made.load("engagement_internal.newest_rating", pd.DataFrame({"rated_on": [day]}))
        assert made.make().empty
