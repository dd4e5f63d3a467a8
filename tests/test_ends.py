"""How a command ends that is stopped, or whose output nobody can take."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlmesh.core.config import DuckDBConnectionConfig

from mesh.cli import main
from mesh.environments.hooks import install
from mesh.errors import CheckFailed
from mesh.review.models.load import _run
from mesh.review.models.review_worker.facts import Job
from mesh.signals import ending

MESH = Path(sys.executable).parent / "mesh"


@pytest.mark.parametrize("arguments", ["--help", "--version", "review --rules"])
def test_a_full_disk_is_told_as_that(arguments: str) -> None:
    command = f"{MESH} {arguments} >/dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == (
        "error: what the command says cannot be written: No space left on device. Make room, or "
        "send its output elsewhere.\n"
    )


@pytest.mark.parametrize("stream", [">&-", "2>&-"])
def test_a_stream_that_is_closed_changes_nothing_else(stream: str) -> None:
    command = f"{MESH} review --rules {stream}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Who starts the tests in the background, or under `nohup`, has them ignore signals."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in numbers[1:]:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _import_that_is_stopped() -> None:
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt as stopped:
        raise ImportError("initialization failed") from stopped


def _cleaning_that_fails() -> None:
    try:
        raise KeyboardInterrupt
    finally:
        raise OSError(39, "Directory not empty")


def _terminated() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _query_that_is_terminated() -> None:
    try:
        _terminated()
    except SystemExit as ended:
        raise RuntimeError("Query interrupted") from ended


def _model_whose_query_is_stopped() -> None:
    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    raise CheckFailed("shop.orders: Query interrupted")


@pytest.mark.parametrize(
    "work", [_import_that_is_stopped, _cleaning_that_fails, _model_whose_query_is_stopped]
)
def test_ctrl_c_is_no_error_whatever_is_made_of_it(
    work, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "app", lambda **_: work())
    with pytest.raises(SystemExit) as ended:
        main.run(["status"])
    assert ended.value.code == 130
    assert capfd.readouterr().err == "stopped\n"


@pytest.mark.parametrize("work", [_terminated, _query_that_is_terminated])
def test_who_is_terminated_cleans_up_whatever_is_made_of_it(
    work, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "app", lambda **_: work())
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        main.run(["status"])
    assert ended.value.code == 128 + signal.SIGTERM
    assert capfd.readouterr().err == "stopped\n"
    assert signal.getsignal(signal.SIGTERM) is before


LONG = "SELECT SUM(a.range * b.range) FROM RANGE(1000000) AS a, RANGE(100000) AS b"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_query_that_is_stopped_is_no_error_of_its_model(number: signal.Signals) -> None:
    """An error of a model is noted by SQLMesh, which goes on with the next one."""
    install()
    adapter = DuckDBConnectionConfig(connector_config={"threads": 2}).create_engine_adapter()
    adapter.execute("SELECT 1")
    timer = threading.Timer(0.5, os.kill, (os.getpid(), number))
    with ending() as came:
        timer.start()
        with pytest.raises(KeyboardInterrupt if number == signal.SIGINT else SystemExit):
            adapter.execute(LONG)
    # Its other threads have ended as well.
    assert adapter.fetchone("SELECT 1") == (1,)
    assert came == [number]


def test_a_review_that_is_stopped_leaves_no_process(tmp_path: Path) -> None:
    job = Job("head", tmp_path, tmp_path / "head.json", tmp_path / "base.json")
    with pytest.raises(KeyboardInterrupt), _run(job, tmp_path / "x.duckdb", tmp_path) as process:
        assert process.poll() is None
        raise KeyboardInterrupt
    assert process.returncode == -signal.SIGKILL
