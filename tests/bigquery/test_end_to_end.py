"""The whole mesh on BigQuery's emulator, as an operator runs it, and beside it the same on DuckDB.

One warehouse for all tests of this file, which therefore run in order: each takes the environments
as the one before left them.

What equal means: all values of all rows, compared after sorting, with `==`. Floats too, and with no
tolerance. A median is a multiple of 0.25 and a rating of 0.5, which binary floats hold exactly; a
share is one division of two exact integers, which IEEE 754 rounds the same everywhere. A sum of
floats, whose result depends on the order, is in no product, and this test would show one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery
from sqlglot import exp

from mesh.environments import Opened, RefreshResult, open_project, refresh, status
from mesh.movielens.generate import generate
from mesh.movielens.ingest import ingest
from mesh.movielens.ingest.targets.bigquery import BigQueryTarget
from mesh.verify.report import VerifyReport
from mesh.verify.run import verify
from tests.audience import without_noise
from tests.bigquery.conftest import Warehouse
from tests.bigquery.delivered import Seen, watched
from tests.project_copy import PROJECT

pytestmark = pytest.mark.bigquery

USERS = 100
# Each environment is thirty views: two show all that more of them would.
ENVIRONMENTS = ("acceptance", "prod")
# In an environment of its own before there is another: what is incremental, from the source on.
EARLY, INCREMENTAL = "dev_early", "interactions.movies_engagement"
# With promises of every kind, and the source; a plan holds all products to theirs on both engines.
VERIFIED = (
    *("operational.ratings", "interactions.movie_catalogue", "interactions.movies_engagement"),
    *("interactions.user_tags", "engagement.audience_groups", "engagement.tag_sentiment"),
)


@dataclass
class Mesh:
    """A project on both engines, from the same deliveries. changed: the months that the second of
    them changed, on each engine. late: what its refresh did, and the months built for it. again: a
    refresh after it. ran: the models of each plan after that."""

    warehouse: Warehouse
    cloud: Opened
    local: Opened
    changed: set[tuple[date, ...]]
    late: tuple[RefreshResult, Seen]
    again: RefreshResult
    ran: dict[str, list[str]]

    def rows(self, project: Opened, environment: str, product: str) -> list[tuple]:
        """All rows of a product, sorted, times in UTC."""
        named = project.environment(environment)
        view = project.view(project.products(named)[product], named)
        return _sorted(project.rows(exp.select("*").from_(view)))


def _sorted(rows: list[tuple]) -> list[tuple]:
    plain = [
        tuple(v.astimezone(UTC) if isinstance(v, datetime) else v for v in tuple(row))
        for row in rows
    ]
    return sorted(plain, key=lambda row: [(value is None, str(value)) for value in row])


@pytest.fixture(scope="module")
def mesh(fresh_warehouse, tmp_path_factory) -> Iterator[Mesh]:
    """All of a first and a late delivery, on both engines; the late one was refreshed on one."""
    folder = tmp_path_factory.mktemp("mesh")
    first, second = _deliveries(folder)
    warehouse = fresh_warehouse()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in warehouse.variables.items():
            patch.setenv(name, value)
        patch.setenv("MESH_DUCKDB", str(folder / "mesh.duckdb"))
        patch.setenv("MESH_BIGQUERY_READERS", "engagement_team=group:engagement@example.com")
        ingest(first, database=PROJECT.database)
        changed = {ingest(second, append=True, database=PROJECT.database).changed_months}
        ingest(first, database=PROJECT.database, target=BigQueryTarget())
        cloud, local = (open_project(PROJECT, gateway) for gateway in ("bigquery", "duckdb"))
        _plan(cloud, EARLY, select_models=[f"+{INCREMENTAL}"])
        delivered = ingest(second, append=True, database=PROJECT.database, target=BigQueryTarget())
        changed.add(delivered.changed_months)
        with watched() as seen:
            late = refresh(cloud, EARLY)
        again = refresh(cloud, EARLY)
        ran = {environment: _plan(cloud, environment) for environment in ENVIRONMENTS}
        _plan(local, "prod")
        yield Mesh(warehouse, cloud, local, changed, (late, seen), again, ran)
        cloud.context.close()
        local.context.close()


def _plan(project: Opened, environment: str, **options: Any) -> list[str]:
    """The models that a plan built."""
    record = project.new_record()
    project.context.plan(environment, auto_apply=True, no_prompts=True, skip_tests=True, **options)
    return record.models


def _deliveries(folder: Path) -> tuple[Path, Path]:
    """A full delivery, and a late one of two ratings in a month long past."""
    source = folder / "source"
    generate(users=USERS, out=source)
    late = folder / "late"
    late.mkdir()
    for name in ("movies", "ratings", "tags"):
        with (source / f"{name}.csv").open(encoding="utf-8") as lines:
            header, first = next(lines), next(lines)
        if name == "ratings":
            user, movie, rating, timestamp = first.strip().split(",")
            other = "0.5" if rating != "0.5" else "5.0"
            header += f"{user},{movie},{other},{timestamp}\n999999,{movie},3.0,{timestamp}\n"
        (late / f"{name}.csv").write_text(header, encoding="utf-8")
    return source, late


def _assert_parity(mesh: Mesh, environment: str = "prod") -> None:
    products = mesh.cloud.products(mesh.cloud.environment(environment))
    assert set(products) == set(mesh.local.products(mesh.local.environment(environment)))
    for product in products:
        here = mesh.rows(mesh.cloud, environment, product)
        there = mesh.rows(mesh.local, environment, product)
        assert without_noise(here) == without_noise(there), product
        kinds = [{type(value) for value in column} for column in zip(*here, strict=True)]
        assert kinds == [{type(v) for v in column} for column in zip(*there, strict=True)], product


def test_a_late_delivery_is_refreshed_in_its_month_alone(mesh):
    result, seen = mesh.late
    assert {result.changed_months} == mesh.changed
    (month,) = result.changed_months
    daily = "interactions_internal.movie_ratings_daily"
    assert {daily, "interactions_internal.rating_events"} <= seen.months.keys()
    assert all(months == [month] for months in seen.months.values())
    assert "interactions_internal.rating_events" in result.models
    assert mesh.again.models == ()


def test_the_first_plan_builds_and_the_others_only_point_at_what_is_built(mesh):
    first, *others = mesh.ran.values()
    assert "interactions_internal.user_genre_ratings_monthly" in first
    # It stands already, as of both deliveries.
    assert "interactions_internal.rating_events" not in first
    assert others
    assert not any(others)


def test_every_product_is_the_same_row_for_row_as_on_duckdb(mesh):
    _assert_parity(mesh)


def test_prods_views_lie_in_prods_project_and_the_others_do_not(mesh):
    client = bigquery.Client(project=mesh.warehouse.project)
    prod = {each.dataset_id for each in client.list_datasets(mesh.warehouse.prod_project)}
    assert {"interactions", "engagement"} <= prod
    others = {each.dataset_id for each in client.list_datasets(mesh.warehouse.project)}
    assert "interactions__acceptance" in others
    assert "interactions" not in others


def test_tables_and_views_have_the_physical_design_of_models_and_contracts(mesh):
    client = bigquery.Client(project=mesh.warehouse.project)
    dataset = "sqlmesh__interactions_internal"
    tables = [client.get_table(each.reference) for each in client.list_tables(dataset)]
    # One of each delivery.
    events, *others = [t for t in tables if "__rating_events__" in t.table_id]
    for table in (events, *others):
        assert table.time_partitioning.type_ == "MONTH"
        assert table.clustering_fields == ["user_id", "movie_id"]
    with pytest.raises(Exception, match="without a filter over column"):
        client.query_and_wait(f"SELECT COUNT(*) FROM `{dataset}.{events.table_id}`")
    view = client.get_table(f"{mesh.warehouse.prod_project}.interactions.user_genre_ratings")
    assert view.labels["domain"] == "interactions"
    assert view.labels["product"] == "user_genre_ratings"
    assert view.labels["contract_version"].count("_") == 2
    assert view.description
    assert all(column.description for column in view.schema)
    readers = client.query_and_wait(
        f"SELECT object_name, privilege_type, grantee FROM `{mesh.warehouse.prod_project}`."
        "`region-us`.INFORMATION_SCHEMA.OBJECT_PRIVILEGES"
    )
    expected = ("user_genre_ratings", "roles/bigquery.dataViewer", "group:engagement@example.com")
    assert expected in {tuple(row) for row in readers}


def test_contracts_are_kept_or_broken_on_bigquery_as_on_duckdb(mesh):
    here, there = (
        verify(project, environment, VERIFIED)
        for project, environment in ((mesh.cloud, "acceptance"), (mesh.local, "prod"))
    )
    assert _broken(here) == _broken(there)
    assert len(here.products) == len(VERIFIED)
    # Generated data may be older or smaller than a contract promises; it breaks nothing else.
    assert {rule for _, rule, _ in _broken(here) if not rule.startswith("level.")} == set()


def _broken(report: VerifyReport) -> list[tuple]:
    return [(product.product, one.rule, one.failing) for product, one in report.broken]


def test_status_counts_what_is_there(mesh):
    there = {each.product: each for each in status(mesh.local, "prod").products}
    assert there
    for product in status(mesh.cloud, "prod").products:
        same = there[product.product]
        assert (product.rows, product.newest_month) == (same.rows, same.newest_month)
        assert product.view.startswith(mesh.warehouse.prod_project)
