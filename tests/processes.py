"""Commands of the project's environment as processes of their own, without importing what is
imported already: see `fork_server.py`."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

BIN = Path(sys.executable).parent
SERVER = Path(__file__).parent / "fork_server.py"
# What Python and the libraries read when they begin: a server for each that is asked for.
READ_AT_FIRST = ("HOME", "LANG", "MAX_FORK_WORKERS", "PYTHONUTF8", "SQLMESH_HOME", "TZ")


def run(
    *command: str, cwd: Path, env: Mapping[str, str], timeout: float = 240, check: bool = False
) -> subprocess.CompletedProcess[str]:
    """What `subprocess.run` says of a command, such as `mesh status` or `python -c …`."""
    program = shutil.which(command[0], path=str(BIN)) or command[0]
    words = [program, *command[1:]]
    if Path(program).parent != BIN or (program == sys.executable and words[1] not in ("-m", "-c")):
        return subprocess.run(
            words, cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout, check=check
        )
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        code = _forked(words, cwd, env, timeout, (out.fileno(), err.fileno()))
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode().replace("\r\n", "\n"))
    done = subprocess.CompletedProcess(words, code, *texts)
    if check:
        done.check_returncode()
    return done


def _forked(
    words: list[str], cwd: Path, env: Mapping[str, str], timeout: float, streams: tuple[int, int]
) -> int:
    first = tuple((name, env[name]) for name in READ_AT_FIRST if name in env)
    request = json.dumps({"command": words, "cwd": str(cwd), "env": dict(env)}).encode()
    with socket.socket(socket.AF_UNIX) as asked, open(os.devnull) as nothing:  # noqa: PTH123
        asked.connect(_server(first))
        socket.send_fds(asked, [request], [nothing.fileno(), *streams])
        with asked.makefile() as answer:
            process = int(answer.readline())
            asked.settimeout(timeout)
            try:
                return int(answer.readline())
            except TimeoutError:
                os.kill(process, signal.SIGKILL)
                raise subprocess.TimeoutExpired(words, timeout) from None


@cache
def _server(first: tuple[tuple[str, str], ...]) -> str:
    """The address of a server that has begun with these variables."""
    folder = tempfile.mkdtemp(prefix="forks")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    address = f"{folder}/socket"
    kept = {name: value for name, value in os.environ.items() if name not in READ_AT_FIRST}
    kept.pop("PYTHONPATH", None)
    server = subprocess.Popen(
        [sys.executable, "-P", str(SERVER), address],
        env={**kept, **dict(first), "SQLMESH__DISABLE_ANONYMIZED_ANALYTICS": "true"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdout
    assert server.stdout.readline() == b"ready\n"
    atexit.register(server.communicate)
    return address
