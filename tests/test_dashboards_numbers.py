"""The dashboards' numbers, counted again from the operational tables, and the pages with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlglot import exp

from mesh.dashboards import load_dashboards
from mesh.dashboards.chart_queries import chart_query
from mesh.dashboards.preview.build import build
from mesh.environments import Opened
from mesh.errors import WrongUse
from tests.project_copy import PROJECT
from tests.verify_project import ENVIRONMENT

pytest_plugins = ["tests.verify_project"]

GENRES = """
WITH events AS (
  SELECT userId AS u, movieId, rating, CAST(timestamp AT TIME ZONE 'UTC' AS DATE) AS day
  FROM mesh.operational.ratings
),
newest AS (SELECT MAX(day) AS day FROM events),
rated AS (
  SELECT DISTINCT s.period, e.u, g.genre, e.rating, e.movieId
  FROM events AS e CROSS JOIN newest
  JOIN (VALUES ('all_time', 100000), ('last_182_days', 182)) AS s(period, days)
    ON e.day > newest.day - s.days
  JOIN mesh.operational.movies AS m ON m.movieId = e.movieId
  CROSS JOIN unnest(string_split(m.genres, '|')) AS g(genre)
  WHERE g.genre NOT IN ('', '(no genres listed)')
),
tastes AS (
  SELECT period, u, genre, COUNT(*) >= 5 AS often, quantile_cont(rating, 0.5) > 4 AS high
  FROM rated GROUP BY ALL
),
choices AS (
  SELECT period, 'rated' AS preference, u, genre, TRUE AS chosen FROM tastes
  UNION ALL SELECT period, 'likes', u, genre, high FROM tastes WHERE often
),
placed AS (
  SELECT period, preference, genre, COUNT(*) FILTER (chosen) AS n, COUNT(*) AS asked,
    ROW_NUMBER() OVER (
      PARTITION BY period, preference ORDER BY COUNT(*) FILTER (chosen) DESC, genre
    ) AS place
  FROM choices GROUP BY period, preference, genre
),
ranked AS (
  SELECT *, n >= 5 AND (preference = 'rated' OR asked - n >= 5) AS shown FROM placed
),
whole AS (SELECT period, COUNT(DISTINCT u) AS users FROM tastes GROUP BY ALL)
SELECT period, preference, genre, CASE WHEN place <= 9 THEN place END, n,
  CASE preference WHEN 'rated' THEN users ELSE asked END
FROM ranked JOIN whole USING (period) WHERE shown
UNION ALL
SELECT c.period, c.preference, 'Others', 10, COUNT(DISTINCT c.u) FILTER (chosen) AS n,
  CASE c.preference WHEN 'rated' THEN MAX(users) ELSE COUNT(DISTINCT c.u) END
FROM choices AS c JOIN ranked AS r USING (period, preference, genre) JOIN whole USING (period)
WHERE NOT (r.place <= 9 AND r.shown) GROUP BY c.period, c.preference
HAVING COUNT(DISTINCT c.u) FILTER (chosen) >= 5 AND (
  c.preference = 'rated' OR COUNT(DISTINCT c.u) - COUNT(DISTINCT c.u) FILTER (chosen) >= 5
)
ORDER BY ALL
"""
ACTIVE = """
WITH actions AS (
  SELECT userId AS u, timestamp FROM mesh.operational.ratings
  UNION ALL SELECT userId, timestamp FROM mesh.operational.tags
)
SELECT COUNT(DISTINCT u) FROM actions WHERE timestamp >= (
  SELECT date_trunc('month', MAX(timestamp)) - INTERVAL 11 MONTH FROM mesh.operational.ratings
)
"""
MOVIES = """
WITH r AS (
  SELECT movieId, rating, CAST(timestamp AT TIME ZONE 'UTC' AS DATE) AS day
  FROM mesh.operational.ratings
),
newest AS (SELECT MAX(day) AS day FROM r),
spans(period, days) AS (VALUES ('last_30_days', 30), ('last_182_days', 182)),
counted AS (
  SELECT s.period, r.movieId,
    COUNT(*) FILTER (r.day > newest.day - s.days) AS n,
    quantile_cont(r.rating, 0.5) FILTER (r.day > newest.day - s.days) AS median,
    COUNT(*) FILTER (r.day <= newest.day - s.days) AS before,
    quantile_cont(r.rating, 0.5) FILTER (r.day <= newest.day - s.days) AS before_median
  FROM r CROSS JOIN newest CROSS JOIN spans AS s
  WHERE r.day > newest.day - 2 * s.days GROUP BY ALL
)
SELECT period, movieId, n, median,
  CASE WHEN before >= 5 THEN before END,
  CASE WHEN before >= 5 THEN ROUND((n - before) / before, 9) END,
  CASE WHEN before >= 5 THEN median - before_median END,
  CASE WHEN before = 0 THEN 'new' WHEN before < 5 THEN 'few_before' ELSE 'compared' END
