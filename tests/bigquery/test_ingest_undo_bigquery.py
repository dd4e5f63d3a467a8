"""`mesh ingest --undo --gateway bigquery` on the emulator: as on DuckDB, and only once."""

from __future__ import annotations

import json

import pytest

from mesh.cli.main import run
from mesh.errors import CheckFailed, WrongUse
from mesh.movielens.ingest import undo
from mesh.movielens.ingest.run import IngestResult
from mesh.movielens.ingest.schema import DELIVERED, INGESTS, UNDO_LOGS
from mesh.movielens.ingest.targets import bigquery_jobs
from mesh.movielens.ingest.targets.bigquery import BigQueryTarget
from tests.bigquery.cut import network
from tests.bigquery.test_ingest_bigquery import (
    MOVIES,
    RATINGS,
    TAGS,
    Side,
    cloud,  # noqa: F401  (a fixture)
    cloud_url,
    deliver,
)

pytestmark = pytest.mark.bigquery
OTHER = RATINGS.replace("4.0", "1.0") + "3,2,5.0,1300000000\n"


def undone(side: Side, number: int | None = None) -> IngestResult:
    target = BigQueryTarget() if side.client else None
    return undo(number, database=side.database, target=target)


def delivered(side: Side) -> dict[str, list[tuple]]:
    return {table.name: side.rows(table.name) for table in DELIVERED}


def refusal(side: Side, number: int | None = None) -> str:
    before = side.everything()
    with pytest.raises(WrongUse) as caught:
        undone(side, number)
    assert side.everything() == before
    return str(caught.value)


def test_deliveries_and_undos_give_the_same_tables_and_logs_on_both_engines(
    cloud,  # noqa: F811
    tmp_path,
):
    local = Side(None, tmp_path / "mesh.duckdb")
    steps = [
        (deliver(tmp_path / "1"), False),
        (
            deliver(
                tmp_path / "2",
                movies=MOVIES.replace("3,Alien,Horror\n", "").replace("Crime", "War"),
                ratings=OTHER,
                tags="userId,movieId,tag,timestamp\n2,2,new,1300000000\n",
            ),
            False,
        ),
        (
            deliver(
                tmp_path / "3",
                movies="movieId,title,genres\n4,Ran (1985),War\n1,Heat (1995),Crime\n",
                ratings="userId,movieId,rating,timestamp\n1,1,5.0,1200000000\n"
                "1,2,3.5,1000000001\n3,4,2.0,1300000000\n",
                tags=TAGS.replace("1000000002", "1100000000"),
            ),
            True,
        ),
    ]
    sides = (cloud, local)
    states = []
    for source, append in steps:
        months = [side.ingest(source, append=append).months for side in sides]
        assert months[0] == months[1]
        assert cloud.everything() == local.everything()
        states.append(delivered(cloud))
    changed = {
        number: sorted(row[1:] for row in cloud.rows("changed_months") if row[0] == number)
        for number in (1, 2, 3)
    }
    for number in (3, 2, 1):
        results = [undone(side, number) for side in sides]
        assert results[0].months == results[1].months
        assert [result.undoes for result in results] == [number, number]
        assert cloud.everything() == local.everything()
        if number > 1:
            assert delivered(cloud) == states[number - 2]
        made = results[0].ingest_id
        assert changed[number] == sorted(
            row[1:] for row in cloud.rows("changed_months") if row[0] == made
        )
    assert delivered(cloud) == {"movies": [], "ratings": [], "tags": []}
    assert not any(cloud.rows(log.name) for log in UNDO_LOGS.values())
    for side in sides:
        assert refusal(side).startswith("every delivery is undone already.")
        assert not side.ingest(steps[0][0]).nothing_changed
    assert cloud.everything() == local.everything()
    assert delivered(cloud) == states[0]


def test_what_cannot_be_undone_is_refused_as_on_duckdb(cloud, tmp_path):  # noqa: F811
    with pytest.raises(WrongUse, match="nothing was ever ingested, so there is nothing to undo"):
        undone(cloud)
    cloud.ingest(deliver(tmp_path / "1"))
    cloud.ingest(deliver(tmp_path / "2", ratings=OTHER))
    assert "delivery 1 cannot be undone while 2 stands on it" in refusal(cloud, 1)
    cloud.client.query_and_wait("DELETE FROM operational.tags WHERE TRUE")
    assert refusal(cloud) == (
        "operational.tags has 0 rows, and had 1 after ingest 2: something else changed it since. "
        "Put its rows back, or ingest the last good delivery as a full snapshot."
    )


