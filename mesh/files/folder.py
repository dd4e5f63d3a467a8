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
    been = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        folders[:] = [name for name in folders if not name.startswith(".") and real not in been]
        if real not in been:
            yield from (Path(here, name) for name in names if not name.startswith("."))
        been.add(real)


def strays(folder: Path, read: Collection[Path], call_it: str) -> Iterator[Problem]:
    """What is not read and has a name as if it were YAML. call_it: what its name should be."""
    for path in files_in(folder):
        if _YAML.search(path.name) and path not in read:
            message = f"`{shown(path.relative_to(folder))}` is not read by anything here."
            yield Problem(path, 1, "FILE_NAME", message, f"Call it {call_it}, or move it away.")
