"""A Python that has imported the libraries, and forks itself for each command it is asked to run.

    python -P tests/fork_server.py SOCKET

Most commands of the tests are over sooner than SQLMesh is imported. A fork of this process is one
of its own as any other, with its arguments, folder, environment and exit code. It has imported
nothing of `mesh`, and not SQLMesh's command line, which asks for the folder when it is imported.
`processes.py` asks; the server ends with the process that began it.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import select
import socket
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module

import importlib_metadata

LIBRARIES = (
    *("sqlmesh.core.context", "pandas"),
    *("sqlmesh.core.table_diff", "sqlmesh.core.test", "sqlmesh.core.linter.rules.builtin"),
    *("IPython", "pytest", "time_machine", "zetasql", "wasmtime", "tomllib"),
    *("typer.core", "rich.progress", "open_data_contract_standard.model", "yaml", "jsonschema"),
    *("sqlmesh.core.config.loader", "sqlglot.lineage", "sqlglot.optimizer"),
)


def served(address: str) -> Callable[[], object]:
    """What a fork is to run; the server itself does not return."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        print("ready", flush=True)
        while listening in select.select([listening, sys.stdin], [], [])[0]:
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                return waited_for(connection)
            connection.close()
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
        os._exit(0)


def waited_for(connection: socket.socket) -> Callable[[], object]:
    """In a fork of the fork what to run; the fork itself tells its process id and its exit code."""
    request, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    child = os.fork()
    if child:
        connection.sendall(f"{child}\n".encode())
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        connection.sendall(f"{code}\n".encode())
        os._exit(0)
    connection.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    return prepared(**json.loads(request))


def prepared(command: list[str], cwd: str, env: dict[str, str]) -> Callable[[], object]:
    """Make this process as one that begins with a command: a script, or `python -m` or `-c`."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    added = [path for path in env.get("PYTHONPATH", "").split(os.pathsep) if path]
    program, *words = command
    if program != sys.executable:
        sys.argv = command
        sys.path[:0] = [os.path.dirname(program), *added]  # noqa: PTH120
        return lambda: runpy.run_path(program, run_name="__main__")
    how, what, *rest = words
    sys.argv = [how, *rest]
    sys.path[:0] = [cwd if how == "-m" else "", *added]
    if how == "-m":
        return lambda: runpy.run_module(what, run_name="__main__", alter_sys=True)
    return lambda: exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    for library in LIBRARIES:
        import_module(library)
    # SQLMesh walks all installed packages for each plan.
    found = cache(importlib_metadata.packages_distributions)
    found()
    importlib_metadata.packages_distributions = found
    gc.collect()
    gc.freeze()
    served(sys.argv[1])()
