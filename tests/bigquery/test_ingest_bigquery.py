"""`mesh ingest --gateway bigquery` on the emulator: as on DuckDB, whatever breaks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
from google.cloud import bigquery

from mesh.cli.main import run
from mesh.errors import CheckFailed, WrongUse
from mesh.movielens.ingest import ingest
from mesh.movielens.ingest.run import IngestResult
from mesh.movielens.ingest.schema import ALL_TABLES, DELIVERED
from mesh.movielens.ingest.targets import bigquery_jobs
from mesh.movielens.ingest.targets.bigquery import BigQueryTarget
from tests.bigquery.cut import network
from tests.deliveries import write

pytestmark = pytest.mark.bigquery

MOVIES = (
    'movieId,title,genres\n1,Heat (1995),Action|Crime\n2,"Go, Fish (1994)",Drama\n3,Alien,Horror\n'
)
RATINGS = """userId,movieId,rating,timestamp
1,1,4.0,1000000000
1,2,3.5,1000000001
2,1,0.5,1100000000
2,9,0.5,1100000000
"""
TAGS = "userId,movieId,tag,timestamp\n1,1,heist,1000000002\n"


def deliver(folder: Path, movies: str = MOVIES, ratings: str = RATINGS, tags: str = TAGS) -> Path:
    return write(folder, movies=movies, ratings=ratings, tags=tags)


@dataclass(frozen=True)
class Side:
    """One engine's operational tables."""

    client: bigquery.Client | None
    database: Path

    def ingest(self, source: Path, **options) -> IngestResult:
        target = BigQueryTarget() if self.client else None
        return ingest(source, database=self.database, target=target, max_rejected="50%", **options)

    def rows(self, table: str, columns: str = "*") -> list[tuple]:
        query = f"SELECT {columns} FROM operational.{table}"
        if self.client:
            found = [tuple(row) for row in self.client.query_and_wait(query)]
            return sorted(found, key=str)
        with duckdb.connect(str(self.database), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return sorted(connection.execute(query).fetchall(), key=str)

    def everything(self) -> dict[str, list[tuple]]:
        """All tables; of `ingests` what does not depend on the clock."""
        untimed = "* EXCLUDE (started_at, finished_at, changed_months)"
        if self.client:
            untimed = untimed.replace("EXCLUDE", "EXCEPT")
        own = {"ingests": untimed}
        return {
            table.name: [_plain(row) for row in self.rows(table.name, own.get(table.name, "*"))]
            for table in ALL_TABLES
        }


def _plain(row: tuple) -> tuple:
    return tuple(v.astimezone(UTC) if isinstance(v, datetime) else v for v in row)


@pytest.fixture
def cloud(fresh_warehouse, monkeypatch, tmp_path) -> Side:
    warehouse = fresh_warehouse()
    for name, value in warehouse.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(bigquery_jobs, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(bigquery_jobs, "PAUSE_SECONDS", 0.05)
    return Side(bigquery.Client(project=warehouse.project), tmp_path / "unused.duckdb")


def test_titles_that_are_shifted_by_a_line_are_told(cloud, tmp_path):
    first, shifted = (
        "movieId,title,genres\n" + "".join(f"{n},M{n + by} (1999),Drama\n" for n in range(1, 31))
        for by in (0, 1)
    )
    cloud.ingest(deliver(tmp_path / "1", movies=first))
    assert cloud.ingest(deliver(tmp_path / "2", movies=shifted)).notes == (
        "movies: of 30 rows that stood there this delivery changes title in 30. If nobody meant "
        "it, take it back with `mesh ingest --undo`.",
    )


def test_deliveries_give_the_same_tables_on_both_engines(cloud, tmp_path):
    local = Side(None, tmp_path / "mesh.duckdb")
    first = deliver(tmp_path / "in")
    outcomes = [(side.ingest(first), side.ingest(first)) for side in (cloud, local)]
    for once, again in outcomes:
        assert (once.lines_read, once.lines_loaded, once.lines_rejected) == (8, 7, 1)
        assert again.nothing_changed
        assert once.months["movies"] == (date(1970, 1, 1), date(2001, 9, 1), date(2004, 11, 1))
    assert outcomes[0][0].months == outcomes[1][0].months

    late = deliver(
        tmp_path / "late",
        movies="movieId,title,genres\n1,Heat (1995),Crime\n4,Ran (1985),War\n",
        ratings="userId,movieId,rating,timestamp\n1,2,3.5,1000000001\n1,1,5.0,1200000000\n"
        "2,1,5.0,1000000000\n3,4,2.0,1300000000\n",
        tags="userId,movieId,tag,timestamp\n1,1,heist,1000000002\n3,4,war,1300000000\n",
    )
    results = [side.ingest(late, append=True) for side in (cloud, local)]
    assert results[0].counts == results[1].counts
    assert (results[0].total("ignored"), results[0].total("replaced")) == (1, 2)
    months = [result.months for result in results]
    assert months[0] == months[1]
    assert months[0]["ratings"] == (date(2001, 9, 1), date(2008, 1, 1), date(2011, 3, 1))
    assert months[0]["tags"] == (date(2011, 3, 1),)

    fewer = deliver(tmp_path / "fewer", movies=MOVIES.replace("3,Alien,Horror\n", ""))
    months = [side.ingest(fewer).months for side in (cloud, local)]
    assert months[0] == months[1]

    here, there = cloud.everything(), local.everything()
    for table in ALL_TABLES:
        assert here[table.name] == there[table.name], table.name
    assert [row[0] for row in here["ingests"]] == [1, 2, 3]
    assert not list(cloud.client.list_tables("operational_staging"))
    ratings = cloud.client.get_table("operational.ratings")
    assert ratings.time_partitioning.type_ == "MONTH"
    assert ratings.clustering_fields == ["userId", "movieId"]


def test_the_command_shows_what_it_loaded(cloud, tmp_path, capsys):
    source = deliver(tmp_path / "in", ratings=RATINGS.replace("2,9,0.5,1100000000\n", ""))
    with pytest.raises(SystemExit) as end:
        run(["ingest", str(source), "--gateway", "bigquery"])
    shown = capsys.readouterr()
    assert not end.value.code, shown.err
    assert "7 loaded + 0 rejected = 7 lines read" in shown.out
    assert "loading ratings into BigQuery" in shown.err
    with pytest.raises(SystemExit) as end:
        run(["ingest", str(source), "--gateway", "bigquery", "--parquet", str(tmp_path / "lake")])
    assert end.value.code == 2
    assert "--parquet writes what was just read" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "lake").exists()


def test_a_table_of_someone_else_is_not_touched(cloud, tmp_path):
    cloud.client.create_dataset("operational")
    cloud.client.query_and_wait("CREATE TABLE operational.movies (movieId STRING)")
    with pytest.raises(WrongUse, match=r"operational\.movies of the project .* has other columns"):
        cloud.ingest(deliver(tmp_path / "in"))


def test_an_ingest_that_another_overtook_is_undone(cloud, tmp_path):
    first, second = (
        deliver(tmp_path / "in"),
        deliver(tmp_path / "other", tags=TAGS + "2,2,x,1100000000\n"),
    )
    overtaken = BigQueryTarget()
    commit = overtaken.commit

    def late_commit() -> None:
        cloud.ingest(second)
        commit()

    overtaken.commit = late_commit
    with pytest.raises(CheckFailed, match="another ingest published while this one ran"):
        ingest(first, database=cloud.database, target=overtaken, max_rejected="50%")
    assert len(cloud.rows("tags")) == 2
    assert [row[0] for row in cloud.rows("ingests", "ingest_id")] == [1]


def _loads(client: bigquery.Client) -> list[str]:
    return sorted(job.job_id for job in client.list_jobs() if job.job_type == "load")


@pytest.mark.parametrize("resumable", [False, True], ids=["one request", "many requests"])
def test_a_cut_in_the_middle_of_an_upload_is_made_good(cloud, tmp_path, monkeypatch, resumable):
    if resumable:
        monkeypatch.setattr("google.cloud.bigquery.client._MAX_MULTIPART_SIZE", 1)
    with network(cloud_url()) as (between, url):
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", url)
        between.cut_at, between.times = b"PAR1", 2
        result = cloud.ingest(deliver(tmp_path / "in"))
    assert between.cuts == 2
    assert (result.ingest_id, result.lines_loaded) == (1, 7)
    assert len(cloud.rows("ratings")) == 3
    assert len(_loads(cloud.client)) == 4  # movies, ratings, tags and rejected lines, each once


def test_a_network_that_stays_away_publishes_nothing_and_the_next_run_succeeds(
    cloud, tmp_path, monkeypatch
):
    monkeypatch.setattr(bigquery_jobs, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr("mesh.movielens.ingest.targets.bigquery.UPLOAD_RETRIES", 0)
    source = deliver(tmp_path / "in")
    with network(cloud_url()) as (between, url):
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", url)
        between.cut_at, between.times, between.dead_after_cut = b"PAR1", 1, True
        with pytest.raises(
            WrongUse, match=r"the connection to Google Cloud was lost\..*run the same"
        ):
            cloud.ingest(source)
        assert all(not cloud.rows(table.name) for table in ALL_TABLES)
        between.heal()
        result = cloud.ingest(source)
    assert (result.ingest_id, result.lines_loaded) == (1, 7)


def test_a_publication_whose_answer_is_lost_happens_once(cloud, tmp_path, monkeypatch):
    with network(cloud_url()) as (between, url):
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", url)
        between.cut_at, between.times, between.after_answer = b"COMMIT TRANSACTION", 1, True
        result = cloud.ingest(deliver(tmp_path / "in"))
        assert between.cuts == 1
        assert result.ingest_id == 1
    assert len(cloud.rows("ingests")) == 1
    assert len(cloud.rows("rejected_lines")) == 1
    assert [len(cloud.rows(table.name)) for table in DELIVERED] == [3, 3, 1]


def cloud_url() -> str:
    import os

    return os.environ["BIGQUERY_EMULATOR_HOST"]
