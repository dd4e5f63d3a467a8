"""Others use the database: SQLMesh says so, and `mesh` writes all the same while they only read."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import processes
import pytest
from sqlmesh.core.config import Config, load_configs

from mesh import working_copy as module
from mesh.environments.opened import readable_errors
from mesh.errors import Location, WrongUse
from mesh.movielens.generate import generate
from mesh.working_copy import log_of, working_copy, writing
from tests.project_copy import PROJECT, ROOT, ProjectCopy, copy_project

HOLD = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reads")
print("held", flush=True)
for question in sys.stdin:
    print(connection.execute(question).fetchone()[0], flush=True)
"""
# Commands of SQLMesh's that read its state, and those that do without loading the project.
COMMANDS = ("diff dev", "plan dev")
UNLOADED = ("environments", "janitor", "run dev", "invalidate dev")
INGESTS = "SELECT count(*) FROM operational.ingests"


@dataclass(frozen=True)
class Holder:
    """Another process, which has the database open."""

    process: subprocess.Popen[str]

    @property
    def pid(self) -> int:
        return self.process.pid

    def ask(self, question: str) -> str:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin and stdout
        stdin.write(f"{question}\n")
        stdin.flush()
        return stdout.readline().strip()


@contextmanager
def held(database: Path, how: str) -> Iterator[Holder]:
    """A process that reads or writes the database."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    try:
        yield Holder(process)
    finally:
        process.kill()
        process.communicate()


@dataclass(frozen=True)
class Project:
    """A planned project, with a database of a test's own."""

    copy: ProjectCopy
    database: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**self.copy.environment, "MESH_DUCKDB": str(self.database)}

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(Path(sys.executable).parent / command[0]), *command[1:]],
            cwd=self.copy.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str, cwd: Path | None = None, **environment: str) -> tuple[int, str]:
        """The exit code of a command, and all that it says."""
        env = self.environment | environment
        done = processes.run(*command, cwd=cwd or self.copy.root, env=env)
        return done.returncode, done.stderr + done.stdout

    def count(self, query: str) -> int:
        with duckdb.connect(str(self.database), read_only=True) as connection:
            (number,) = connection.execute(query).fetchone() or (0,)
        return number

    @property
    def beside(self) -> list[str]:
        """The files in the database's folder."""
        return sorted(path.name for path in self.database.parent.iterdir())


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folders = [tmp_path_factory.mktemp("delivery") / str(seed) for seed in (5, 6)]
    for seed, folder in enumerate(folders, start=5):
        generate(folder, 40, seed=seed)
    return folders


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory, deliveries: list[Path]) -> ProjectCopy:
    copy = copy_project(tmp_path_factory.mktemp("planned") / "project")
    copy.keep_few()
    copy.run("mesh", "ingest", str(deliveries[0]), check=True)
    copy.run("sqlmesh", "plan", "dev", "--auto-apply", "--no-prompts", check=True)
    return copy


