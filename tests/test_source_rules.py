"""A plan stops at rows of the source that no interval covers, and at what only all rows show."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from audience import Audience, epoch, opened, small_audience
from built import built
from project_copy import OF_GROUPS, OF_USERS, ProjectCopy, copy_project

from mesh.contracts import find
from mesh.environments import refresh
from mesh.errors import CheckFailed
from mesh.movielens.ingest import ingest
from tests.project_copy import PROJECT

USER = 77777
# What is put past the ingest into ratings and into tags, and the rule that it breaks in each. Rows
# of one plan break a rule each, which counts them alone.
BAD = {
    "rows": {
        "1, {value}, NULL": "timestamp.required",
        "1, {value}, '1994-12-31 23:59:59+00'": "timestamp.range",
        "1, {value}, '2090-05-01 00:00:00+00'": "not_in_the_future",
        "1, NULL, '2015-01-03 00:00:00+00'": "{column}.required",
        "999999, {value}, '2015-01-03 00:00:00+00'": "movie_is_known",
    },
    "times without end": {
        "1, {value}, 'infinity'": "not_in_the_future",
        "1, {value}, '-infinity'": "timestamp.range",
    },
}
VALUES = {"ratings": ("rating", "3.5"), "tags": ("tag", "'odd'")}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    copy = copy_project(tmp_path_factory.mktemp("source") / "project")
    copy.keep_few(*OF_USERS, *OF_GROUPS)
    return copy


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the small audience delivered and nothing built."""
    folder = tmp_path_factory.mktemp("delivered")
    database = folder / "mesh.duckdb"
    ingest(small_audience().deliver(folder / "source"), database=database)
    return database


def insert(database: Path, *statements: str) -> None:
    """Rows that no ingest would have let in, as if one had: it counts what it leaves."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for statement in statements:
            connection.execute(statement)
        for table in ("movies", "ratings", "tags"):
            connection.execute(
                f"UPDATE operational.ingests SET {table}_rows = "
                f"(SELECT COUNT(*) FROM operational.{table}) "
                "WHERE ingest_id = (SELECT MAX(ingest_id) FROM operational.ingests)"
            )


def sqlmesh_plan(copy: ProjectCopy, database: Path) -> str:
    """What `sqlmesh plan dev` says when it fails, in one line."""
    shutil.copy2(database, copy.database)
    done = copy.run("sqlmesh", "plan", "dev", "--auto-apply", "--no-prompts", "--skip-tests")
    assert done.returncode == 1
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("name", BAD)
def test_a_plan_stops_at_rows(
    copy: ProjectCopy, delivered: Path, tmp_path: Path, name: str
) -> None:
    database = Path(shutil.copy2(delivered, tmp_path / "mesh.duckdb"))
    for user, row in enumerate(BAD[name], start=USER):
        for table, (_, value) in VALUES.items():
            values = row.format(value=value)
            insert(database, f"INSERT INTO operational.{table} VALUES ({user}, {values})")
    said = sqlmesh_plan(copy, database)
    for table, (column, _) in VALUES.items():
        broken = said.partition(f"operational.{table} breaks its contract.")[2]
        broken = broken.partition("breaks its contract.")[0]
        for user, (row, rule) in enumerate(BAD[name].items(), start=USER):
            told = f"Rule {rule.format(column=column)}: 1 failing."
            assert told in broken, said
            example = broken.partition(told)[2].partition("Rule ")[0]
            assert "999999" in example if "999999" in row else str(user) in example


def test_a_plan_stops_at_a_grain_that_stands_twice(
    copy: ProjectCopy, delivered: Path, tmp_path: Path
) -> None:
    """Of ratings and tags in different months."""
    database = Path(shutil.copy2(delivered, tmp_path / "mesh.duckdb"))
    for table in VALUES:
        insert(
            database,
            f"INSERT INTO operational.{table} SELECT * REPLACE (timestamp + INTERVAL 200 DAY "
            f"AS timestamp) FROM operational.{table} ORDER BY ALL LIMIT 1",
        )
    insert(database, "INSERT INTO operational.movies FROM operational.movies WHERE movieId = 3")
    said = sqlmesh_plan(copy, database)
    for table in ("movies", *VALUES):
        assert f"operational.{table} breaks its contract. Rule grain.unique: 1 failing." in said


def late(audience: Audience) -> Audience:
    """A rating and a tag arrive in a month that is built already."""
    movie = next(m for m in audience.movies if (1, m) not in audience.ratings)
    audience.rate(1, movie, epoch(2016, 5, 3))
    audience.tags[1, movie, "late"] = epoch(2016, 5, 3)
    return audience


def test_a_refresh_of_one_month_stops_at_rows_outside_of_it(
    copy: ProjectCopy, tmp_path: Path
) -> None:
    database = Path(shutil.copy2(built(copy, small_audience(), "dev"), tmp_path / "mesh.duckdb"))
    ingest(late(small_audience()).deliver(tmp_path / "late"), append=True, database=database)
    insert(database, f"INSERT INTO operational.ratings VALUES ({USER}, 1, 3.5, NULL)")
    with (
        opened(copy, database) as project,
        pytest.raises(CheckFailed, match=r"Rule timestamp\.required: 1 failing"),
    ):
        refresh(project, "dev")
    insert(
        database,
        f"DELETE FROM operational.ratings WHERE userId = {USER}",
        "INSERT INTO operational.ratings FROM operational.ratings ORDER BY ALL LIMIT 1",
    )
    with (
        opened(copy, database) as project,
        pytest.raises(CheckFailed, match=r"Rule grain\.unique: 1 failing"),
    ):
        refresh(project, "dev")


@pytest.mark.parametrize("table", VALUES)
def test_every_time_that_no_interval_covers_breaks_a_rule(
    copy: ProjectCopy, delivered: Path, table: str
) -> None:
    """The models start where the contract's range does; whoever moves one has to move both."""
    contract = find(f"operational.{table}", PROJECT.contracts)
    time = contract.column("timestamp")
    assert time is not None and time.required
    with opened(copy, delivered) as project:
        start = datetime.fromisoformat(str(project.context.config.model_defaults.start))
    assert datetime.fromisoformat(str(time.minimum)) == start.replace(tzinfo=UTC)
    future = next(rule for rule in contract.row_rules() if rule.id == "not_in_the_future")
    assert future.sql() == "timestamp <= CURRENT_TIMESTAMP()"
