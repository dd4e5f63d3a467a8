"""Deliveries and environments on BigQuery's emulator: who shows what, and what becomes of a crash.

One warehouse for all tests of this file. Each begins with `prod` as of the newest delivery and
leaves it so; `acceptance` may lag behind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from audience import epoch, small_audience
from psycopg2 import sql
from sqlmesh.core.model.common import ParsableSql
from sqlmesh.core.snapshot import SnapshotEvaluator

from mesh.environments import open_project, promote, refresh, rollback, status
from mesh.errors import CheckFailed, WrongUse
from mesh.project import Project
from tests.bigquery.conftest import StateDatabase
from tests.bigquery.delivered import (
    EVENTS,
    MONTHLY,
    TOTALS,
    Delivered,
    copied_project,
    expected,
    watched,
)

pytestmark = pytest.mark.bigquery

KILLED_AT = ("between two models", "before the views", "during the promotion")
KILLED_ON_DEMAND = ("after the views", "before the promotion")
POINTS = KILLED_AT + (KILLED_ON_DEMAND if os.environ.get("MESH_KILLS") else ())


@pytest.fixture(scope="module")
def warehouse(fresh_warehouse, tmp_path_factory) -> Iterator[Delivered]:
    folder = tmp_path_factory.mktemp("delivered")
    root = copied_project(folder / "project")
    made = fresh_warehouse()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**made.variables, "MESH_DUCKDB": str(folder / "a.duckdb")}.items():
            patch.setenv(name, value)
            made.variables[name] = value
        delivered = Delivered(made, folder, small_audience(), None)  # type: ignore[arg-type]
        delivered.deliver(append=False)
        delivered.project = open_project(Project(root), "bigquery")
        for environment in ("prod", "acceptance"):
            delivered.plan(environment)
        yield delivered
        delivered.project.context.close()


@pytest.fixture
def mesh(warehouse: Delivered) -> Delivered:
    assert warehouse.rows("prod") == expected(warehouse.audience)
    return warehouse


def test_a_delivery_shows_where_it_was_refreshed_and_goes_to_prod_and_back(mesh: Delivered) -> None:
    before = mesh.rows("prod")
    month = mesh.deliver_late()
    with watched() as seen:
        done = refresh(mesh.project, "acceptance")
    assert done.changed_months == (month,)
    assert mesh.rows("acceptance") == expected(mesh.audience)
    assert mesh.rows("prod") == before
    # Of all months since 1995 just the changed one was built, and the views changed in one job.
    assert seen.months == {EVENTS: [month], MONTHLY: [month]}
    assert len(seen.scripts) == 1
    assert [sql for sql in seen.jobs if " CLONE " in sql]

    with watched() as seen:
        assert promote(mesh.project, "acceptance", "prod").models == ()
    assert mesh.rows("prod") == expected(mesh.audience)
    assert (seen.months, len(seen.scripts)) == ({}, 1)
    assert rollback(mesh.project, "prod").models == ()
    assert mesh.rows("prod") == before
    assert mesh.rows("acceptance") == expected(mesh.audience)
    assert promote(mesh.project, "acceptance", "prod").models == ()


def test_a_refresh_with_nothing_to_do_asks_little(mesh: Delivered) -> None:
    with watched() as seen:
        assert not refresh(mesh.project, "prod").changed
    # The deliveries before and after, and what is in each schema.
    assert len(seen.jobs) <= 6, seen.jobs


def test_sqlmeshs_own_plan_brings_a_delivery(mesh: Delivered) -> None:
    mesh.deliver_late()
    with watched() as seen:
        mesh.plan("prod")
    assert mesh.rows("prod") == expected(mesh.audience)
    assert {len(months) for months in seen.months.values()} == {1}


def test_sqlmeshs_own_run_brings_a_delivery(mesh: Delivered) -> None:
    mesh.deliver_late(2015, 5)
    with watched() as seen:
        mesh.project.context.run("prod")
    assert mesh.rows("prod") == expected(mesh.audience)
    assert {len(months) for months in seen.months.values()} == {1}


def test_prod_goes_back_to_its_previous_plan_without_building_anything(mesh: Delivered) -> None:
    before = mesh.rows("prod")
    query = mesh.project.context.get_model(TOTALS).query.sql(dialect="bigquery")
    assert query.count("SUM(") == 1
    other = ParsableSql(sql=query.replace("SUM(", "MAX("))
    mesh.project.context.upsert_model(TOTALS, query_=other)
    mesh.plan("prod")
    assert mesh.rows("prod") != before
    mesh.project.context.load()
    record = mesh.project.new_record()
    mesh.plan("prod")
    assert record.models == []
    assert mesh.rows("prod") == before


def test_a_delivery_in_the_middle_of_a_refresh_stops_it_and_poisons_nothing(
    mesh: Delivered, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = mesh.rows("prod")
    mesh.deliver_late()
    evaluate = SnapshotEvaluator.evaluate
    waiting = ["another"]

    def interrupted(self: Any, snapshot: Any, **arguments: Any) -> Any:
        done = evaluate(self, snapshot, **arguments)
        if EVENTS.split(".")[1] in snapshot.name and waiting:
            waiting.pop()
            mesh.deliver_late(1997, 5)
        return done

    with monkeypatch.context() as patch:
        patch.setattr(SnapshotEvaluator, "evaluate", interrupted)
        with pytest.raises(CheckFailed, match="what operational holds now is delivery"):
            refresh(mesh.project, "prod")
    assert mesh.rows("prod") == before
    for environment in ("prod", "acceptance"):
        refresh(mesh.project, environment)
        assert mesh.rows(environment) == expected(mesh.audience)


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_process_leaves_prod_all_old_or_all_new(mesh: Delivered, point: str) -> None:
    before = mesh.rows("prod")
    mesh.deliver_late(2016, 1)
    if "promotion" in point:
        refresh(mesh.project, "acceptance")
    mesh.killed(point)
    shown = mesh.rows("prod")
    done = point in ("after the views", "during the promotion")
    # Read by the views' names, whatever the state says of them.
    assert shown == (expected(mesh.audience) if done else before)
    mesh.reopen()
    for environment in ("prod", "acceptance"):
        refresh(mesh.project, environment)
        assert mesh.rows(environment) == expected(mesh.audience)
        assert not refresh(mesh.project, environment).changed


def test_a_lost_table_and_lost_views_are_made_again(mesh: Delivered) -> None:
    client = mesh.client
    for name in (MONTHLY, EVENTS):
        dataset, _, table = name.partition(".")
        tables = list(client.list_tables(f"sqlmesh__{dataset}"))
        for each in tables:
            if f"__{table}__" in each.table_id:
                client.delete_table(each.reference)
    schema, _, view = TOTALS.partition(".")
    client.delete_table(f"{mesh.warehouse.prod_project}.{schema}.{view}")
    done = refresh(mesh.project, "prod")
    assert {EVENTS, MONTHLY, TOTALS} <= set(done.made_again)
    for environment in ("prod", "acceptance"):
        refresh(mesh.project, environment)
        assert mesh.rows(environment) == expected(mesh.audience)


def test_of_two_plans_at_once_one_is_told_of_the_other(mesh: Delivered) -> None:
    mine, other = (
        mesh.project.context.plan_builder(
            "dev_two", skip_tests=True, skip_backfill=True, include_unmodified=True
        ).build()
        for _ in range(2)
    )
    mesh.project.context.apply(other)
    with (
        pytest.raises(CheckFailed, match="another plan changed this environment"),
        mesh.project.readable_errors(),
    ):
        mesh.project.context.apply(mine)


def test_a_state_of_another_sqlmesh_is_refused_in_one_sentence(
    mesh: Delivered, postgres_state: StateDatabase
) -> None:
    connection = postgres_state.connect(mesh.warehouse.state_database)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT schema_version FROM sqlmesh._versions")
        (version,) = cursor.fetchone()
        cursor.execute("UPDATE sqlmesh._versions SET schema_version = schema_version + 1")
        other = open_project(Project(mesh.root), "bigquery", models=False)
        try:
            with pytest.raises(WrongUse, match="belongs to another version of SQLMesh") as caught:
                status(other, "prod")
        finally:
            other.close()
            cursor.execute("UPDATE sqlmesh._versions SET schema_version = %s", (version,))
    connection.close()
    assert "migrate" in str(caught.value)


def test_a_state_of_before_a_delivery_gives_right_numbers(
    mesh: Delivered, postgres_state: StateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = f"{mesh.warehouse.state_database}_kept"
    mesh.project.context.close()
    connection = postgres_state.connect()
    connection.autocommit = True
    with connection.cursor() as cursor:
        names = map(sql.Identifier, (kept, mesh.warehouse.state_database))
        cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
    connection.close()
    mesh.reopen()
    mesh.deliver_late()
    mesh.audience.rate(5000, 2, epoch(2016, 5, 3))
    mesh.deliver()
    refresh(mesh.project, "prod")
    monkeypatch.setenv("MESH_STATE_DATABASE", kept)
    mesh.reopen()
    for environment in ("prod", "acceptance"):
        refresh(mesh.project, environment)
        assert mesh.rows(environment) == expected(mesh.audience)
