"""Tags as interests and as sentiment: worked out again from the files, planted ones found again."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from rendered import Products, movielens, products, reach_of_t, tails_of_t

LEAST_USERS, LEAST_FOR_INTERVAL, LEAST_MOVIES, FEW = 5, 10, 3, range(1, 5)


@pytest.fixture(scope="module")
def model() -> Iterator[Products]:
    internal = [f"engagement_internal.{n}" for n in ("thresholds", "newest_rating", "tag_uses")]
    with products(*internal, "engagement.tag_interests", "engagement.tag_sentiment") as made:
        yield made


def sentiment(
    model: Products, movies: pd.DataFrame, ratings: pd.DataFrame, tags: pd.DataFrame
) -> pd.DataFrame:
    days = pd.DataFrame({"rated_on": pd.to_datetime(["2018-09-24"]).date})
    model.load("interactions.movies_engagement_daily", days)
    model.load("interactions.movie_catalogue", movies)
    model.load("interactions.user_movie_ratings", ratings)
    model.load("interactions.user_tags", tags)
    return model.make().set_index("tag")


def key(spelling: str) -> str:
    """A tag without case, signs and plural."""
    kept = "".join(c for c in spelling.lower() if unicodedata.category(c)[0] in "LMN")
    end = kept[-4:]
    if len(end) == 4 and end[:3].isalpha() and end[3] == "s" and end[2] not in "sui":
        kept = kept[:-1]
    if len(kept) > 3 and kept[-4:-2].isalpha() and kept.endswith("ie"):
        kept = kept[:-2] + "y"
    return kept or spelling


@pytest.fixture(scope="module")
def real(model: Products) -> dict[str, pd.DataFrame]:
    """The files, and what the products make of them."""
    if not os.environ.get("MOVIELENS_DIR"):
        pytest.skip("needs MOVIELENS_DIR")
    source = movielens()
    found = sentiment(model, source["movies"], source["ratings"], source["tags"])
    interests = model.connection.execute("SELECT * FROM engagement.tag_interests").df()
    tags = source["tags"].assign(key=source["tags"].tag.map(key))
    users = tags.groupby("key").user_id.nunique()
    shown = tags[tags.key.isin(users.index[users >= LEAST_USERS])]
    return {
        **source,
        "all": tags,
        "shown": shown,
        "sentiment": found,
        "interests": interests.set_index("tag"),
    }


def test_interests_are_those_that_the_files_tell(real):
    shown, found = real["shown"], real["interests"]
    assert set(found.index) == set(shown.key) and len(found) > 30
    genres = {
        m: set((g or "").split("|")) - {""}
        for m, g in real["movies"][["movie_id", "genres"]].values
    }
    catalogue = real["all"].movie_id.unique()
    shares = pd.Series([g for m in catalogue for g in genres[m]]).value_counts() / len(catalogue)
    for tag, own in shown.groupby("key"):
        row = found.loc[tag]
        assert row.user_count == own.user_id.nunique()
        assert row.movie_count == own.movie_id.nunique()
        assert row.use_count == len(own[["user_id", "movie_id"]].drop_duplicates())
        assert row.first_used_on.date() == own.tagged_at.min().date()
        assert row.last_used_on.date() == own.tagged_at.max().date()
        spellings = own.groupby("tag").agg(users=("user_id", "nunique"), uses=("user_id", "size"))
        ranked = sorted(spellings.itertuples(), key=lambda s: (-s.users, -s.uses, s.Index))
        assert row.spelling == ranked[0].Index
        movies = own.movie_id.unique()
        counts = pd.Series([g for m in movies for g in genres[m]]).value_counts()
        expected = len(movies) * shares[counts.index]
        above = (counts - expected) / np.sqrt(expected * (1 - shares[counts.index]))
        above = above[(above > 3) & (counts >= LEAST_MOVIES)]
        ranked = sorted(above.items(), key=lambda item: (-round(item[1], 9), item[0]))[:3]
        assert (row.genres or "") == "|".join(genre for genre, _ in ranked)


def test_saidis_what_the_files_tell(real):
    ratings, found = real["ratings"], real["sentiment"]
    assert set(found.index) == set(real["shown"].key)
    sums = ratings.groupby("movie_id").rating.agg(["sum", "size"])
    known = ratings.join(sums, on="movie_id").query("size > 1")
    known = known.assign(
        deviation=known.rating - (known["sum"] - known.rating) / (known["size"] - 1)
    ).set_index(["user_id", "movie_id"])
    p_values = {}
    for tag, own in real["shown"].groupby("key"):
        pairs = pd.MultiIndex.from_frame(own[["user_id", "movie_id"]].drop_duplicates())
        differences, uses = [], 0
        for user in pairs.get_level_values(0).unique():
            theirs = known.loc[user].deviation if user in known.index else pd.Series()
            tagged = theirs.index.isin(pairs[pairs.get_level_values(0) == user].get_level_values(1))
            if tagged.any() and not tagged.all():
                differences.append(theirs[tagged].mean() - theirs[~tagged].mean())
                uses += tagged.sum()
        row, n = found.loc[tag], len(differences)
        assert (row.user_count, row.rating_count) == (n // 5 * 5, uses // 5 * 5)
        if n < LEAST_FOR_INTERVAL:
            assert row.sentiment == "not_enough_data" and np.isnan(row.difference)
            continue
        error = np.std(differences, ddof=1) / np.sqrt(n)
        assert row.difference == pytest.approx(np.mean(differences), abs=1e-6)
        assert row.difference_high - row.difference == pytest.approx(
            error * reach_of_t(n - 1), rel=0.001
        )
        p_values[tag] = tails_of_t(np.mean(differences) / error, n - 1)
    assert len(p_values) > 1
    _corrected(found, p_values)


def _corrected(found: pd.DataFrame, p_values: dict[str, float]) -> None:
    """Benjamini and Hochberg, written down as in their paper: the last p below its line decides."""
    ranked = sorted(p_values, key=p_values.__getitem__)
    lines = [0.05 * (place + 1) / len(ranked) for place in range(len(ranked))]
    below = [place for place, tag in enumerate(ranked) if p_values[tag] < lines[place]]
    certain = set(ranked[: max(below) + 1]) if below else set()
    told = found.loc[ranked]
    assert set(told.index[told.sentiment.isin(["praise", "complaint"])]) == certain
    assert (told.sentiment[told.difference < 0] != "praise").all()
    assert (told.sentiment[told.difference > 0] != "complaint").all()


def test_few_users_cannot_be_found_by_subtraction(real):
    """Of tags that are held back together, and of users who tag but do not rate."""
    hidden = real["all"][~real["all"].key.isin(real["interests"].index)]
    assert hidden.user_id.nunique() not in FEW
    for tag, row in real["sentiment"].iterrows():
        for told, whole in (("user_count", "user_count"), ("rating_count", "use_count")):
            compared = [row[told] + more for more in range(5)]
            left_out = {real["interests"][whole][tag] - n for n in compared} - set(range(-4, 0))
            assert len(left_out) > 1 or left_out.isdisjoint(FEW)


SEEDS, USERS, MOVIES, PER_USER = 100, 60, 40, 20
EFFECTS = {"good": 0.6, "bad": -0.6, "plain": 0.0}


@pytest.fixture(scope="module")
def planted(model: Products) -> pd.DataFrame:
    """A hundred audiences side by side; who writes a tag rates the movie so much higher.

    Each tag is used by 12 of 60 users, on 4 movies; how much it means differs by user, so that
    their uses are not independent.
    """
    chance = np.random.default_rng(2018)
    ratings, tags = [], []
    for seed in range(SEEDS):
        quality, habit = chance.normal(0, 0.5, MOVIES), chance.normal(0, 0.4, USERS)
        for user in range(USERS):
            seen = chance.permutation(MOVIES)[:PER_USER]
            stars = 3 + quality[seen] + habit[user] + chance.normal(0, 0.8, PER_USER)
            for place, (tag, effect) in enumerate(EFFECTS.items()):
                if user % 5 == place:
                    stars[:4] += effect + chance.normal(0, 0.4)
                    tags += [
                        (seed * 100 + user + 1, seed * 100 + m + 1, f"{tag}{seed}", i)
                        for i, m in enumerate(seen[:4])
                    ]
            ratings += [
                (seed * 100 + user + 1, seed * 100 + m + 1, s)
                for m, s in zip(seen, stars, strict=True)
            ]
    rated = pd.DataFrame(ratings, columns=["user_id", "movie_id", "rating"])
    tagged = pd.DataFrame(tags, columns=["user_id", "movie_id", "tag", "tagged_at"])
    tagged["tagged_at"] = pd.Timestamp("2018-01-01")
    tagged = tagged.merge(rated)
    movies = pd.DataFrame({"movie_id": [1], "genres": ["Drama"]})
    return sentiment(model, movies, rated, tagged)


@pytest.mark.parametrize(("tag", "effect"), EFFECTS.items())
def test_planted_saidlies_in_95_of_100_intervals(planted, tag, effect):
    own = planted[planted.index.str.startswith(tag)]
    assert len(own) == SEEDS
    assert own.difference.mean() == pytest.approx(effect, abs=0.05)
    assert 90 <= own.difference_low.le(effect).mul(own.difference_high.ge(effect)).sum() <= 99


def test_what_is_called_praise_or_complaint_was_planted_so(planted):
    for said, tag in (("praise", "good"), ("complaint", "bad")):
        called = planted.index[planted.sentiment == said]
        assert len(called) > 50
        assert called.str.startswith(tag).mean() > 0.93
