"""Service levels as `mesh contracts verify` measures them: how new and how whole products are."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mesh.environments import Opened
from mesh.errors import WrongUse
from mesh.project import AS_OF_VARIABLE
from mesh.verify import Status, verify
from mesh.verify.text import finding
from tests.broken_promises import ACTIONS, RATINGS, TASTES, rules
from tests.project_copy import PROJECT
from tests.verify_project import ENVIRONMENT, place, tampered

pytest_plugins = ["tests.verify_project"]


def newest(project: Opened, column: str, table: str) -> datetime:
    connection = project.context.engine_adapter.connection
    return connection.execute(f"SELECT MAX({column}) FROM {table}").fetchone()[0]


def test_freshness_is_measured_against_today_unless_somebody_says_another_day(
    built: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(AS_OF_VARIABLE)
    with fresh_settings(built):
        today = verify(built, ENVIRONMENT, [ACTIONS])
    assert datetime.now(UTC) - today.as_of < timedelta(minutes=1)
    assert today.as_of_reason == "today" and today.is_late
    assert [outcome.rule for _, outcome in today.broken] == ["level.freshness"]
    monkeypatch.setenv(AS_OF_VARIABLE, "2019-01-02")
    with fresh_settings(built):
        stated = verify(built, ENVIRONMENT, [ACTIONS])
    assert stated.as_of == datetime(2019, 1, 2, tzinfo=UTC)
    assert stated.as_of_reason == "as config.yaml states"


def test_a_day_of_use_that_is_none_is_refused(
    built: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(AS_OF_VARIABLE, "yesterday")
    with (
        fresh_settings(built),
        pytest.raises(
            WrongUse, match=r"as_of` is no date: yesterday.*Write YYYY-MM-DD, by MESH_AS_OF, or"
        ),
    ):
        verify(built, ENVIRONMENT, [ACTIONS])


def test_frequency_is_compared_with_the_newest_delivery(built: Opened) -> None:
    came = datetime.now(UTC)
    kept = verify(built, ENVIRONMENT, [ACTIONS], came + timedelta(days=31))
    late = verify(built, ENVIRONMENT, [ACTIONS], came + timedelta(days=32))
    assert rules(kept, ACTIONS)["level.frequency"].ok
    assert rules(late, ACTIONS)["level.frequency"].message == (
        f"the newest delivery that is shown came on {came:%Y-%m-%d}, 32 days before "
        f"{came + timedelta(days=32):%Y-%m-%d}; promised is one every 31 days"
    )


@contextmanager
def fresh_settings(project: Opened) -> Iterator[None]:
    """The settings as the environment's variables are now."""
    vars(project.project).pop("settings", None)
    yield
    vars(project.project).pop("settings", None)


def test_freshness_is_measured_against_the_given_day(built: Opened) -> None:
    month = newest(built, "reporting_month", place(built, ACTIONS).sql(dialect="duckdb"))
    in_time = verify(built, ENVIRONMENT, [ACTIONS], month + timedelta(days=62))
    late = verify(built, ENVIRONMENT, [ACTIONS], month + timedelta(days=63))
    assert in_time.ok
    # Of a column of dates the hour does not count: nobody could say by the day what is late.
    assert verify(built, ENVIRONMENT, [ACTIONS], month + timedelta(days=62, hours=23)).ok
    assert "63 days before" in rules(late, ACTIONS)["level.freshness"].message
    assert [outcome.rule for _, outcome in late.broken] == ["level.freshness"]


def test_completeness_that_another_product_measures_is_asked_there(built: Opened) -> None:
    query = "SELECT * FROM {rows} WHERE user_id > 1"
    with tampered(built, TASTES, query):
        report = verify(built, ENVIRONMENT, [TASTES])
    level = rules(report, TASTES)["level.completeness"]
    assert "interactions.user_actions/raters_have_genres, which measures it" in level.message


@pytest.mark.parametrize("measuring", ["no_such_rule", "interactions.user_actions/no_such_rule"])
def test_completeness_that_no_rule_measures_is_not_kept(
    built: Opened, tmp_path: Path, measuring: str
) -> None:
    shutil.copytree(PROJECT.contracts, tmp_path / "contracts")
    contract = tmp_path / "contracts" / "interactions" / "user_genre_ratings.odcs.yaml"
    stated = "interactions.user_actions/raters_have_genres"
    contract.write_text(contract.read_text().replace(stated, measuring))
    report = verify(built, ENVIRONMENT, [TASTES], contracts=tmp_path / "contracts")
    level = rules(report, TASTES)["level.completeness"]
    assert not level.ok
    assert level.message == f"{measuring}, which measures it, could not be checked"


