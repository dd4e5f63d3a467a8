"""The generated data against the published figures of ML-25M, and the structure put into it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from mesh.movielens.generate import generate
from mesh.movielens.generate.catalogue import movies_for
from mesh.movielens.generate.words import COMPLAINT, PRAISE

USERS = 5_000
FULL_USERS = 162_541
COLUMNS = {
    "movies": "{'movieId': 'BIGINT', 'title': 'VARCHAR', 'genres': 'VARCHAR'}",
    "ratings": "{'userId': 'BIGINT', 'movieId': 'BIGINT', 'rating': 'DOUBLE', 's': 'BIGINT'}",
    "tags": "{'userId': 'BIGINT', 'movieId': 'BIGINT', 'tag': 'VARCHAR', 's': 'BIGINT'}",
}


def opened(folder: Path) -> duckdb.DuckDBPyConnection:
    """The three files as tables, read with every rule of the format said explicitly."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    for table, columns in COLUMNS.items():
        con.execute(
            f"CREATE TABLE {table} AS SELECT * FROM read_csv(?, auto_detect = false, header = true,"
            f" delim = ',', quote = '\"', escape = '\"', new_line = '\\r\\n', columns = {columns})",
            [str(folder / f"{table}.csv")],
        )
    con.execute("ALTER TABLE ratings ADD COLUMN rated_at TIMESTAMPTZ")
    con.execute("UPDATE ratings SET rated_at = to_timestamp(s)")
    con.execute(
        "CREATE TABLE genres AS"
        " SELECT movieId, unnest(string_split(genres, '|')) AS genre FROM movies"
    )
    return con


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("medium")
    made = generate(folder, USERS, seed=11)
    con = opened(folder)
    found = [con.sql(f"SELECT count(*) FROM {table}").fetchone()[0] for table in COLUMNS]
    assert found == [made.movies, made.ratings, made.tags]
    yield con
    con.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    generate(folder, 600)
    con = opened(folder)
    yield con
    con.close()


def one(con: duckdb.DuckDBPyConnection, query: str):
    row = con.sql(query).fetchone()
    return row[0] if len(row) == 1 else row


def test_the_number_of_movies_follows_the_published_sizes():
    assert movies_for(FULL_USERS) == 62_423
    assert 8_900 <= movies_for(600) <= 9_100


def test_ratings_per_user_are_at_least_20_with_mean_154_and_median_71(data):
    low, mean, median, top = one(
        data,
        "SELECT min(n), avg(n), median(n), max(n) FROM"
        " (SELECT count(*) AS n FROM ratings GROUP BY userId)",
    )
    assert low >= 20
    assert mean == pytest.approx(25_000_095 / FULL_USERS, rel=0.01)
    assert median == pytest.approx(71, abs=1)
    assert top > 2_000


def test_the_mean_rating_is_3_53(data):
    mean, deviation = one(data, "SELECT avg(rating), stddev(rating) FROM ratings")
    assert mean == pytest.approx(3.53, abs=0.06)
    assert deviation == pytest.approx(1.06, abs=0.05)


def test_every_half_star_is_rarer_than_the_whole_stars_beside_it(data):
    counts = dict(data.sql("SELECT rating, count(*) FROM ratings GROUP BY rating").fetchall())
    assert sorted(counts) == [half / 2 for half in range(1, 11)]
    for half in (0.5, 1.5, 2.5, 3.5, 4.5):
        assert counts[half] < min(counts.get(half - 0.5, counts[half] + 1), counts[half + 0.5])


def test_half_stars_do_not_exist_before_2003(data):
    first = one(data, "SELECT min(rated_at)::DATE::VARCHAR FROM ratings WHERE rating % 1 = 0.5")
    assert "2003-02-18" <= first < "2003-06"


def test_ratings_run_from_the_published_first_day_to_the_last(data):
    assert one(data, "SELECT min(rated_at)::DATE::VARCHAR FROM ratings") == "1995-01-09"
    assert one(data, "SELECT max(rated_at)::DATE::VARCHAR FROM ratings") == "2019-11-21"
    assert one(data, "SELECT count(DISTINCT date_trunc('month', rated_at)) FROM ratings") > 280


@pytest.mark.parametrize("size", ["data", "demo"])
def test_the_most_rated_movie_has_about_half_of_all_users(size, request):
    share = one(
        request.getfixturevalue(size),
        "SELECT max(n) / (SELECT count(DISTINCT userId) FROM ratings) FROM"
        " (SELECT count(*) AS n FROM ratings GROUP BY movieId)",
    )
    assert 0.42 < share < 0.60


@pytest.mark.parametrize("size", ["data", "demo"])
def test_about_a_twentieth_of_the_movies_is_never_rated(size, request):
    share = one(
        request.getfixturevalue(size),
        "SELECT count(DISTINCT movieId) / (SELECT count(*) FROM movies) FROM ratings",
    )
    assert share == pytest.approx(59_047 / 62_423, abs=0.035)


def test_few_users_tag_and_few_of_those_write_most_tags(data):
    tags, taggers = one(data, "SELECT count(*), count(DISTINCT userId) FROM tags")
    assert taggers == pytest.approx(14_592 / FULL_USERS * USERS, rel=0.01)
    assert tags == pytest.approx(1_093_360 / FULL_USERS * USERS, rel=0.02)
    median, largest = one(
        data,
        "SELECT median(n), max(n) FROM (SELECT count(*) AS n FROM tags GROUP BY userId)",
    )
    assert median <= 6
    assert largest > 0.1 * tags


def test_nobody_tags_before_tags_existed(data):
    assert (
        one(data, "SELECT min(s) FROM tags")
        >= datetime.fromisoformat("2005-12-20T00:00+00:00").timestamp()
    )


