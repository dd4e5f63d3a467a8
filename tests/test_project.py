"""Opening the project: every failure is one sentence with what to do."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest
from sqlglot.errors import SchemaError
from sqlmesh.utils.errors import ConfigError, SQLMeshError

from mesh.database import check_attached
from mesh.deliveries import months_after
from mesh.environments import open_project
from mesh.environments.names import (
    domain_of,
    is_public,
    short_name,
)
from mesh.environments.opened import _check_database, readable_errors
from mesh.errors import CheckFailed, WrongUse
from tests.project_copy import PROJECT


def opening(monkeypatch: pytest.MonkeyPatch, database: Path) -> str:
    """What is said when the project cannot be opened on that database."""
    monkeypatch.setenv("MESH_DUCKDB", str(database))
    with pytest.raises(WrongUse) as caught:
        open_project(PROJECT, models=False)
    return str(caught.value)


def test_a_folder_that_cannot_be_made_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    database = tmp_path / "file" / "mesh.duckdb"
    said = opening(monkeypatch, database)
    assert said.startswith(f"{database}: the database cannot be opened: ")
    assert said.endswith(
        ". Check that the disk has room and that you may write there, or let MESH_DUCKDB name "
        "another file."
    )


def test_a_folder_in_the_place_of_the_database_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    database = tmp_path / "mesh.duckdb"
    database.mkdir()
    said = opening(monkeypatch, database)
    assert said.startswith(f"{database}: the database cannot be opened: ")


def test_a_file_that_is_no_database_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    database = tmp_path / "mesh.duckdb"
    database.write_bytes(b"movieId,title,genres\n" * 1000)
    assert opening(monkeypatch, database) == (
        f"{database}: this is not a DuckDB file of a version that can be read. Move it away, or "
        "let MESH_DUCKDB name another file."
    )


def test_a_backup_beside_a_newer_log_is_told_as_that(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    database, backup = tmp_path / "mesh.duckdb", tmp_path / "backup.duckdb"
    latest = {"storage_compatibility_version": "latest"}
    duckdb.connect(str(database), config=latest).close()
    shutil.copy(database, backup)
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE TABLE a AS SELECT 1 AS one; CHECKPOINT; CREATE TABLE b (i INT)")
        shutil.copy(f"{database}.wal", f"{backup}.wal")
    assert opening(monkeypatch, backup) == (
        f"{backup}: the write-ahead log beside the database (`.wal`) is not of this state of it. "
        "If the file was put back from a backup, move the log away: it holds what came later."
    )


def test_a_damaged_database_is_not_said_to_be_in_use_nor_one_of_another_make_to_be_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    database = tmp_path / "mesh.duckdb"
    duckdb.connect(str(database)).close()
    database.write_bytes(database.read_bytes()[:100] + b"block" * 100_000)
    assert "is in use" not in opening(monkeypatch, database)
    database.write_bytes(b"SQLite format 3\0" + b"\0" * 5_000)
    assert "download" not in opening(monkeypatch, database)


def test_a_process_may_open_its_database_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    database = tmp_path / "mesh.duckdb"
    monkeypatch.setenv("MESH_DUCKDB", str(database))
    with duckdb.connect(str(database)):
        _check_database(database)
    _check_database(database)


def test_a_database_that_another_process_took_meanwhile_is_not_an_empty_one(
    tmp_path: Path,
) -> None:
    with duckdb.connect() as memory:
        with pytest.raises(WrongUse, match="is in use by another process"):
            check_attached(lambda query: memory.execute(query).fetchall(), tmp_path / "mesh.duckdb")
        memory.execute(f"ATTACH '{tmp_path / 'mesh.duckdb'}' AS mesh")
        check_attached(lambda query: memory.execute(query).fetchall(), tmp_path / "mesh.duckdb")


@pytest.mark.parametrize(
    ("raised", "kind", "said"),
    [
        (ConfigError("bad\n  model"), WrongUse, "SQLMesh refuses: bad model"),
        (ConfigError("near \x1b[4m~\x1b[0m 'a'"), WrongUse, "SQLMesh refuses: near ~ 'a'"),
        (SchemaError("odd at 'm.sql'"), CheckFailed, "SQLMesh refuses: odd at 'm.sql'"),
        (
            SQLMeshError('IO Error: Could not set lock on file "x": held in python (PID 12)'),
            WrongUse,
            "is in use by process 12. Stop it",
        ),
        (duckdb.IOException("Could not set lock"), WrongUse, "is in use by another process."),
        (
            duckdb.IOException("No space left on device"),
            WrongUse,
            "the disk is full. Make room, here",
        ),
        (duckdb.CatalogException("no\ntable x"), WrongUse, "DuckDB refuses: no table x"),
    ],
)
def test_what_sqlmesh_and_duckdb_raise_becomes_a_sentence(
    raised: Exception, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind) as caught, readable_errors(PROJECT.database):
        raise raised
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_our_own_errors_pass_as_they_are() -> None:
    own = WrongUse("no", fix="Yes.")
    with pytest.raises(WrongUse) as caught, readable_errors(PROJECT.database):
        raise own
    assert caught.value is own


def test_names_are_read_with_or_without_quotes_and_catalog() -> None:
    for name in ("a.b", '"mesh"."a"."b"', "`mesh`.`a`.`b`", "mesh.a.b"):
        assert short_name(name) == "a.b"
    assert is_public("mesh.interactions.user_actions")
    assert not is_public('"mesh"."interactions_internal"."movies"')
    assert domain_of("interactions_internal.movies") == "interactions"
    assert domain_of("engagement.x") == "engagement"


def test_months_are_counted_over_the_turn_of_the_year() -> None:
    assert months_after(date(2019, 12, 1)) == date(2020, 1, 1)
    assert months_after(date(2020, 1, 1), -1) == date(2019, 12, 1)
    assert months_after(date(2020, 1, 1), 25) == date(2022, 2, 1)
