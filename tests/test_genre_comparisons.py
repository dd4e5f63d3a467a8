"""genre_affinity and genre_report: recomputed from the source, and whether their intervals hold."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import yaml
from real_ratings import REAL, real_ratings
from rendered import ROOT, Products, in_memory, on_duckdb, products, query_of

LIKES, SMALLEST, Z = 4.0, 5, 1.959963984540054
AFFINITY = (
    "engagement_internal.thresholds",
    "engagement_internal.genre_user_pairs",
    "engagement.genre_affinity",
)
CONTRASTS = (
    *AFFINITY[:2],
    "engagement_internal.genre_comparables",
    "engagement_internal.genre_shares",
    "engagement_internal.genre_contrasts",
)
REPORT = (
    "engagement_internal.thresholds",
    "engagement_internal.genre_movies",
    *CONTRASTS[1:],
    "engagement.genre_affinity",
    "engagement.genre_report",
)
GENRES = ["A", "B", "C", "D"]


@pytest.fixture(scope="module")
def real() -> Iterator[Products]:
    """The products of genres, of the real data."""
    with products(*REPORT) as made:
        real_ratings().load(made)
        made.make()
        yield made


def likings() -> pd.DataFrame:
    """user, genre, whether often rated, whether liked: from the source."""
    rated = real_ratings().by_genre
    users = rated.groupby(["userId", "genre"]).rating.agg(["size", "median"]).reset_index()
    users["asked"] = users["size"] >= 5
    users["likes"] = users.asked & (users["median"] > LIKES)
    return users


def wide(users: pd.DataFrame, column: str) -> pd.DataFrame:
    return users.pivot(index="userId", columns="genre", values=column).fillna(False).astype(bool)


@REAL
def test_affinities_of_the_real_data_are_those_of_numpy(real: Products) -> None:
    users = likings()
    asked, likes = wide(users, "asked"), wide(users, "likes")
    expected = {}
    for one, two in permutations(asked.columns, 2):
        both = asked[one] & asked[two]
        expected["rated_often", one, two] = table(asked[one], asked[two])
        expected["likes", one, two] = table(likes[one][both], likes[two][both])
    rows = real.connection.execute("FROM engagement.genre_affinity").df()
    assert len(rows) > 200 and set(rows.preference) == {"rated_often", "likes"}
    for row in rows.itertuples():
        one, two, both, all_users = expected[row.preference, row.genre, row.other_genre]
        assert (row.genre_user_count, row.other_user_count) == (one, two)
        assert (row.user_count, row.of_user_count) == (both, all_users)
        assert row.lift == pytest.approx((both / one) / (two / all_users))
        # The delta method from the users themselves: what each adds to the logarithm of the lift.
        cells = {(1, 1): both, (1, 0): one - both, (0, 1): two - both}
        cells[0, 0] = all_users - sum(cells.values())
        share = 1 / np.array([both, one, two]) * all_users
        variance = sum(
            count * (a * b * share[0] - a * share[1] - b * share[2] + 1) ** 2
            for (a, b), count in cells.items()
        )
        margin = Z * np.sqrt(variance) / all_users
        assert np.log(row.lift_high / row.lift) == pytest.approx(margin)
        assert np.log(row.lift / row.lift_low) == pytest.approx(margin)
    for _, some in rows.groupby(["preference", "genre"]):
        assert some.sort_values("affinity_rank").lift.is_monotonic_decreasing
    # What is not told has a cell of fewer than five, or leaves one.
    told = set(rows[["preference", "genre", "other_genre"]].itertuples(index=False, name=None))
    small = {key for key, counts in expected.items() if smallest_cell(*counts) < SMALLEST}
    assert not told & small
    assert {key for key in set(expected) - small - told if key[0] == "rated_often"} == set()


def table(one: pd.Series, two: pd.Series) -> tuple[int, int, int, int]:
    return int(one.sum()), int(two.sum()), int((one & two).sum()), len(one)


def smallest_cell(one: int, two: int, both: int, all_users: int) -> int:
    return min(both, one - both, two - both, all_users - one - two + both)


@REAL
def test_nobody_is_found_by_subtracting_what_is_told_of_genres(real: Products) -> None:
    """Of the real users, everything that a reader of genre_audience_v2 could subtract."""
    users = likings()
    totals = users[users.asked].groupby("genre").likes.agg(["size", "sum"])
    rows = real.connection.execute("FROM engagement.genre_affinity WHERE preference = 'likes'").df()
    assert len(rows) > 50
    for row in rows.itertuples():
        asked, like = totals.loc[row.genre]
        left = (asked - row.of_user_count, like - row.genre_user_count)
        assert not {left[0], left[1], left[0] - left[1]} & {1, 2, 3, 4}
    report = real.connection.execute("FROM engagement.genre_report").df()
    movies = real_ratings().by_genre
    recent = movies[
        (movies.year >= 2014) & movies.genre.isin(report.dropna(subset="recent_rating_count").genre)
    ]
    older = movies[~(movies.year >= 2014) & movies.genre.isin(recent.genre)]
    for some in (recent, older):
        givers = some.groupby(["genre", some.rating > LIKES]).userId.nunique()
        assert givers.min() >= SMALLEST


@REAL
def test_the_report_of_the_real_data_is_that_of_pandas(real: Products) -> None:
    source, users = real_ratings(), likings()
    rows = real.connection.execute("FROM engagement.genre_report").df().set_index("genre")
    movies = source.genres.merge(
        source.ratings.groupby("movieId").rating.agg(n="size", high=lambda r: (r > LIKES).sum()),
        left_on="movieId",
        right_index=True,
        how="left",
    ).fillna({"n": 0, "high": 0})
    assert set(rows.index) == set(movies.genre)
    for genre, some in movies.groupby("genre"):
        row, rated = rows.loc[genre], some[some.n > 0]
        own = users[users.genre == genre]
        assert row.movie_count == len(some) and row.catalogue_movie_count == len(source.movies)
        assert row.unrated_movie_count == len(some) - len(rated)
        assert row.rating_count == some.n.sum() and row.all_rating_count == len(source.ratings)
        assert row.rating_share == pytest.approx(some.n.sum() / len(source.ratings))
        assert row.ratings_per_movie_median == rated.n.median()
        assert row.high_rating_share == pytest.approx(some.high.sum() / some.n.sum())
        assert (row.user_count, row.of_user_count) == (len(own), users.userId.nunique())
        assert (row.likes_user_count, row.asked_user_count) == (own.likes.sum(), own.asked.sum())
        recent = some[some.year >= 2014]
        assert row.recent_movie_count == len(recent)
        if not pd.isna(row.recent_rating_count):
            assert row.recent_high_rating_share == pytest.approx(recent.high.sum() / recent.n.sum())
        near = comparables(movies, genre)
        assert row.comparable_genres == "|".join(near)
        assert row.comparable_likes_share == pytest.approx(rows.loc[near].likes_share.mean())
        assert row.comparable_movie_share == pytest.approx(rows.loc[near].movie_share.mean())
        check_intervals(row, [genre, *near], movies, users)
    # Ten recent movies are too few to say.
    assert pd.isna(rows.loc["Western", "recent_high_rating_difference_low"])


def comparables(movies: pd.DataFrame, genre: str) -> list[str]:
    size = np.log(movies.groupby("genre").n.agg(["size", "sum"]))
    away = ((size - size.loc[genre]) ** 2).sum(axis=1).drop(genre)
    return list(away.sort_values(kind="stable").index[:3])


def check_intervals(
    row: pd.Series, members: list[str], movies: pd.DataFrame, users: pd.DataFrame
) -> None:
    """What each movie (left out in turn) and each user moves the difference, squared and summed."""
    weights = dict(zip(members, [1, -1 / 3, -1 / 3, -1 / 3], strict=True))
    moves = pd.Series(0.0, index=movies.movieId.unique())
    for genre, weight in weights.items():
        some = movies[movies.genre == genre].set_index("movieId")
        share, whole = some.high.sum() / some.n.sum(), some.n.sum()
        moves = moves.add(
            weight * ((some.high.sum() - some.high) / (whole - some.n) - share), fill_value=0
        )
    margin = Z * np.sqrt((moves**2).sum())
    assert row.high_rating_difference - row.high_rating_difference_low == pytest.approx(margin)
    assert row.high_rating_difference_high - row.high_rating_difference == pytest.approx(margin)
    asked, likes, rated = (
        wide(users, "asked"),
        wide(users, "likes"),
        wide(users.assign(r=True), "r"),
    )
    moves, extra = pd.Series(0.0, index=asked.index), 0.0
    reach, more = pd.Series(0.0, index=asked.index), 0.0
    for genre, weight in weights.items():
        share, whole = likes[genre].sum() / asked[genre].sum(), asked[genre].sum()
        moves += weight * (likes[genre] - share * asked[genre]) / whole
        reach += weight * (rated[genre] - rated[genre].mean()) / len(rated)
        extra += (weight / whole) ** 2
        more += (weight / len(rated)) ** 2
    margin = Z * np.sqrt((moves**2).sum() + extra)
    assert row.likes_difference_high - row.likes_difference == pytest.approx(margin)
    margin = Z * np.sqrt((reach**2).sum() + more)
    assert row.user_difference_high - row.user_difference == pytest.approx(margin)


def test_intervals_of_lifts_hold_in_95_of_100_draws() -> None:
    """Two types of users differ in what they rate often, and in what they like of it."""
    types = np.array([0.4, 0.6])
    often = np.array([[0.9, 0.5], [0.7, 0.6], [0.4, 0.8], [0.6, 0.5]])
    liking = np.array([[0.6, 0.3], [0.5, 0.2], [0.2, 0.5], [0.4, 0.4]])
    hits = []
    with products(*AFFINITY) as made:
        made.load("engagement_internal.newest_rating", pd.DataFrame({"rated_on": ["2018-09-24"]}))
        for seed in range(60):
            chance = np.random.default_rng(seed)
            kind = chance.choice(2, size=500, p=types)
            asked = chance.random((500, 4)) < often[:, kind].T
            likes = asked & (chance.random((500, 4)) < liking[:, kind].T)
            made.load("engagement_internal.user_genre_likings", tastes(asked | True, asked, likes))
            for row in made.make().itertuples():
                one, two = GENRES.index(row.genre), GENRES.index(row.other_genre)
                if row.preference == "likes":
                    parts = types * often[one] * often[two]
                    truth = lift(parts / parts.sum(), liking[one], liking[two])
                else:
                    truth = lift(types, often[one], often[two])
                hits.append(row.lift_low <= truth <= row.lift_high)
    assert len(hits) > 1000
    assert 0.93 <= np.mean(hits) <= 0.97


def lift(types: np.ndarray, one: np.ndarray, two: np.ndarray) -> float:
    return float(types @ (one * two) / ((types @ one) * (types @ two)))


def tastes(rated: np.ndarray, asked: np.ndarray, likes: np.ndarray) -> pd.DataFrame:
    users, genres = np.nonzero(rated)
    return pd.DataFrame(
        {
            "period": "all_time",
            "user_id": users + 1,
            "genre": np.array(GENRES)[genres],
            "is_asked": asked[users, genres],
            "likes": likes[users, genres],
        }
    )


def test_intervals_of_differences_hold_in_95_of_100_draws() -> None:
    """Movies of one or two genres, a few with most of the ratings; users who like all alike."""
    sets = {"A": 60, "AB": 40, "B": 60, "C": 150, "CD": 30, "D": 200}
    quality = {"A": 0.2, "AB": 0.25, "B": 0.3, "C": 0.22, "CD": 0.3, "D": 0.18}
    reach, liking = np.array([0.6, 0.8, 0.95, 0.998]), np.array([0.2, 0.3, 0.15, 0.12])
    high = np.array(
        [
            np.average(
                [quality[some] for some in sets if genre in some],
                weights=[sets[some] for some in sets if genre in some],
            )
            for genre in GENRES
        ]
    )
    truths = {"high_ratings": high, "likes": liking, "users": reach}
    hits: dict[str, list[bool]] = {name: [] for name in truths}
    with products(*CONTRASTS) as made:
        for seed in range(60):
            chance = np.random.default_rng(seed)
            mood = chance.random((600, 1))
            rated = (chance.random((600, 4)) + mood) / 2 < triangular(reach)
            likes = (chance.random((600, 4)) + chance.random((600, 1))) / 2 < triangular(liking)
            made.load("engagement_internal.user_genre_likings", tastes(rated, rated, rated & likes))
            made.load("engagement_internal.genre_movies", some_movies(chance, sets, quality))
            for row in made.make().itertuples():
                if row.measure in truths:
                    own = GENRES.index(row.genre)
                    shares = truths[row.measure]
                    truth = shares[own] - np.delete(shares, own).mean()
                    hits[row.measure].append(row.difference_low <= truth <= row.difference_high)
    for name, held in hits.items():
        assert len(held) == 240, name
        assert 0.91 <= np.mean(held) <= 0.99, name


def triangular(shares: np.ndarray) -> np.ndarray:
    """Below which the mean of two equal chances lies with that probability."""
    return np.where(shares < 0.5, np.sqrt(shares / 2), 1 - np.sqrt((1 - shares) / 2))


def some_movies(
    chance: np.random.Generator, sets: dict[str, int], quality: dict[str, float]
) -> pd.DataFrame:
    rows, movie = [], 0
    for genres, count in sets.items():
        for _ in range(count):
            movie += 1
            ratings = int(np.ceil(chance.lognormal(1.5, 1.2)))
            mean = quality[genres]
            liked = chance.binomial(ratings, chance.beta(5 * mean, 5 * (1 - mean)))
            rows += [(genre, movie, movie % 3 == 0, ratings, liked) for genre in genres]
    columns = ["genre", "movie_id", "is_recent", "rating_count", "high_rating_count"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize("stars", [0.5, 5.0])
def test_where_all_ratings_are_equal_nothing_is_divided_by_nothing(stars: float) -> None:
    """One genre more than there is to compare; ten users, one month, one rating for all."""
    ratings = pd.DataFrame(
        [(user, movie, stars) for user in range(1, 11) for movie in range(1, 7)],
        columns=["user_id", "movie_id", "rating"],
    )
    with products(*REPORT) as made:
        load_small(made, ratings, {movie: "A|B" if movie < 6 else "B" for movie in range(1, 8)})
        rows = made.make().set_index("genre")
        assert list(rows.comparable_genres) == ["B", "A"]
        assert rows.likes_share.isna().all() and rows.high_rating_share.isna().all()
        assert rows.loc["B", "unrated_movie_count"] == 1
        assert made.connection.execute("FROM engagement.genre_affinity").fetchall() == []


@pytest.mark.parametrize(("users", "found"), [(0, 0), (1, 0), (4, 0), (5, 1)])
def test_one_genre_and_few_users_are_told_or_not(users: int, found: int) -> None:
    ratings = pd.DataFrame(
        [(user, 1, 3.5) for user in range(1, users + 1)], columns=["user_id", "movie_id", "rating"]
    ).astype({"user_id": int, "movie_id": int, "rating": float})
    with products(*REPORT) as made:
        load_small(made, ratings, {1: "A", 2: ""})
        rows = made.make()
        assert len(rows) == found
        assert rows.comparable_genres.isna().all() and rows.user_difference.isna().all()


def load_small(made: Products, ratings: pd.DataFrame, genres: dict[int, str]) -> None:
    """What the models read, of ratings on one day."""
    day = pd.Timestamp("2018-09-24").date()
    movies = pd.DataFrame(
        {"movie_id": list(genres), "genres": [text or None for text in genres.values()]}
    )
    each = ratings.merge(
        movies.assign(genre=movies.genres.str.split("|")).explode("genre").dropna()
    )
    likes = each.groupby(["user_id", "genre"]).rating.agg(["size", "median"]).reset_index()
    likes["is_asked"] = likes["size"] >= 5
    likes["likes"] = likes.is_asked & (likes["median"] > LIKES)
    likes.insert(0, "period", "all_time")
    made.load("engagement_internal.user_genre_likings", likes)
    made.load("interactions.movie_catalogue", movies.assign(release_year=2018, title="T"))
    months = ratings.groupby("movie_id").rating.agg(
        rating_count="size",
        ratings_4_0=lambda r: (r == 4.0).sum(),
        ratings_4_5=lambda r: (r == 4.5).sum(),
        ratings_5_0=lambda r: (r == 5.0).sum(),
    )
    made.load("interactions.movies_engagement", months.reset_index())
    newest = pd.DataFrame({"rated_on": [day if len(ratings) else None]}, dtype="datetime64[s]")
    made.load("engagement_internal.newest_rating", newest)


@pytest.mark.parametrize("seed", range(6))
def test_the_contract_finds_the_genres_near_that_the_model_finds_near(seed: int) -> None:
    """Also where proportions differ by billionths, as among genres of about as many ratings."""
    rng, genres = np.random.default_rng(seed), [f"Genre {n}" for n in range(40)]
    counts = pd.DataFrame({"genre": genres, "movie_count": 20})
    counts["rating_count"] = rng.permutation(np.arange(700, 700 + len(genres)))
    movies = counts.loc[counts.index.repeat(20), ["genre", "rating_count"]]
    movies["rating_count"] = np.where(np.arange(len(movies)) % 20, 0, movies.rating_count)
    pairs = pd.DataFrame({"genre": genres, "other_genre": genres, "rated_count": 100})
    connection = in_memory()
    for name, rows in {"genre_movies": movies, "genre_user_pairs": pairs}.items():
        connection.register("rows", rows)
        connection.execute(f"CREATE TABLE engagement_internal.{name} AS FROM rows")
    for name in REPORT[0], CONTRASTS[2]:
        connection.execute(f"CREATE TABLE {name} AS {query_of(name)}")
    connection.register("counts", counts)
    connection.execute(
        "CREATE TABLE report AS SELECT counts.*, comparable_genres FROM counts JOIN (SELECT genre, "
        "STRING_AGG(comparable_genre, '|' ORDER BY place) AS comparable_genres "
        f"FROM {CONTRASTS[2]} GROUP BY genre) USING (genre)"
    )
    contract = yaml.safe_load((ROOT / "contracts/engagement/genre_report.odcs.yaml").read_text())
    [rule] = [
        rule
        for rule in contract["schema"][0]["quality"]
        if rule["id"] == "comparables_are_the_nearest"
    ]
    query = on_duckdb(rule["query"].replace("${table}", "report"))
    assert connection.sql(query).fetchone() == (0,)
    connection.execute("UPDATE report SET comparable_genres = 'Genre 0' WHERE genre = 'Genre 1'")
    assert connection.sql(query).fetchone() == (1,)