def test_most_users_are_active_in_one_month_or_two(data):
    one_month, two_months, longest = one(
        data,
        "SELECT avg((n = 1)::INT), avg((n <= 2)::INT), max(n) FROM (SELECT userId,"
        " count(DISTINCT date_trunc('month', rated_at)) AS n FROM ratings GROUP BY userId)",
    )
    assert 0.6 < one_month < 0.85
    assert 0.8 < two_months < 0.97
    assert longest > 12


def test_ratings_come_in_sessions(data):
    within_minutes = one(
        data,
        "SELECT avg((gap < 600)::INT) FROM"
        " (SELECT s - lag(s) OVER (PARTITION BY userId ORDER BY s) AS gap FROM ratings)",
    )
    assert within_minutes > 0.95


def test_genres_differ_in_how_they_are_rated(data):
    means = dict(
        data.sql(
            "SELECT genre, avg(rating) FROM ratings JOIN genres USING (movieId) GROUP BY genre"
        ).fetchall()
    )
    assert means["Horror"] + 0.1 < means["Drama"]
    assert means["Comedy"] + 0.1 < means["Documentary"]
    assert max(means.values()) - min(means.values()) > 0.25


def halves(genre: str, value: str) -> str:
    """Correlation over users between a value of one half of their ratings and of the other."""
    return f"""
        WITH rated AS (
          SELECT userId, r.rating, hash(movieId) % 2 AS half, g.genre IS NOT NULL AS is_genre
          FROM ratings AS r LEFT JOIN genres AS g ON g.movieId = r.movieId AND g.genre = '{genre}'
        ), per_half AS (
          SELECT userId, half, {value} AS value, count(*) FILTER (is_genre) AS n
          FROM rated GROUP BY ALL
        )
        SELECT corr(a.value, b.value) FROM per_half AS a JOIN per_half AS b USING (userId)
        WHERE a.half = 0 AND b.half = 1 AND a.n >= 12 AND b.n >= 12
    """.replace("hash(movieId)", "hash(r.movieId)")


@pytest.mark.parametrize("genre", ["Comedy", "Action", "Thriller"])
def test_users_look_more_at_some_genres_than_others_do(data, genre):
    assert one(data, halves(genre, "avg(is_genre::INT)")) > 0.5


@pytest.mark.parametrize("genre", ["Comedy", "Action", "Thriller"])
def test_users_like_some_genres_better_than_others_do(data, genre):
    liking = "avg(rating) FILTER (is_genre) - avg(rating) FILTER (NOT is_genre)"
    assert one(data, halves(genre, liking)) > 0.15


def test_attention_to_a_new_movie_decays(data):
    first, second, later = one(
        data,
        """
        WITH seen AS (
          SELECT movieId, min(rated_at) AS first_at FROM ratings GROUP BY movieId
          HAVING min(rated_at) BETWEEN '2003-01-01' AND '2015-12-31' AND count(*) > 30
        ), aged AS (
          SELECT date_diff('day', first_at, rated_at) AS age FROM ratings JOIN seen USING (movieId)
        )
        SELECT count(*) FILTER (age < 180), count(*) FILTER (age BETWEEN 180 AND 359),
               count(*) FILTER (age BETWEEN 720 AND 899)
        FROM aged
        """,
    )
    assert first > 1.4 * second > 1.4 * 1.3 * later


def test_praising_tags_sit_on_better_ratings_than_complaining_ones(data):
    means = {
        name: data.execute(
            "SELECT avg(rating) FROM tags JOIN ratings USING (userId, movieId)"
            " WHERE list_contains(?, tag)",
            [list(words)],
        ).fetchone()[0]
        for name, words in (("praise", PRAISE), ("complaint", COMPLAINT))
    }
    assert means["praise"] - means["complaint"] > 1.0


def test_the_attention_that_genres_get_moves_over_the_years(data):
    swings = data.sql(
        """
        WITH counts AS (
          SELECT genre, year(rated_at) // 3 AS period, count(*) AS n
          FROM ratings JOIN genres USING (movieId)
          WHERE year(rated_at) BETWEEN 1998 AND 2018 GROUP BY ALL
        ), shares AS (
          SELECT genre, n / sum(n) OVER (PARTITION BY period) AS share FROM counts
        )
        SELECT genre, max(share) / min(share) FROM shares
        WHERE genre IN ('Action', 'Comedy', 'Crime', 'Romance', 'Sci-Fi', 'Thriller')
        GROUP BY genre
        """
    ).fetchall()
    assert len(swings) == 6
    assert all(swing > 1.15 for _, swing in swings), swings
    assert sum(swing > 1.3 for _, swing in swings) >= 3, swings


@pytest.mark.parametrize("size", ["data", "demo"])
def test_the_newest_month_fills_a_table_of_the_most_rated_movies(size, request):
    counts = request.getfixturevalue(size).sql(
        "SELECT count(*) AS n FROM ratings"
        " WHERE rated_at > (SELECT max(rated_at) - INTERVAL 30 DAY FROM ratings)"
        " GROUP BY movieId ORDER BY n DESC LIMIT 20"
    )
    assert [n for (n,) in counts.fetchall()][-1] >= 2


def test_the_demo_size_has_about_100_000_ratings_and_all_kinds_of_users(demo):
    assert 85_000 < one(demo, "SELECT count(*) FROM ratings") < 105_000
    raters = one(
        demo,
        "SELECT avg((n > 100)::INT) FROM (SELECT count(*) AS n FROM ratings GROUP BY userId)",
    )
    assert 0.3 < raters < 0.45
    taggers = one(
        demo,
        "SELECT count(*) FILTER (n > 7) FROM (SELECT count(*) AS n FROM tags GROUP BY userId)",
    )
    assert 10 <= taggers <= 40
