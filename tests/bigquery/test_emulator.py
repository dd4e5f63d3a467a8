"""What this project needs of BigQuery, on the emulator: one test for each thing leant on.

Where the emulator is known to differ, docs/decisions/bigquery-emulator.md says how, and the last
tests here pin the difference: when one of them fails, the emulator has learnt something, and a
bridge or a sentence in that document can go.
"""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from tests.bigquery import bridges

pytestmark = pytest.mark.bigquery

RATINGS = pa.table(
    {
        "userId": pa.array([1, 2], pa.int64()),
        "rating": pa.array([4.5, 3.0], pa.float64()),
        "timestamp": pa.array(
            [datetime.datetime(2024, 1, day, tzinfo=datetime.UTC) for day in (5, 6)],
            pa.timestamp("us", "UTC"),
        ),
        "month": pa.array([datetime.date(2024, 1, 1)] * 2),
    }
)


def parquet() -> io.BytesIO:
    buffer = io.BytesIO()
    pq.write_table(RATINGS, buffer)
    buffer.seek(0)
    return buffer


def load_config(**options) -> bigquery.LoadJobConfig:
    return bigquery.LoadJobConfig(
        source_format="PARQUET", write_disposition="WRITE_TRUNCATE", **options
    )


@pytest.fixture(scope="module")
def dataset(bigquery_client) -> Iterator[str]:
    yield bigquery_client.create_dataset("leant_on").dataset_id


@pytest.fixture(scope="module")
def filtered(bigquery_client, dataset) -> str:
    """A table that must be read by month, and a view over it that filters nothing."""
    bigquery_client.query_and_wait(
        f"CREATE TABLE {dataset}.filtered (movie_id INT64, month DATE) "
        "PARTITION BY DATE_TRUNC(month, MONTH) OPTIONS (require_partition_filter = TRUE)"
    )
    bigquery_client.query_and_wait(
        f"INSERT INTO {dataset}.filtered (movie_id, month) VALUES (1, '2024-01-01')"
    )
    bigquery_client.query_and_wait(
        f"CREATE VIEW {dataset}.unfiltered AS SELECT * FROM {dataset}.filtered"
    )
    return f"{dataset}.filtered"


def test_a_parquet_file_is_loaded_and_the_job_counts_its_rows_and_bytes(bigquery_client, dataset):
    target = f"{bigquery_client.project}.{dataset}.loaded"
    job = bigquery_client.load_table_from_file(parquet(), target, job_config=load_config())
    job.result()
    assert (job.output_rows, job.input_files) == (2, 1)
    assert job.input_file_bytes > 0
    types = [(field.name, field.field_type) for field in bigquery_client.get_table(target).schema]
    assert types == [
        ("userId", "INTEGER"),
        ("rating", "FLOAT"),
        ("timestamp", "TIMESTAMP"),
        ("month", "DATE"),
    ]


def test_a_job_id_is_taken_once_and_the_finished_job_can_be_asked_for(bigquery_client, dataset):
    target = f"{bigquery_client.project}.{dataset}.once"

    def load() -> bigquery.LoadJob:
        return bigquery_client.load_table_from_file(
            parquet(), target, job_id="load-once", job_config=load_config()
        )

    load().result()
    with pytest.raises(exceptions.Conflict, match="Already Exists: Job"):
        load()
    assert bigquery_client.get_job("load-once").output_rows == 2
    assert bigquery_client.get_table(target).num_rows == 2


def test_files_of_a_bucket_are_loaded_by_a_pattern(bigquery_client, bigquery_emulator, dataset):
    folder = bigquery_emulator.gcs_root / "deliveries" / "2024"
    folder.mkdir(parents=True)
    for name in ("a.parquet", "b.parquet"):
        (folder / name).write_bytes(parquet().getvalue())
    job = bigquery_client.load_table_from_uri(
        "gs://deliveries/2024/*.parquet",
        f"{bigquery_client.project}.{dataset}.from_bucket",
        job_config=load_config(),
    )
    assert job.result().output_rows == 4


def test_a_load_that_does_not_fit_the_types_leaves_the_table_as_it_was(bigquery_client, dataset):
    target = f"{bigquery_client.project}.{dataset}.kept"
    bigquery_client.load_table_from_file(parquet(), target, job_config=load_config()).result()
    wrong = load_config(schema=[bigquery.SchemaField("userId", "DATE")])
    with pytest.raises(exceptions.BadRequest, match="Error while reading data"):
        bigquery_client.load_table_from_file(parquet(), target, job_config=wrong).result()
    assert bigquery_client.get_table(target).num_rows == 2