def test_a_table_that_may_be_empty_is_never_too_old(built: Opened) -> None:
    connection = built.context.engine_adapter.connection
    connection.execute("ALTER TABLE mesh.operational.tags RENAME TO kept_tags")
    try:
        connection.execute(
            "CREATE TABLE mesh.operational.tags AS FROM mesh.operational.kept_tags LIMIT 0"
        )
        report = verify(built, ENVIRONMENT, ["operational.tags"])
        connection.execute("DROP TABLE mesh.operational.tags")
    finally:
        connection.execute("ALTER TABLE mesh.operational.kept_tags RENAME TO tags")
    assert report.ok, report.broken
    assert rules(report, "operational.tags")["level.freshness"].message == "there are no rows"


@contextmanager
def without_ten(built: Opened, *, delivered: bool, table: str = "ratings") -> Iterator[None]:
    """Ten rows fewer in the source, and what has their keys; delivered: by a delivery, or by
    somebody's hand."""
    connection = built.context.engine_adapter.connection
    connection.execute(f"CREATE TABLE operational.taken AS FROM operational.{table} LIMIT 10")
    taken = "(userId, movieId) IN (SELECT (userId, movieId) FROM operational.taken)"
    kept = f"CREATE TABLE operational.kept AS FROM operational.{table} WHERE {taken}"
    connection.execute(kept)
    connection.execute(f"DELETE FROM operational.{table} WHERE {taken}")
    if delivered:
        connection.execute(
            "INSERT INTO operational.ingests SELECT * REPLACE (ingest_id + 1 AS ingest_id, "
            f"finished_at + INTERVAL 1 SECOND AS finished_at, {table}_rows - (SELECT COUNT(*) "
            f"FROM operational.kept) AS {table}_rows) "
            "FROM operational.ingests ORDER BY ingest_id DESC LIMIT 1"
        )
        connection.execute(
            "INSERT INTO operational.changed_months SELECT DISTINCT (SELECT MAX(ingest_id) FROM "
            f"operational.ingests), '{table}', date_trunc('month', timestamp)::DATE "
            "FROM operational.kept"
        )
    try:
        yield
    finally:
        connection.execute(f"INSERT INTO operational.{table} FROM operational.kept")
        connection.execute("DROP TABLE operational.taken")
        connection.execute("DROP TABLE operational.kept")
        if delivered:
            newest = "ingest_id = (SELECT MAX(ingest_id) FROM operational.ingests)"
            connection.execute(f"DELETE FROM operational.changed_months WHERE {newest}")
            connection.execute(f"DELETE FROM operational.ingests WHERE {newest}")


def test_what_differs_from_a_later_delivery_is_told_and_not_broken(built: Opened) -> None:
    with without_ten(built, delivered=True):
        report = verify(built, ENVIRONMENT, [RATINGS])
    (product,) = report.products
    (told,) = [one for one in product.outcomes if one.rule == "every_rating_is_here"]
    assert report.lacking and told.status is Status.WARNED
    assert finding(told) == "operational.ratings: deliveries are there that are not shown yet"
    assert not product.broken


def test_what_is_not_shown_yet_does_not_make_a_product_incomplete(built: Opened) -> None:
    with without_ten(built, delivered=True, table="tags"):
        report = verify(built, ENVIRONMENT, ["interactions.user_tags"])
    told = rules(report, "interactions.user_tags")
    assert told["every_tag_is_here"].failing
    for rule in ("every_tag_is_here", "level.completeness"):
        assert told[rule].status is Status.WARNED, told[rule]
        assert "deliveries are there that are not shown yet" in told[rule].message
    assert report.ok and report.lacking


def test_what_differs_from_what_somebody_made_of_the_source_is_broken(built: Opened) -> None:
    with without_ten(built, delivered=False):
        report = verify(built, ENVIRONMENT, [RATINGS])
    (product,) = report.products
    assert "every_rating_is_here" in {one.rule for one in product.broken}