@pytest.fixture
def project(planned: ProjectCopy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    database = tmp_path / "data" / "mesh.duckdb"
    database.parent.mkdir()
    assert not log_of(planned.database).exists(), "a plan writes everything into the file"
    shutil.copy(planned.database, database)
    monkeypatch.setenv("MESH_DUCKDB", str(database))
    return Project(planned, database)


# --- SQLMesh's own commands


@pytest.mark.parametrize("how", ["writes", "reads"])
def test_sqlmesh_names_the_process_that_holds_the_database(project: Project, how: str) -> None:
    with held(project.database, how) as holder:
        for command in COMMANDS if how == "writes" else COMMANDS[:1]:
            code, said = project.run("sqlmesh", *command.split())
            assert code == 1, command
            assert said == (
                f"Error: {project.database}: the database is in use by process {holder.pid}. Stop "
                "it (a running `sqlmesh ui`, a notebook, another mesh command) and try again.\n"
            ), command


def test_commands_that_load_no_project_fail_and_name_it_too(project: Project) -> None:
    with held(project.database, "writes") as holder:
        for command in UNLOADED:
            code, said = project.run("sqlmesh", *command.split())
            assert code == 1, command
            assert f"in use by process {holder.pid}. Stop it" in said.splitlines()[-1], command


def test_mesh_names_it_too_where_it_only_looks(project: Project) -> None:
    with held(project.database, "reads") as holder:
        code, said = project.run("mesh", "status", "dev")
    assert code == 2
    assert f"the database is in use by process {holder.pid}. Stop it" in " ".join(said.split())


def test_what_needs_no_database_works_while_it_is_held(project: Project) -> None:
    with held(project.database, "writes"):
        assert project.run("sqlmesh", "lint")[0] == 0


def test_a_database_that_cannot_be_opened_is_not_an_empty_one(project: Project) -> None:
    whole = project.database.read_bytes()
    for content, reason in (
        (whole[:100_000], "the database is damaged or cut off. Move it away and"),
        (b"movieId,title,genres\n" * 1000, "this is not a DuckDB file of a version that can be"),
        (None, "the database cannot be opened: "),
    ):
        project.database.unlink()
        if content is None:
            project.database.mkdir()
        else:
            project.database.write_bytes(content)
        for command in COMMANDS:
            code, said = project.run("sqlmesh", *command.split())
            assert code == 1 and "nitializ" not in said, said
            assert f"Error: {project.database}: {reason}" in said


def test_prods_views_lie_in_a_second_file_when_they_do_in_bigquery(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("", "warehouse"), ("_PROD", "prod-views")):
        monkeypatch.setenv(f"MESH_BIGQUERY{name}_PROJECT", value)
    config = load_configs(None, Config, [ROOT])[ROOT]
    connection = config.gateways["duckdb"].connection
    assert connection.catalogs == {
        "mesh": str(project.database),
        "prod-views": f"{project.database}.prod",
    }
    with (
        held(project.database, "reads") as holder,
        pytest.raises(WrongUse, match=f"in use by process {holder.pid}"),
        writing(PROJECT),
    ):
        pass


# --- `mesh` beside readers


def test_a_reader_does_not_stop_an_ingest_or_a_refresh(
    project: Project, deliveries: list[Path]
) -> None:
    for command in (("ingest", str(deliveries[1])), ("refresh", "dev")):
        with held(project.database, "reads") as holder:
            code, said = project.run("mesh", *command)
            assert code == 0, said
            assert holder.ask(INGESTS) == ("1" if command[0] == "ingest" else "2")
        assert project.beside == ["mesh.duckdb"]
    assert project.count(INGESTS) == 2
    code, said = project.run("mesh", "refresh", "dev")
    assert (code, said) == (0, f"Writes to {project.database}.\ndev was up to date.\n")


def test_a_refresh_is_in_the_file_alone(project: Project, deliveries: list[Path]) -> None:
    assert project.run("mesh", "ingest", str(deliveries[1]))[0] == 0
    assert project.run("mesh", "refresh", "dev")[0] == 0
    assert project.beside == ["mesh.duckdb"]
    project.database.rename(project.database.with_name("backup.duckdb"))
    backup = project.database.with_name("backup.duckdb")
    assert project.run("mesh", "refresh", "dev", MESH_DUCKDB=str(backup)) == (
        0,
        f"Writes to {backup}.\ndev was up to date.\n",
    )


def test_a_writer_is_named(project: Project, deliveries: list[Path]) -> None:
    with held(project.database, "writes") as holder:
        for command in (("ingest", str(deliveries[1])), ("refresh", "dev"), ("demo",)):
            code, said = project.run("mesh", *command)
            assert code == 2
            flat = " ".join(said.split())
            assert f"the database is in use by process {holder.pid}. Stop it" in flat
    assert project.beside == ["mesh.duckdb"]


def test_a_command_that_fails_beside_readers_changes_no_byte(
    project: Project, deliveries: list[Path], tmp_path: Path
) -> None:
    shutil.copytree(deliveries[1], tmp_path / "broken")
    ratings = tmp_path / "broken" / "ratings.csv"
    ratings.write_text(ratings.read_text().replace(",", ";"))
    before = project.database.read_bytes()
    with held(project.database, "reads"):
        assert project.run("mesh", "ingest", str(tmp_path / "broken"))[0] != 0
        assert project.run("mesh", "refresh", "nowhere")[0] == 2
    assert project.database.read_bytes() == before
    assert [name for name in project.beside if name != "rejected"] == ["mesh.duckdb"]


def test_a_command_that_is_killed_leaves_the_old_or_the_new(
    project: Project, deliveries: list[Path]
) -> None:
    copy = working_copy(project.database)
    ingests = 1
    for number, later in enumerate((0.0, 0.05, 0.1, 0.2, 0.4, 0.8)):
        with held(project.database, "reads"):
            process = project.start("mesh", "ingest", str(deliveries[1 - number % 2]))
            while process.poll() is None and not copy.exists():
                time.sleep(0.002)
            time.sleep(later)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            assert not log_of(project.database).exists()
            assert project.count(INGESTS) in (ingests, ingests + 1)
            ingests = project.count(INGESTS)
    with held(project.database, "reads"):
        assert project.run("mesh", "ingest", str(deliveries[0]), "--append")[0] == 0
    assert project.beside == ["mesh.duckdb"]


def test_a_second_operator_is_refused_and_nobody_else_writes_meanwhile(
    project: Project, deliveries: list[Path]
) -> None:
    with held(project.database, "reads"), writing(PROJECT):
        assert PROJECT.database == working_copy(project.database)
        code, said = project.run("mesh", "ingest", str(deliveries[1]))
        assert code == 2
        assert " ".join(said.split()) == (
            f"error: {project.database}: process {os.getpid()} is writing to the database. Wait "
            "until that `mesh` command is done, and try again."
        )
        code, said = project.run("sqlmesh", "environments")
        assert code == 1 and "the database is in use by process" in said
    assert PROJECT.database == project.database
    assert project.run("mesh", "ingest", str(deliveries[1]))[0] == 0


def test_changes_that_a_killed_process_left_beside_the_database_are_not_lost(
    project: Project, deliveries: list[Path]
) -> None:
    killed = (
        "import os, sys, duckdb; connection = duckdb.connect(sys.argv[1]);"
        "connection.execute('CREATE TABLE left_over AS SELECT 1 AS one'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", killed, str(project.database)], check=False)
    assert log_of(project.database).exists()
    with held(project.database, "reads"):
        code, said = project.run("mesh", "ingest", str(deliveries[1]))
    assert code == 2
    assert " ".join(said.split()) == (
        f"error: {project.database}: a process that was killed left changes beside the database, "
        "in mesh.duckdb.wal, and others read it. Close what reads it (notebooks, dashboards) "
        "once, and try again."
    )
    assert project.run("mesh", "ingest", str(deliveries[1]))[0] == 0
    assert project.count("SELECT one FROM left_over") == 1
    assert project.beside == ["mesh.duckdb"]