def test_a_failed_transaction_publishes_nothing(bigquery_client, dataset):
    bigquery_client.query_and_wait(f"CREATE TABLE {dataset}.atomic AS SELECT 1 AS x")
    with pytest.raises(exceptions.BadRequest, match="stop here"):
        bigquery_client.query_and_wait(
            f"BEGIN TRANSACTION; DELETE FROM {dataset}.atomic WHERE TRUE; "
            "SELECT ERROR('stop here'); COMMIT TRANSACTION;"
        )
    rows = bigquery_client.query_and_wait(f"SELECT x FROM {dataset}.atomic")
    assert [row.x for row in rows] == [1]


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ("leant_on.nowhere", exceptions.NotFound, "Not found: Table"),
        ("nowhere.at_all", exceptions.NotFound, "Not found: Dataset"),
        ("`other-project`.nowhere.at_all", exceptions.Forbidden, "Access Denied"),
    ],
)
def test_what_does_not_exist_is_refused_as_the_service_refuses_it(
    bigquery_client, dataset, table, error, message
):
    with pytest.raises(error, match=message):
        bigquery_client.query_and_wait(f"SELECT * FROM {table}")


def test_a_merge_needs_the_partition_column_in_on_or_when(bigquery_client, filtered):
    merge = f"MERGE {filtered} AS t USING (SELECT 1 AS movie_id) AS s ON t.movie_id = s.movie_id"
    update = "WHEN MATCHED THEN UPDATE SET movie_id = 1"
    with pytest.raises(exceptions.BadRequest, match="without a filter over column"):
        bigquery_client.query_and_wait(f"{merge} {update}")
    bigquery_client.query_and_wait(f"{merge} AND t.month >= '2024-01-01' {update}")


def test_a_clone_is_partitioned_and_described_as_its_source(bigquery_client, dataset, filtered):
    source = bigquery_client.get_table(filtered)
    source.description = "As it was."
    bigquery_client.update_table(source, ["description"])
    bigquery_client.query_and_wait(f"CREATE OR REPLACE TABLE {dataset}.cloned CLONE {filtered}")
    clone = bigquery_client.get_table(f"{bigquery_client.project}.{dataset}.cloned")
    assert clone.description == "As it was."
    assert clone.time_partitioning == source.time_partitioning
    assert clone.require_partition_filter
    assert clone.num_rows == 1


def test_rows_come_through_the_storage_api(bigquery_client, dataset):
    bigquery_client.query_and_wait(f"CREATE TABLE {dataset}.stored AS SELECT 0.1 AS x")
    rows = bigquery_client.list_rows(f"{bigquery_client.project}.{dataset}.stored")
    assert rows.to_arrow(create_bqstorage_client=True).column("x").to_pylist() == [0.1]


def test_a_table_made_by_a_query_is_that_jobs_destination(bigquery_client, dataset):
    job = bigquery_client.query(f"CREATE TABLE {dataset}.made AS SELECT 1 AS x")
    job.result()
    assert job.destination.table_id == "made"


def test_the_emulator_still_leaves_that_destination_empty(bigquery_client, dataset):
    bridges.remove()
    try:
        job = bigquery_client.query(f"CREATE TABLE {dataset}.bare AS SELECT 1 AS x")
        job.result()
        assert job.destination is None
    finally:
        bridges.install()


def test_the_emulator_still_counts_no_bytes_and_so_stops_at_no_limit(bigquery_client):
    config = bigquery.QueryJobConfig(dry_run=True)
    assert bigquery_client.query("SELECT 1", job_config=config).total_bytes_processed == 0
    limited = bigquery.QueryJobConfig(maximum_bytes_billed=1)
    bigquery_client.query("SELECT 1", job_config=limited).result()


def test_the_emulator_still_lets_a_view_be_read_without_the_filter_of_its_table(
    bigquery_client, dataset, filtered
):
    bigquery_client.query_and_wait(f"SELECT * FROM {dataset}.unfiltered")


def test_the_emulator_still_accepts_an_aggregate_that_the_service_has_as_window_only(
    bigquery_client,
):
    bigquery_client.query_and_wait("SELECT PERCENTILE_CONT(x, 0.5) FROM UNNEST([1, 2]) AS x")
