"""config.yaml and `.env`: one reading for SQLMesh and for `mesh`, whatever a variable holds."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import processes
import pytest
from sqlmesh.core.config import Config, load_configs

from mesh.cli.main import run
from mesh.environments.hooks import _place, install
from mesh.project import Project, written_to
from mesh.working_copy import writing
from tests.project_copy import ROOT

HOSTILE = (
    'a"b',
    "C:\\quiet\\temp",
    "it's",
    "tab\there",
    "two\nlines",
    " # : - { } [ ] & * ! | > % @ ` ",
    "{{ 1 }} {% if %}",
    "é \U0001f511",
    "null",
)
STATE = {"MESH_BIGQUERY_PROJECT": "some-warehouse"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Of this configuration alone, in a folder whose name has to be quoted everywhere."""
    for name in [name for name in os.environ if name.startswith("MESH_")]:
        monkeypatch.delenv(name)
    # What a file of variables sets is taken back after the test.
    for name in ("MESH_DUCKDB", "MESH_STATE_PASSWORD"):
        monkeypatch.setenv(name, "")
    root = tmp_path / 'Anna\'s "own" project'
    root.mkdir()
    shutil.copy2(ROOT / "config.yaml", root)
    return Project(root.resolve())


def as_sqlmesh_reads(project: Project) -> Config:
    return load_configs(None, Config, [project.root])[project.root]


