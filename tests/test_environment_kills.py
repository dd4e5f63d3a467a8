"""Real processes killed with SIGKILL: nobody ever sees half of a change.

MESH_KILLS: how many processes are killed; MESH_FIRST_SEED: the number of the first.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from scene import Scene, Shown, begin, copied, shown
from scene_hands import deliver_late

from mesh.movielens.ingest import ingest

KILLS = int(os.environ.get("MESH_KILLS", "6"))
FIRST = int(os.environ.get("MESH_FIRST_SEED", "0"))
COMMANDS = {
    "mesh ingest": ("mesh", "ingest", "SOURCE", "--append"),
    "sqlmesh plan prod": (
        *("sqlmesh", "plan", "prod", "--auto-apply", "--no-prompts", "--skip-tests"),
    ),
    "sqlmesh run prod": ("sqlmesh", "run", "prod"),
    "mesh refresh prod": ("mesh", "refresh", "prod"),
    "mesh promote acceptance prod": ("mesh", "promote", "acceptance", "prod"),
    "mesh rollback prod": ("mesh", "rollback", "prod"),
}
# Kills itself before a statement by number, or so many seconds after the first.
KILLED = """
import os, signal, sys, threading, time
import duckdb
from sqlmesh.core.engine_adapter.base import EngineAdapter

kind, amount, program, *words = sys.argv[1:]
left = float(amount)
timer = None

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def after():
    time.sleep(left)
    die()

def statement():
    global left, timer
    if kind == "statements":
        left -= 1
        if left < 0:
            die()
    elif timer is None:
        timer = threading.Thread(target=after, daemon=True)
        timer.start()

class Counted:
    def __init__(self, connection):
        self._connection = connection

    def execute(self, *args, **kwargs):
        statement()
        return self._connection.execute(*args, **kwargs)

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def __enter__(self):
        self._connection.__enter__()
        return self

    def __exit__(self, *error):
        return self._connection.__exit__(*error)

if "ingest" in words:
    import mesh.movielens.ingest.targets.duckdb as target

    class Module:
        def __getattr__(self, name):
            return getattr(duckdb, name)

        def connect(self, *args, **kwargs):
            return Counted(duckdb.connect(*args, **kwargs))

    target.duckdb = Module()
execute = EngineAdapter._execute

def counted(self, *args, **kwargs):
    statement()
    return execute(self, *args, **kwargs)

EngineAdapter._execute = counted
sys.argv = [program, *words]
if program == "mesh":
    from mesh.cli.main import run
    run()
else:
    from sqlmesh.cli.main import cli
    cli()
"""


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Prod shows version B of the first delivery and was of version A; acceptance shows A of the
    second."""
    base = tmp_path_factory.getbasetemp()
    scene = copied(begin(base / "few"), base / "ready")
    scene.plan("prod", "B")
    deliver_late(scene)
    scene.refresh("acceptance")
    scene.check(whole=False)
    return scene


def cases() -> list:
    """Commands in turn, each to be killed in one of the two ways, at a random moment."""
    found = []
    for seed in range(FIRST, FIRST + KILLS):
        chance = random.Random(seed)
        command = list(COMMANDS)[seed % len(COMMANDS)]
        # Most of what a command does is over after so many statements, or seconds.
        many, long = (60, 0.4) if "ingest" in command else (200, 3)
        if "promote" in command or "rollback" in command:
            many, long = 100, 1
        kind = ("statements", "seconds")[(seed + seed // len(COMMANDS)) % 2]
        amount = chance.randrange(many) if kind == "statements" else chance.random() * long
        found.append(pytest.param(command, kind, amount, id=f"{seed}-{command}-{kind}"))
    return found


@pytest.mark.parametrize(("command", "kind", "amount"), cases())
def test_a_killed_command_leaves_the_old_or_the_new(
    ready: Scene, tmp_path: Path, command: str, kind: str, amount: float
) -> None:
    scene = copied(ready, tmp_path)
    old = shown(scene.database)
    if command == "mesh ingest":
        # Not a stale copy of what was delivered: two more late ratings.
        scene.audience.rate(33, 9)
        scene.audience.rate(34, 9)
    source = scene.audience.deliver(tmp_path / "next")
    code = killed(scene, command, kind, amount, source)
    assert code in (0, -signal.SIGKILL)
    seen = shown(scene.database)
    assert seen["acceptance"] == old["acceptance"]
    assert seen.keys() == old.keys()
    if command == "mesh rollback prod" and seen["prod"] != old["prod"]:
        # It is over, and a second one goes forward again.
        scene.now_is("prod", Shown("A", 1))
        assert seen["prod"] == scene.check(whole=False)["prod"], f"half of {command}"
        scene.rollback("prod")
        assert scene.check(whole=False)["prod"] == old["prod"]
        return
    again(scene, command, source)
    found = scene.check(whole=False)
    assert seen["prod"] in (old["prod"], found["prod"]), f"half of {command}"
    if code == 0 and command != "mesh ingest":
        assert seen["prod"] == found["prod"]


def killed(scene: Scene, command: str, kind: str, amount: float, source: Path) -> int:
    """The exit code of a command that is killed at a moment, unless it has ended by then."""
    copy = scene.versions["C"]
    words = [str(source) if word == "SOURCE" else word for word in COMMANDS[command]]
    return subprocess.run(
        [sys.executable, "-c", KILLED, kind, str(amount), *words],
        cwd=copy.root,
        # Workers that SQLMesh forks would outlive it, and hold what it writes to.
        env={**copy.environment, "MESH_DUCKDB": str(scene.database), "MAX_FORK_WORKERS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=500,
    ).returncode


def again(scene: Scene, command: str, source: Path) -> None:
    """The same command, not killed."""
    if command == "mesh ingest":
        # It is the delivery that was killed, or it is there already.
        done = ingest(source, append=True, database=scene.database)
        assert done.ingest_id == 3
        scene.delivered[3] = scene.audience
    elif command == "sqlmesh plan prod":
        scene.plan("prod", "C")
    elif command == "sqlmesh run prod":
        scene.run("prod", "A")
    elif command == "mesh refresh prod":
        scene.refresh("prod")
    elif command == "mesh promote acceptance prod":
        scene.promote("acceptance", "prod")
    else:
        scene.rollback("prod")