def test_a_copy_that_cannot_be_made_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*paths: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.shutil, "copyfile", full)
    with held(project.database, "reads"), pytest.raises(WrongUse) as caught, writing(PROJECT):
        pass
    assert str(caught.value) == (
        f"{working_copy(project.database)}: others read the database, and the copy to write to "
        "cannot be made: No space left on device. Make room, or close what reads the database, "
        "and try again."
    )


def test_a_database_that_is_written_to_while_it_is_copied_is_not_lost(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    copyfile = shutil.copyfile

    def slowly(database: Path, copy: Path) -> None:
        copyfile(database, copy)
        os.utime(database)

    monkeypatch.setattr(module.shutil, "copyfile", slowly)
    with held(project.database, "reads"), pytest.raises(WrongUse) as caught, writing(PROJECT):
        pass
    assert str(caught.value) == (
        f"{project.database}: the database was written to while it was copied. Try again."
    )


def test_a_copy_that_is_still_in_use_does_not_take_the_place(project: Project) -> None:
    before = project.database.read_bytes()
    with held(project.database, "reads"), pytest.raises(WrongUse) as caught, writing(PROJECT):
        copy = duckdb.connect()
        copy.execute(f"ATTACH '{PROJECT.database}' AS mesh")
        copy.execute("CREATE TABLE mesh.main.late AS SELECT 1 AS one")
    copy.close()
    assert str(caught.value) == (
        f"{project.database}: the copy that was written to is still in use, so nothing was "
        "changed. Close what reads the database, and try again."
    )
    assert project.database.read_bytes() == before


def test_errors_name_the_database_and_not_its_copy(project: Project) -> None:
    with held(project.database, "reads"), pytest.raises(WrongUse) as caught, writing(PROJECT):
        raise WrongUse("no.", where=Location(PROJECT.database))
    assert str(caught.value) == f"{project.database}: no."


def test_on_bigquery_the_database_is_nobodys_concern(project: Project) -> None:
    with held(project.database, "writes"), writing(PROJECT, "bigquery"):
        assert PROJECT.database == project.database


@pytest.mark.parametrize("kind", [duckdb.IOException, duckdb.TransactionException])
def test_a_full_disk_is_said_with_what_to_do(tmp_path: Path, kind: type[duckdb.Error]) -> None:
    """Whatever DuckDB was doing when it noticed."""
    said = r"mesh.duckdb: the disk is full\. Make room"
    with pytest.raises(WrongUse, match=said), readable_errors(tmp_path / "mesh.duckdb"):
        raise kind('Failed to commit: Could not write file "x.wal": No space left on device')
