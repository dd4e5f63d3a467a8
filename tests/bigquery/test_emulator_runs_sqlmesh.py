"""SQLMesh end to end on the emulator, by its own command: two models, state in PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
from google.cloud import bigquery

ROOT = Path(__file__).resolve().parent.parent.parent
SMALL_PROJECT = Path(__file__).parent / "small_project"
RATINGS = """
CREATE TABLE operational.ratings AS
SELECT 1 AS userId, 1 AS movieId, 4.5 AS rating, TIMESTAMP '2024-01-05 00:00:00+00' AS timestamp
UNION ALL SELECT 2, 1, 3.0, TIMESTAMP '2024-02-05 00:00:00+00'
UNION ALL SELECT 2, 2, 3.0, TIMESTAMP '2024-03-05 00:00:00+00'
"""
LATE_RATINGS = """
INSERT INTO operational.ratings (userId, movieId, rating, timestamp)
VALUES (3, 1, 5.0, TIMESTAMP '2024-02-06 00:00:00+00')
"""

pytestmark = pytest.mark.bigquery


@dataclass(frozen=True)
class Run:
    """A project promoted from dev to prod on an emulator: what the tests look at."""

    client: bigquery.Client
    project: str
    prod_project: str
    directory: Path
    variables: dict[str, str]

    def sqlmesh(self, *arguments: str, gateway: str = "bigquery") -> str:
        logs = ("--log-file-dir", str(self.directory / "logs"))
        done = subprocess.run(
            [
                *(sys.executable, "-m", "tests.bigquery.bridged", "sqlmesh"),
                *("-p", str(self.directory), "--gateway", gateway, *logs, *arguments),
            ],
            cwd=ROOT,
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def rows(self, query: str) -> list[tuple]:
        return sorted(row.values() for row in self.client.query_and_wait(query))

    def popularity(self, project: str, dataset: str) -> list[tuple]:
        return self.rows(f"SELECT * FROM `{project}`.`{dataset}`.movie_popularity")

    def physical_table(self) -> bigquery.Table:
        dataset = f"{self.project}.sqlmesh__interactions_internal"
        (table,) = self.client.list_tables(dataset)
        return self.client.get_table(table.reference)


@pytest.fixture(scope="module")
def promoted(fresh_warehouse, tmp_path_factory) -> Run:
    warehouse = fresh_warehouse()
    directory = tmp_path_factory.mktemp("small") / "project"
    shutil.copytree(SMALL_PROJECT, directory)
    variables = {**warehouse.variables, "MESH_DUCKDB": str(directory / "mesh.duckdb")}
    client = bigquery.Client(project=warehouse.project)
    client.create_dataset("operational")
    client.query_and_wait(RATINGS)
    run = Run(client, warehouse.project, warehouse.prod_project, directory, variables)
    run.sqlmesh("plan", "dev", "--auto-apply", "--no-prompts")
    run.sqlmesh("plan", "prod", "--auto-apply", "--no-prompts")
    return run


def test_dev_views_stay_in_the_first_project(promoted):
    assert promoted.popularity(promoted.project, "engagement__dev") == [(1, 2), (2, 1)]


def test_prod_views_lie_in_the_project_of_prod_and_read_the_same_tables(promoted):
    assert promoted.popularity(promoted.prod_project, "engagement") == [(1, 2), (2, 1)]
    datasets = {each.dataset_id for each in promoted.client.list_datasets(promoted.prod_project)}
    assert datasets == {"engagement", "interactions_internal"}


def test_the_physical_table_is_partitioned_clustered_labelled_and_described(promoted):
    table = promoted.physical_table()
    assert table.time_partitioning.type_ == "MONTH"
    assert table.time_partitioning.field == "reporting_month"
    assert table.clustering_fields == ["movie_id"]
    assert table.labels == {"domain": "interactions"}
    assert table.description == "Ratings of one movie in one month."
    assert table.schema[0].description == "The movie."


def test_the_physical_table_refuses_a_query_without_a_partition_filter(promoted):
    table = promoted.physical_table()
    with pytest.raises(Exception, match="without a filter over column"):
        promoted.rows(f"SELECT COUNT(*) FROM `{table.full_table_id.replace(':', '.')}`")


def test_a_product_is_granted_to_its_readers_in_every_environment(promoted):
    def readers(project: str) -> list[tuple]:
        return promoted.rows(
            "SELECT object_schema, grantee "
            f"FROM `{project}`.`region-us`.INFORMATION_SCHEMA.OBJECT_PRIVILEGES"
        )

    assert ("engagement__dev", "group:studios@example.com") in readers(promoted.project)
    assert readers(promoted.prod_project) == [("engagement", "group:studios@example.com")]


def test_the_state_lies_in_postgres(promoted, postgres_state):
    connection = psycopg2.connect(
        host=postgres_state.host,
        port=postgres_state.port,
        dbname=promoted.variables["MESH_STATE_DATABASE"],
        user=postgres_state.user,
        password=postgres_state.password,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlmesh._environments ORDER BY name")
        assert cursor.fetchall() == [("dev",), ("prod",)]
    connection.close()


def test_a_late_month_replaces_itself_and_no_other(promoted):
    promoted.client.query_and_wait(LATE_RATINGS)
    restate = ("--restate-model", "interactions_internal.monthly_ratings")
    month = ("--start", "2024-02-01", "--end", "2024-02-29")
    promoted.sqlmesh("plan", "prod", *restate, *month, "--auto-apply", "--no-prompts")
    monthly = f"`{promoted.prod_project}`.interactions_internal.monthly_ratings"
    assert promoted.rows(
        f"SELECT FORMAT_DATE('%m', reporting_month), movie_id, rating_count FROM {monthly} "
        "WHERE reporting_month >= '2024-01-01'"
    ) == [("01", 1, 1), ("02", 1, 2), ("03", 2, 1)]
