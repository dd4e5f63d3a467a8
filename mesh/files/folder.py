"""What lies in a folder: the files that are read, and those that only look so."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from mesh.files.problems import Problem, shown

_YAML = re.compile(r"\.ya?ml(?![a-z0-9])", re.IGNORECASE)


def files_in(folder: Path) -> Iterator[Path]:
    """All files of a folder and of those in it, also behind links; nothing that is hidden."""
    return (path for files, _ in _walk(folder) for path in files)


def _walk(folder: Path) -> Iterator[tuple[list[Path], list[Path]]]:
    """The files and the folders of each folder."""
    been = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        folders[:] = [name for name in folders if not name.startswith(".") and real not in been]
        if real not in been:
            files = [Path(here, name) for name in names if not name.startswith(".")]
            yield files, [Path(here, name) for name in folders]
        been.add(real)


def strays(folder: Path, read: Collection[Path], call_it: str) -> Iterator[Problem]:
    """What is not read and has a name as if it were YAML. call_it: what its name should be.

    Of a folder in the place of a file that is read, whoever reads it says so.
    """
    for files, folders in _walk(folder):
        for path in folders:
            if _YAML.search(path.name) and path not in read:
                message = f"`{shown(path.relative_to(folder))}` is a folder with a file's name."
                yield Problem(path, 1, "FILE_NAME", message, "Call it otherwise, or remove it.")
        for path in files:
            if not _YAML.search(path.name) or path in read:
                continue
            message = f"`{shown(path.relative_to(folder))}` is not read by anything here."
            yield Problem(path, 1, "FILE_NAME", message, f"Call it {call_it}, or move it away.")