def opened_by_sqlmesh(project: Project) -> str | None:
    """The file of the connection, or of its first catalog as SQL names it."""
    connection = as_sqlmesh_reads(project).get_connection("duckdb")
    _place(connection, project)  # type: ignore[arg-type]
    catalogs = connection.catalogs or {}  # type: ignore[attr-defined]
    return connection.database or catalogs["mesh"].replace("''", "'")  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_secret_is_taken_letter_by_letter(
    project: Project, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {**STATE, "MESH_STATE_PASSWORD": value, "MESH_STATE_USER": value}.items():
        monkeypatch.setenv(name, text)
    state = as_sqlmesh_reads(project).gateways["bigquery"].state_connection
    assert (state.password, state.user) == (value, value)
    ours = project.configuration()["gateways"]["bigquery"]["state_connection"]
    assert ours["password"] == value


@pytest.mark.parametrize("name", [*HOSTILE, "mesh.duckdb", "~/x.duckdb", '/srv/it\'s/a "b".db'])
def test_mesh_and_sqlmesh_open_the_same_file_of_the_project(
    project: Project, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESH_DUCKDB", name)
    meant = project.root / Path(name).expanduser()
    assert project.database == meant
    assert opened_by_sqlmesh(project) == str(meant)


def test_prods_views_have_a_file_beside_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**STATE, "MESH_BIGQUERY_PROD_PROJECT": "some-prod"}.items():
        monkeypatch.setenv(name, value)
    assert opened_by_sqlmesh(project) == str(project.root / "data" / "mesh.duckdb")
    assert project.database == project.root / "data" / "mesh.duckdb"
    mapped = as_sqlmesh_reads(project).gateways["duckdb"].connection.catalogs
    assert mapped["some-prod"] == "data/mesh.duckdb.prod"


def test_an_empty_variable_is_as_none(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_BIGQUERY_PROJECT", "some-warehouse")
    without = as_sqlmesh_reads(project)
    for name in ("LOCATION", "IMPERSONATE", "MAXIMUM_BYTES_BILLED", "CONCURRENCY", "READERS"):
        monkeypatch.setenv(f"MESH_BIGQUERY_{name}", "")
    for name in ("HOST", "PORT", "DATABASE", "USER", "PASSWORD"):
        monkeypatch.setenv(f"MESH_STATE_{name}", "")
    for name in ("MEMORY", "THREADS"):
        monkeypatch.setenv(f"MESH_DUCKDB_{name}", "")
    assert as_sqlmesh_reads(project) == without
    assert project.database == project.root / "data" / "mesh.duckdb"


def test_what_is_written_to_a_copy_keeps_the_catalog(project: Project, tmp_path: Path) -> None:
    copy = tmp_path / "it's" / "mesh.working.duckdb"
    with written_to(copy, project.database):
        assert project.database == copy
        assert opened_by_sqlmesh(project) == str(copy)
    assert project.database == project.root / "data" / "mesh.duckdb"


def test_the_file_of_variables_names_the_database_for_an_ingest_too(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.delenv("SQLMESH_DOTENV_PATH")
    monkeypatch.setenv("MESH_DUCKDB", str(tmp_path / "of-the-shell.duckdb"))
    (project.root / ".env").write_text("MESH_DUCKDB=named/of-the-project.duckdb\n")
    with pytest.raises(SystemExit) as end:
        run(["ingest", str(tmp_path / "nowhere"), "-p", str(project.root)])
    assert end.value.code == 2
    said = capfd.readouterr().err
    note, wrong, _ = said.split("\n", 2)
    assert note.startswith("note: MESH_DUCKDB is set in ") and "The file wins" in note
    assert wrong.startswith("error: ")
    with writing(project):
        pass
    writes = capfd.readouterr().err
    assert writes == f"Writes to {project.root}/named/of-the-project.duckdb.\n"
    assert opened_by_sqlmesh(project) == str(project.root / "named" / "of-the-project.duckdb")


def test_a_database_in_memory_is_refused(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("MESH_DUCKDB", ":memory:")
    with pytest.raises(SystemExit) as end:
        run(["ingest", str(tmp_path / "nowhere"), "-p", str(project.root)])
    assert end.value.code == 2
    assert "names a database in memory, which is gone" in capfd.readouterr().err
    assert not list(project.root.rglob(":memory:*"))


@pytest.mark.parametrize("command", ["environments", "janitor", "run dev", "invalidate dev"])
def test_what_builds_nothing_finds_the_database_from_another_folder_too(
    project: Project, tmp_path: Path, command: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "data").mkdir(parents=True)
    words = ("-p", str(project.root), *command.split())
    processes.run("sqlmesh", *words, cwd=elsewhere, env=os.environ)
    assert not list((elsewhere / "data").iterdir())
    assert (project.root / "data" / "mesh.duckdb").exists()


def test_models_that_sqlmesh_has_parsed_are_the_same_wherever_the_database_lies(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLMesh keeps them by this fingerprint; where a file lies cost a load of all of them."""
    install()

    def fingerprint(variable: str, value: str) -> str:
        with monkeypatch.context() as patch:
            patch.setenv(variable, value)
            config = as_sqlmesh_reads(project)
            _place(config.get_connection("duckdb"), project)  # type: ignore[arg-type]
            return config.fingerprint

    usual = fingerprint("MESH_DUCKDB", "")
    assert fingerprint("MESH_DUCKDB", "/tmp/elsewhere/mesh.duckdb") == usual
    assert fingerprint("MESH_DUCKDB", "a/copy.duckdb") == usual
    # What models can ask for, and what they run on, are another matter.
    assert fingerprint("MESH_AS_OF", "2019-11-21") != usual
    assert fingerprint("MESH_BIGQUERY_PROJECT", "some-warehouse") != usual
    assert as_sqlmesh_reads(project).get_connection("duckdb").database  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "command",
    ["refresh nope", "promote nope prod", "promote prod prod", "rollback nope", "ingest nosuch"],
)
def test_what_was_asked_for_in_vain_does_not_say_that_it_writes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    (tmp_path / "config.yaml").write_text(
        "model_defaults: {dialect: bigquery}\n"
        "gateways: {own: {connection: {type: duckdb, database: own.duckdb}}}\n"
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        run(command.split())
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and "Writes to" not in said


def test_where_a_command_writes_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.yaml").write_text(
        "gateways: {own: {connection: {type: duckdb, database: own.duckdb}}}\n"
    )
    told = f"Writes to {tmp_path / 'own.duckdb'}.\n"
    with writing(Project(tmp_path)) as tell:
        tell()
        assert capsys.readouterr().err == told
        tell()
    assert capsys.readouterr().err == ""
    with writing(Project(tmp_path)):
        pass
    assert capsys.readouterr().err == told
