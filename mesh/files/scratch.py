"""Folders for a run's own files, which are gone afterwards, also when the run was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def scratch(kind: str) -> Iterator[Path]:
    """A new folder among the temporary ones, locked as long as it is used.

    kind: the beginning of its name. Folders of that kind that nobody holds any more are swept: what
    used them was killed.
    """
    _sweep(kind)
    folder, lock = _new(kind)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def can_be_written(folder: Path) -> bool:
    """Whether files can be made in a folder; where there is none, whether it can be made."""
    try:
        with tempfile.TemporaryFile(dir=folder if folder.exists() else folder.parent):
            return True
    except OSError:
        return False


def _new(kind: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{kind}-"))
        with suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.is_dir():
                return folder, lock
            # Swept by another run before it was locked.
            os.close(lock)


def _sweep(kind: str) -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{kind}-*"):
        # Another user's folder, another run's that still goes on, or one that is gone by now.
        with suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
