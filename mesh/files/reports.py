"""Files that a report is written to: whether they can be is said before the work, not after it."""

from __future__ import annotations

import os
from pathlib import Path

from mesh.errors import Location, WrongUse


def check_writable(path: Path) -> None:
    """Raise WrongUse when the file cannot be written."""
    folder = path.parent
    if path.is_dir():
        raise _refused(path, "it is a folder")
    if not folder.is_dir():
        raise _refused(path, f"there is no folder {folder}")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise _refused(path, "you may not write there")


def write_report(path: Path, text: str) -> None:
    """Write the file; WrongUse when it cannot be written after all."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _refused(path, (error.strerror or str(error)).lower()) from error


def _refused(path: Path, why: str) -> WrongUse:
    return WrongUse(
        f"The report cannot be written: {why}.",
        where=Location(path),
        fix="Name a file in a folder that is there.",
    )