FROM counted WHERE n >= 5
QUALIFY ROW_NUMBER() OVER (PARTITION BY period ORDER BY n DESC, median DESC, movieId) <= 1000
ORDER BY ALL
"""
GROUPS = """
WITH users AS (
  SELECT u, SUM(r) AS r, SUM(t) AS t FROM (
    SELECT userId AS u, 1 AS r, 0 AS t FROM mesh.operational.ratings
    UNION ALL SELECT userId, 0, 1 FROM mesh.operational.tags) GROUP BY u
)
SELECT COUNT(*), COUNT(*) FILTER (r > 100), COUNT(*) FILTER (t > 7),
  COUNT(*) FILTER (r <= 100 AND t <= 7), COUNT(*) FILTER (r > 100 AND t > 7), SUM(r), SUM(t),
  SUM(r + t) FILTER (r > 100), SUM(r + t) FILTER (t > 7), SUM(r + t) FILTER (r <= 100 AND t <= 7)
FROM users
"""
ERAS = """
WITH tastes AS (
  SELECT r.userId AS u, c.release_decade AS decade, quantile_cont(r.rating, 0.5) > 4 AS likes,
    COUNT(*) >= 5 AS asked
  FROM mesh.operational.ratings AS r
  JOIN {catalogue} AS c ON c.movie_id = r.movieId AND c.release_decade IS NOT NULL
  GROUP BY r.userId, c.release_decade
), counted AS (
  SELECT decade, COUNT(*) AS raters, COUNT(*) FILTER (asked) AS asked,
    COUNT(*) FILTER (asked AND likes) AS likes
  FROM tastes GROUP BY decade
)
SELECT decade, asked, ROUND(likes / asked, 9) FROM counted
WHERE likes >= 5 AND asked - likes >= 5 AND raters - asked NOT BETWEEN 1 AND 4
"""
ACTIONS = """
WITH actions AS (
  SELECT userId AS u, CAST(date_trunc('month', timestamp AT TIME ZONE 'UTC') AS DATE) AS month
  FROM mesh.operational.ratings
  UNION ALL
  SELECT userId, CAST(date_trunc('month', timestamp AT TIME ZONE 'UTC') AS DATE)
  FROM mesh.operational.tags
)
"""
MONTHS = f"{ACTIONS} SELECT month, COUNT(DISTINCT u) FROM actions GROUP BY month"
COHORTS = f"""{ACTIONS}
SELECT month, COUNT(*) FROM (SELECT u, MIN(month) AS month FROM actions GROUP BY u) GROUP BY month
"""
SUPPLY = """
WITH of_genres AS (
  SELECT movieId, unnest(string_split(genres, '|')) AS genre FROM mesh.operational.movies
)
SELECT genre,
  COUNT(DISTINCT g.movieId) / (SELECT COUNT(*) FROM mesh.operational.movies),
  COUNT(r.rating) / (SELECT COUNT(*) FROM mesh.operational.ratings),
  COUNT(*) FILTER (r.rating > 4) / COUNT(r.rating)
