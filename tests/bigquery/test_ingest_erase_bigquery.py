"""`mesh erase --gateway bigquery` on the emulator: the same tables as on DuckDB."""

from __future__ import annotations

import pytest

from mesh.movielens.ingest import erase, undo
from mesh.movielens.ingest.targets.bigquery import BigQueryTarget
from tests.bigquery.test_ingest_bigquery import (
    RATINGS,
    TAGS,
    Side,
    cloud,  # noqa: F401  (a fixture)
    deliver,
)

pytestmark = pytest.mark.bigquery


def test_an_erasure_leaves_the_same_on_both_engines(cloud, tmp_path):  # noqa: F811
    sides = (cloud, Side(None, tmp_path / "mesh.duckdb"))
    sources = [
        deliver(tmp_path / "1", ratings=RATINGS + '"1",77,4.0,1000000000\nx\n'),
        deliver(tmp_path / "2", tags=TAGS + "1,1,mine,1300000000\n"),
    ]
    for source in sources:
        for side in sides:
            side.ingest(source)
    results = [
        erase([1, 9], database=side.database, target=BigQueryTarget() if side.client else None)
        for side in sides
    ]
    assert results[0].months == results[1].months
    assert results[0].notes == results[1].notes
    assert "Nothing is there of 9." in results[0].notes
    assert sides[0].everything() == sides[1].everything()
    for table in ("ratings", "tags", "undo_ratings", "undo_tags"):
        assert not [row for row in cloud.rows(table, "userId") if row[0] == 1]
    for side in sides:
        undo(database=side.database, target=BigQueryTarget() if side.client else None)
    assert sides[0].everything() == sides[1].everything()