def test_tables_of_an_older_version_are_brought_up_to_date(cloud, tmp_path):  # noqa: F811
    cloud.ingest(deliver(tmp_path / "1"))
    before = delivered(cloud)
    for log in UNDO_LOGS.values():
        cloud.client.query_and_wait(f"DROP TABLE operational.{log.name}")
    kept = ", ".join(INGESTS.column_names[: -INGESTS.newest_columns])
    cloud.client.query_and_wait(
        f"CREATE TABLE operational.older AS SELECT {kept} FROM operational.ingests; "
        "DROP TABLE operational.ingests; "
        "ALTER TABLE operational.older RENAME TO ingests"
    )
    with pytest.raises(WrongUse, match=r"before delivery 1 are not kept: an older version of this"):
        undone(cloud)
    cloud.ingest(deliver(tmp_path / "2", ratings=OTHER))
    assert undone(cloud).undoes == 2
    assert delivered(cloud) == before
    added = ", ".join(INGESTS.column_names[-INGESTS.newest_columns :])
    found = {row[0]: row[1:] for row in _unsorted(cloud, f"ingest_id, {added}")}
    assert found == {1: (None,) * 6, 2: (3, 4, 1, None, 0, 0), 3: (3, 3, 1, 2, 0, 0)}


def _unsorted(side: Side, columns: str) -> list[tuple]:
    query = f"SELECT {columns} FROM operational.ingests"
    return [tuple(row) for row in side.client.query_and_wait(query)]


def test_an_undo_whose_answer_is_lost_happens_once(cloud, tmp_path, monkeypatch):  # noqa: F811
    cloud.ingest(deliver(tmp_path / "1"))
    cloud.ingest(deliver(tmp_path / "2", ratings=OTHER))
    with network(cloud_url()) as (between, url):
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", url)
        between.cut_at, between.times, between.after_answer = b"COMMIT TRANSACTION", 1, True
        result = undone(cloud)
        assert between.cuts == 1
    assert (result.ingest_id, result.undoes) == (3, 2)
    assert len(cloud.rows("ingests", "ingest_id")) == 3
    assert len(cloud.rows("ratings")) == 3
    jobs = [job.job_id for job in cloud.client.list_jobs() if "mesh-undo" in job.job_id]
    assert len(jobs) == 1
    assert jobs[0].startswith("mesh-undo-3-of-2-")


def test_a_network_that_is_lost_at_the_undo_tells_to_name_the_delivery(
    cloud,  # noqa: F811
    tmp_path,
    monkeypatch,
):
    monkeypatch.setattr(bigquery_jobs, "PATIENCE_SECONDS", 1.0)
    cloud.ingest(deliver(tmp_path / "1"))
    with network(cloud_url()) as (between, url):
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", url)
        between.cut_at, between.times = b"COMMIT TRANSACTION", 1
        between.after_answer = between.dead_after_cut = True
        with pytest.raises(
            WrongUse,
            match=r"the connection to Google Cloud was lost\. Run `mesh ingest --undo 1`, with "
            r"this number: it undoes that delivery, or says that it is undone already\.",
        ):
            undone(cloud)
        between.heal()
        assert "delivery 1 is undone already, by ingest 2." in refusal(cloud, 1)


def test_an_undo_that_an_ingest_overtook_changes_nothing(cloud, tmp_path):  # noqa: F811
    cloud.ingest(deliver(tmp_path / "1"))
    overtaken = BigQueryTarget()
    commit = overtaken.commit

    def late_commit() -> None:
        cloud.ingest(deliver(tmp_path / "2", ratings=OTHER))
        commit()

    overtaken.commit = late_commit
    with pytest.raises(CheckFailed, match="another ingest published while this one ran"):
        undo(database=cloud.database, target=overtaken)
    assert cloud.rows("ingests", "ingest_id") == [(1,), (2,)]
    assert len(cloud.rows("ratings")) == 4


def test_the_command_undoes_in_bigquery(cloud, tmp_path, capsys):  # noqa: F811
    cloud.ingest(deliver(tmp_path / "1"))
    cloud.ingest(deliver(tmp_path / "2", ratings=OTHER))
    with pytest.raises(SystemExit) as end:
        run(["ingest", "--undo", "2", "--gateway", "bigquery", "--json"])
    shown = capsys.readouterr()
    assert not end.value.code, shown.err
    told = json.loads(shown.out)
    assert (told["ingest_id"], told["undoes"], told["mode"]) == (3, 2, "undo")
    assert told["changed_months"] == ["2001-09-01", "2011-03-01"]
