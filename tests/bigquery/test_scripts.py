"""The scripts that start the servers: one instance for each state directory, stopped by pid."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg2
import pytest

SCRIPTS = Path(__file__).resolve().parent.parent / "servers"

pytestmark = pytest.mark.bigquery


def script(name: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(SCRIPTS / name), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )


def state(name: str, directory: Path, command: str = "start") -> dict:
    done = script(name, command, "--state-dir", str(directory), "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_two_instances_run_side_by_side_and_stop_one_by_one(tmp_path, postgres_state):
    first = state("postgres", tmp_path / "first")
    second = state("postgres", tmp_path / "second")
    assert len({first["port"], second["port"], postgres_state.port}) == 3
    assert script("postgres", "stop", "--state-dir", str(tmp_path / "first")).stdout == "stopped\n"
    connection = psycopg2.connect(
        host=second["host"],
        port=second["port"],
        dbname=second["database"],
        user=second["user"],
        password=second["password"],
    )
    connection.close()
    script("postgres", "stop", "--state-dir", str(tmp_path / "second"))
    assert not any(Path(each).exists() for each in first["remove"] + second["remove"])


def test_starting_twice_keeps_the_running_instance(tmp_path, postgres_state):
    started = state("postgres", tmp_path)
    assert state("postgres", tmp_path) == started
    assert state("postgres", tmp_path, "status") == started
    script("postgres", "stop", "--state-dir", str(tmp_path))


def test_status_of_nothing_says_so_and_exits_with_1(tmp_path):
    done = script("bigquery-emulator", "status", "--state-dir", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "not running\n")


@pytest.mark.parametrize("name", ["postgres", "bigquery-emulator"])
def test_stop_never_signals_a_process_that_was_given_the_old_pid(tmp_path, name):
    bystander = subprocess.Popen(["sleep", "60"])
    time.sleep(0.1)
    (tmp_path / "state.json").write_text(
        json.dumps({"pid": bystander.pid, "process_started": "another day", "remove": []})
    )
    done = script(name, "stop", "--state-dir", str(tmp_path))
    assert done.stdout == "not running\n"
    assert bystander.poll() is None
    bystander.terminate()
    bystander.wait()


def test_without_python_3_13_the_message_says_what_to_do(tmp_path):
    # A copy of the scripts has a cache of its own, with nothing installed in it.
    copy = tmp_path / "project" / "tests" / "servers"
    copy.mkdir(parents=True)
    for each in SCRIPTS.iterdir():
        if each.is_file():
            (copy / each.name).write_bytes(each.read_bytes())
    run = [sys.executable, str(copy / "bigquery-emulator")]
    bare = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run([*run, "install"], capture_output=True, text=True, env=bare, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "bigquery-emulator: no Python 3.13 with the venv module found. Install one, or name it in "
        "BIGQUERY_EMULATOR_PYTHON; the emulator runs on no other version.\n"
    )


def test_starting_what_is_not_installed_names_the_command_that_installs_it(tmp_path):
    copy = tmp_path / "project" / "tests" / "servers"
    copy.mkdir(parents=True)
    for each in SCRIPTS.iterdir():
        if each.is_file():
            (copy / each.name).write_bytes(each.read_bytes())
    done = subprocess.run(
        [sys.executable, str(copy / "bigquery-emulator"), "start"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert (
        "not installed, or out of date: run `tests/servers/bigquery-emulator install`"
        in done.stderr
    )
