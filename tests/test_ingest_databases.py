"""`mesh ingest`: databases that cannot be used get one clear sentence each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from mesh.errors import WrongUse
from mesh.movielens.ingest import ingest
from mesh.movielens.ingest.targets.duckdb import DuckDBTarget
from tests.deliveries import NOW
from tests.whole_sources import TEXTS, deliver, run


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "mesh.duckdb"


def hold(database: Path) -> subprocess.Popen:
    """Another process that has the database open."""
    code = (
        f"import duckdb; c = duckdb.connect({str(database)!r}); print('open', flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"open\n"
    return process


def test_a_database_that_another_process_holds(tmp_path, database):
    folder = deliver(tmp_path / "in")
    ingest(folder, database=database, now=NOW)
    holder = hold(database)
    try:
        with pytest.raises(WrongUse, match=rf"is in use by process {holder.pid}\. Stop it"):
            ingest(folder, database=database, now=NOW)
    finally:
        holder.communicate(b"\n")


def test_a_database_that_this_process_holds(tmp_path, database):
    folder = deliver(tmp_path / "in")
    ingest(folder, database=database, now=NOW)
    with (
        duckdb.connect(str(database)),
        pytest.raises(WrongUse, match="the database is in use"),
    ):
        ingest(folder, database=database, now=NOW)


@pytest.mark.parametrize("damage", [lambda b: b[:20_000], lambda b: b[:12_288] + b"block" * 50_000])
def test_a_database_that_is_damaged(tmp_path, database, damage):
    folder = deliver(tmp_path / "in")
    ingest(folder, database=database, now=NOW)
    database.write_bytes(damage(database.read_bytes()))
    with pytest.raises(WrongUse, match=r"the database is damaged or cut off\. Move it away and"):
        ingest(folder, database=database, now=NOW)


def test_a_database_of_another_make_is_refused_without_asking_the_network(tmp_path, database):
    database.write_bytes(b"SQLite format 3\0" + b"\0" * 5_000)
    with pytest.raises(WrongUse, match="this is not a DuckDB file of a version that can be read"):
        ingest(deliver(tmp_path / "in"), database=database, now=NOW)


def test_a_view_in_the_place_of_a_table_is_not_touched(tmp_path, database):
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE SCHEMA operational; CREATE VIEW operational.tags AS SELECT 1")
    with pytest.raises(WrongUse, match=r"operational\.tags is a view, not a table\. Let MESH_DUCK"):
        ingest(deliver(tmp_path / "in"), database=database, now=NOW)


def test_a_database_that_is_none(tmp_path, database):
    database.write_bytes(b"not a database " * 1000)
    with pytest.raises(WrongUse, match="this is not a DuckDB file of a version that can be read"):
        ingest(deliver(tmp_path / "in"), database=database, now=NOW)
    assert database.read_bytes() == b"not a database " * 1000


def test_a_database_without_permission(tmp_path, database, monkeypatch):
    class Denied:
        def execute(self, _statement: str) -> None:
            raise duckdb.IOException(f'Cannot open file "{database}": Permission denied')

    target = DuckDBTarget(database)
    target.connection = Denied()
    with pytest.raises(
        WrongUse, match=r"mesh.duckdb: permission denied\. Give yourself access, or"
    ):
        target._attach()


def test_a_database_path_that_is_a_folder(tmp_path):
    with pytest.raises(WrongUse, match="the database cannot be opened"):
        ingest(deliver(tmp_path / "in"), database=tmp_path, now=NOW)


def test_a_database_under_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(WrongUse, match="file"):
        ingest(deliver(tmp_path / "in"), database=tmp_path / "file" / "x.duckdb", now=NOW)


def test_a_table_of_another_shape_is_not_touched(tmp_path, database):
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE SCHEMA operational; CREATE TABLE operational.movies (a INT)")
    with pytest.raises(
        WrongUse, match=r"operational\.movies has other columns than movieId BIGINT"
    ):
        ingest(deliver(tmp_path / "in"), database=database, now=NOW)


def test_a_full_disk_leaves_the_old_tables(tmp_path, database):
    ingest(deliver(tmp_path / "in"), database=database, now=NOW)
    ratings = TEXTS["ratings"] + "".join(
        f"{user},1,{(user * 7919 % 10 + 1) / 2},{900000000 + user * 7919 * 104729 % 300000000}\n"
        for user in range(2, 600_000)
    )
    large = deliver(tmp_path / "large", ratings=ratings)
    limit = database.stat().st_size + 300_000
    done = run("ingest", str(large), database=database, limit=limit)
    assert done.returncode == 2
    assert "the disk is full. The tables are as they were. Make room" in done.stderr
    assert "Traceback" not in done.stderr
    with duckdb.connect(str(database)) as connection:
        assert connection.execute("SELECT count(*) FROM operational.ratings").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM operational.ingests").fetchone() == (1,)
    assert ingest(large, database=database).counts["ratings"].loaded == 599_999
