"""`mesh contracts verify` on values that no calendar and no scale of numbers holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mesh.cli.contracts_verify import as_document
from mesh.environments import Opened
from mesh.verify import Outcome, Status, VerifyReport, newest_row, verify
from mesh.verify.text import sample_text
from tests.verify_project import ENVIRONMENT, tampered

pytest_plugins = ["tests.verify_project"]

ACTIONS = "interactions.user_actions"


def rules(report: VerifyReport) -> dict[str, Outcome]:
    return {outcome.rule: outcome for outcome in report.products[0].outcomes}


@contextmanager
def operational(project: Opened, table: str, row: str) -> Iterator[None]:
    """One more row in an operational table for a while."""
    connection = project.context.engine_adapter.connection
    name = f"mesh.operational.{table}"
    connection.execute(f"CREATE TABLE {name}_kept AS FROM {name}")
    try:
        connection.execute(f"INSERT INTO {name} VALUES ({row})")
        yield
    finally:
        connection.execute(f"DELETE FROM {name}")
        connection.execute(f"INSERT INTO {name} FROM {name}_kept")
        connection.execute(f"DROP TABLE {name}_kept")


# What stands as timestamp, the rule that it breaks, and how a sample shows it.
FAR_TIMES = {
    "infinity": ("not_in_the_future", "timestamp='infinity'"),
    "294246-01-01 10:00:00+00": ("not_in_the_future", "timestamp='294246-01-01 10:00:00.0"),
    "10000-01-01 00:00:00+00": ("not_in_the_future", "timestamp='10000-01-01 "),
    "2090-01-01 00:00:00+00": ("not_in_the_future", "timestamp=2090-01-01 00:00:00+00:00"),
    "-infinity": ("timestamp.range", "timestamp='-infinity'"),
    "0044-03-15 (BC) 00:00:00+00": ("timestamp.range", "timestamp='-043-03-15 "),
    "0001-01-01 00:00:00+00": ("timestamp.range", "timestamp=0001-01-01 00:00:00+00:00"),
}


@pytest.mark.parametrize("time", FAR_TIMES)
@pytest.mark.parametrize("table", ["ratings", "tags"])
def test_a_time_beyond_the_calendar_is_shown_as_text(built: Opened, table: str, time: str) -> None:
    rule, said = FAR_TIMES[time]
    value = "3.5" if table == "ratings" else "'odd'"
    with operational(built, table, f"77777, 1, {value}, TIMESTAMPTZ '{time}'"):
        report = verify(built, ENVIRONMENT, [f"operational.{table}"])
        text = json.dumps(as_document(report), allow_nan=False, default=str)
    broken = rules(report)[rule]
    assert broken.failing == 1 and said in sample_text(broken.sample[0])
    assert "userId=77777" in sample_text(broken.sample[0]) and "77777" in text
    assert newest_row(built, ENVIRONMENT).year < 2027


def test_an_infinite_time_has_no_age(built: Opened) -> None:
    with operational(built, "ratings", "77777, 1, 3.5, TIMESTAMPTZ 'infinity'"):
        late = rules(verify(built, ENVIRONMENT, ["operational.ratings"]))
    with operational(built, "ratings", "77777, 1, 3.5, TIMESTAMPTZ '-infinity'"):
        early = rules(verify(built, ENVIRONMENT, ["operational.ratings"]))
    said = "timestamp is infinity, a time that has no age"
    assert late["level.freshness"].message == f"the newest {said}"
    assert early["level.retention"].message == f"the oldest {said.replace('inf', '-inf')}"


@pytest.mark.parametrize(("number", "shown"), [("NaN", "nan"), ("Infinity", "inf")])
def test_a_rating_that_is_no_number_is_out_of_its_range(
    built: Opened, number: str, shown: str
) -> None:
    row = f"77777, 1, DOUBLE '{number}', TIMESTAMPTZ '2015-01-01 00:00:00+00'"
    with operational(built, "ratings", row):
        report = verify(built, ENVIRONMENT, ["operational.ratings"])
    broken = rules(report)["rating.range"]
    assert broken.failing == 1 and f"rating={shown}" in sample_text(broken.sample[0])


@pytest.mark.parametrize("date", ["infinity", "-infinity", "12000-01-01", "0044-03-15 (BC)"])
def test_a_month_beyond_the_calendar_is_shown_as_text(built: Opened, date: str) -> None:
    query = "SELECT * REPLACE (IF(user_id = 1, DATE '{}', reporting_month) AS reporting_month)"
    with tampered(built, ACTIONS, f"{query.format(date)} FROM {{rows}}"):
        report = verify(built, ENVIRONMENT, [ACTIONS])
    assert not report.ok
    assert not [one for one in report.products[0].outcomes if one.status is Status.UNCHECKED]