FROM of_genres AS g LEFT JOIN mesh.operational.ratings AS r USING (movieId)
GROUP BY genre HAVING COUNT(r.rating) > 0
"""


def rows(project: Opened, query: str) -> list[tuple]:
    return project.context.engine_adapter.connection.execute(query).fetchall()


def mart(project: Opened, name: str, domain: str = "engagement") -> str:
    environment = project.environment(ENVIRONMENT)
    snapshot = project.products(environment)[f"{domain}.{name}"]
    return project.view(snapshot, environment).sql(dialect="duckdb")


def test_genres_are_counted_as_from_the_ratings_and_others_again(built: Opened) -> None:
    found = rows(
        built,
        "SELECT period, preference, genre, slice_rank, user_count, of_user_count "
        f"FROM {mart(built, 'genre_audience_v2')} ORDER BY ALL",
    )
    assert found == rows(built, GENRES)
    assert {row[:2] for row in found} >= {("all_time", "rated"), ("all_time", "likes")}


def test_movies_and_genres_of_the_half_year_are_about_the_same_days(built: Opened) -> None:
    days = {
        row
        for name in ("genre_audience_v2", "trending_movies")
        for row in rows(
            built,
            f"SELECT DISTINCT window_start, as_of FROM {mart(built, name)} "
            "WHERE period = 'last_182_days'",
        )
    }
    assert len(days) == 1


def test_movies_are_ranked_as_from_the_ratings(built: Opened) -> None:
    found = rows(
        built,
        "SELECT period, movie_id, rating_count, rating_median, previous_rating_count, "
        "ROUND(rating_count_change, 9), rating_median_change, comparison "
        f"FROM {mart(built, 'trending_movies')} ORDER BY ALL",
    )
    assert found == rows(built, MOVIES)


def test_groups_and_actions_are_counted_as_from_the_source(built: Opened) -> None:
    ((users, raters, taggers, sleepers, both, ratings, tags, *by),) = rows(built, GROUPS)
    by_raters, by_taggers, by_sleepers = by
    counts = {"all_users": (users, ratings + tags), "raters": (raters, by_raters)}
    counts |= {"taggers": (taggers, by_taggers), "sleepers": (sleepers, by_sleepers)}
    found = rows(
        built,
        "SELECT user_group, membership, user_count, action_count "
        f"FROM {mart(built, 'audience_groups')}",
    )
    for group, membership, count, actions in found:
        if membership == "members":
            assert (count, actions) == counts[group]
        else:
            assert (users - count, ratings + tags - actions) == counts[group]
    shown = {group for group, *_ in found}
    large = {group for group, (count, _) in counts.items() if min(count, users - count) >= 5}
    # What raters and taggers differ in, and neither are, would follow from all of them.
    if min(raters - both, taggers, sleepers) < 5:
        large -= {"raters", "taggers"}
    elif min(both, taggers - both) < 5:
        large -= {"raters"}
    assert shown == large | ({"all_users"} if users >= 5 else set())
    ((active, told),) = rows(
        built,
        f"SELECT ({ACTIVE}), (SELECT active_user_count FROM {mart(built, 'audience_groups')} "
        "WHERE user_group = 'all_users')",
    )
    assert told == (active if min(active, users - active) >= 5 else None)
    actions = dict(
        rows(built, f"SELECT action_type, action_count FROM {mart(built, 'audience_actions')}")
    )
    assert actions.get("rate") == ratings
    assert actions.get("tag", tags) == tags


def test_segments_are_all_users_but_for_those_that_are_too_few(built: Opened) -> None:
    ((users, *_),) = rows(built, GROUPS)
    ((shown, least),) = rows(
        built,
        f"SELECT SUM(user_count), MIN(user_count) FROM {mart(built, 'audience_segments')}",
    )
    assert least >= 5
    assert users - shown < 3 * 5


def test_no_mart_has_a_number_of_fewer_than_five_users(built: Opened) -> None:
    for name in ("genre_audience_v2", "audience_actions", "audience_groups", "audience_segments"):
        ((least,),) = rows(built, f"SELECT MIN(user_count) FROM {mart(built, name)}")
        assert least >= 5


def charted(project: Opened, dashboard: str, chart: str) -> list[dict]:
    """The rows that a chart of a dashboard shows."""
    found = [one.dashboard for one in load_dashboards(PROJECT.dashboards)]
    board = next(one for one in found if one.id == dashboard)
    spec = next(one for one in board.charts if one.id == chart)
    name = board.sources[spec.source].product.partition(".")[2]
    table = exp.to_table(mart(project, name), dialect="duckdb")
    names = [*spec.columns_read(board), *spec.metric_names]
    told = rows(project, chart_query(board, spec, table).sql(dialect="duckdb"))
    return [row for row in (dict(zip(names, one, strict=True)) for one in told) if spec.shows(row)]


def test_who_lives_in_a_decade_is_counted_as_from_the_ratings(built: Opened) -> None:
    found = {
        (row["release_decade"], row["era_asked_users"], round(row["era_liking_share"], 9))
        for row in charted(built, "user_360", "era_likes")
        if row["period"] == "all_time"
    }
    catalogue = mart(built, "movie_catalogue", "interactions")
    assert found == set(rows(built, ERAS.format(catalogue=catalogue)))


def test_active_users_of_a_month_are_counted_as_from_the_source(built: Opened) -> None:
    found = {
        row["reporting_month"]: row["month_active"]
        for row in charted(built, "user_360", "active_months")
    }
    known = dict(rows(built, MONTHS))
    # The newest month is under way.
    del known[max(known)]
    assert {month: n for month, n in known.items() if n >= 5} == {
        month: n for month, n in found.items() if n
    }
    assert not {month for month, n in found.items() if not n} & known.keys()


def test_demand_and_supply_are_counted_as_from_the_source(built: Opened) -> None:
    found: dict[str, tuple] = {}
    for chart in ("attention_against_supply", "liking_against_supply"):
        for row in charted(built, "movie_trends", chart):
            told = (row.get("genre_ratings_share"), row.get("genre_high_share"))
            part = found.get(row["genre"], ())
            found[row["genre"]] = (*part, row["genre_movies_share"], *(n for n in told if n))
    known = {genre: tuple(told) for genre, *told in rows(built, SUPPLY)}
    assert found.keys() <= known.keys() and len(found) >= 3
    for genre, (supply, demand, again, liked) in found.items():
        assert (supply, demand, again, liked) == pytest.approx(
            (known[genre][0], known[genre][1], known[genre][0], known[genre][2])
        )


def test_all_users_of_a_first_month_are_in_its_cohort(built: Opened) -> None:
    found = {
        row["cohort_month"]: row["cohort_users"]
        for row in charted(built, "cohorts_and_churn", "cohorts")
        if row["months_since"] == 0
    }
    assert found and found.items() <= dict(rows(built, COHORTS)).items()


def test_build_writes_a_page_for_each_dashboard_and_an_index(built: Opened, tmp_path: Path) -> None:
    written = build(built, ENVIRONMENT, tmp_path, png=False)
    names = {f"{loaded.dashboard.id}.html" for loaded in load_dashboards(PROJECT.dashboards)}
    assert {path.name for path in written} == names | {"index.html"}
    assert all(path.read_text(encoding="utf-8").startswith("<!doctype html>") for path in written)


def test_an_environment_that_is_not_there_is_named(built: Opened, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="there is no environment 'nowhere'"):
        build(built, "nowhere", tmp_path, png=False)


def test_a_product_of_an_older_version_is_named_with_what_it_lacks(
    built: Opened, tmp_path: Path
) -> None:
    env = built.environment(ENVIRONMENT)
    view = built.view(built.products(env)["engagement.churn_predictors"], env).sql("duckdb")
    engine = built.context.engine_adapter
    ((made,),) = engine.fetchall(
        "SELECT sql FROM duckdb_views() WHERE view_name = 'churn_predictors' "
        f"AND schema_name = 'engagement__{ENVIRONMENT}'"
    )
    table = made.rstrip(";").rpartition(" ")[2]
    try:
        engine.execute(
            f"CREATE OR REPLACE VIEW {view} AS SELECT * EXCLUDE (year_rank) FROM {table}"
        )
        with pytest.raises(WrongUse) as caught:
            build(built, ENVIRONMENT, tmp_path, png=False)
    finally:
        engine.execute(f"CREATE OR REPLACE VIEW {view} AS SELECT * FROM {table}")
    assert str(caught.value).startswith(
        f"{ENVIRONMENT} has another version of engagement.churn_predictors, without year_rank. "
        f"Let it show what this dashboard is made for: `sqlmesh plan {ENVIRONMENT}`"
    )


def test_a_folder_that_cannot_be_written_is_named(built: Opened, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WrongUse, match="the dashboards cannot be written"):
        build(built, ENVIRONMENT, tmp_path / "file" / "out", png=False)
