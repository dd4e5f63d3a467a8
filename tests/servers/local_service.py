"""What the scripts that start a server for tests share: a state file, and stopping by pid.

One instance is one state directory. `state.json` in it says what runs there: its pid, when that
process started (so that a pid that was given to another process since is never signalled), its
ports, and which directories go away with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache"
STATE_FILE = "state.json"
LOG_LINES_SHOWN = 15


class ServiceError(Exception):
    """One sentence for the person at the terminal; the script ends with exit code 1."""


def process_started(pid: int) -> str | None:
    """When the process started, as `ps` writes it; None when there is no such process."""
    # A child that ended but was not waited for is still listed; it is gone all the same.
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    if len(shown) < 2 or shown[0].startswith("Z"):
        return None
    return shown[1].strip()


def read_state(state_dir: Path) -> dict | None:
    """The state of the instance that runs in `state_dir`; None when none does."""
    try:
        state = json.loads((state_dir / STATE_FILE).read_text())
    except FileNotFoundError:
        return None
    return state if process_started(state["pid"]) == state["process_started"] else None


def write_state(state_dir: Path, state: dict) -> dict:
    """Record the running instance. Only its owner may read it: it can hold a password."""
    state = {**state, "process_started": process_started(state["pid"])}
    path = state_dir / STATE_FILE
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file, indent=2)
    return state


def free_port() -> int:
    """A loopback port that is free now; another process can still be faster to take it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def last_lines(log: Path) -> str:
    """The end of a server's log, for the message that says it did not start."""
    return _end(log.read_text(errors="replace") if log.exists() else "")


def _end(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines()[-LOG_LINES_SHOWN:])


def end_process(pid: int, first: signal.Signals, *, patience: float = 15.0) -> None:
    """Ask a process to end, insist after `patience` seconds, return when it is gone."""
    started = process_started(pid)
    for signal_number, seconds in ((first, patience), (signal.SIGKILL, 5.0)):
        if started is None or process_started(pid) != started:
            return
        os.kill(pid, signal_number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            # When this process is the parent, the ended child has to be collected.
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            if process_started(pid) != started:
                return
            time.sleep(0.05)
    raise ServiceError(f"process {pid} does not end.")


def stop(state_dir: Path, first: signal.Signals) -> bool:
    """Stop the instance of `state_dir` and remove its data; False when none runs."""
    state = read_state(state_dir)
    if state is not None:
        end_process(state["pid"], first)
    with contextlib.suppress(FileNotFoundError):
        for directory in json.loads((state_dir / STATE_FILE).read_text())["remove"]:
            shutil.rmtree(directory, ignore_errors=True)
        (state_dir / STATE_FILE).unlink()
    return state is not None


@contextlib.contextmanager
def installing(directory: Path) -> Iterator[None]:
    """Let one process at a time install into `directory`; the others wait for it."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def step(
    what: str, *command: str, env: dict[str, str] | None = None, cwd: Path | None = None
) -> None:
    """Run a step; a failing one is told with the last lines that it wrote."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=env)
    if done.returncode:
        raise ServiceError(f"{what} failed:\n{_end((done.stderr or done.stdout).strip())}")


def python_environment(name: str, requirements: Path) -> Path:
    """The Python of an environment of its own, made once for each version of the requirements."""
    environment = CACHE / f"{name}-venv"
    python, stamp = environment / "bin" / "python", environment / "requirements.sha256"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    with installing(CACHE / name):
        if python.exists() and stamp.exists() and stamp.read_text() == wanted:
            return python
        print(f"installing {name}", file=sys.stderr, flush=True)
        if not python.exists():
            venv.create(environment, clear=True, with_pip=True)
        stamp.unlink(missing_ok=True)
        uv = shutil.which("uv") or shutil.which("uv", path=str(CACHE.parent / ".venv" / "bin"))
        pip = (
            (uv, "pip", "install", "--quiet", "--python", str(python))
            if uv
            else (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        )
        requirement = ("--requirement", str(requirements))
        step(f"installing {name}", *pip, *requirement, cwd=CACHE.parent)
        stamp.write_text(wanted)
    return python


def show(state: dict, as_json: bool, variables: dict[str, str]) -> None:
    """Print a running instance: all of its state as JSON, or the variables to export."""
    if as_json:
        print(json.dumps(state))
        return
    print(f"running, pid {state['pid']}")
    for name, value in variables.items():
        print(f"export {name}={value}")


def run(main) -> None:
    """Run a script's `main`, turning a ServiceError into one message and exit code 1."""
    try:
        raise SystemExit(main())
    except ServiceError as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        raise SystemExit(1) from None
