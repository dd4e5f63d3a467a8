"""When each version of a contract came, as git remembers it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mesh.errors import WrongUse
from mesh.git import run_git
from mesh.project import real

_VERSION = re.compile(r"^version:\s*['\"]?([^\s'\"#]+)", re.MULTILINE)
_FIELDS = "%H%x09%cs%x09%s"
# Enough for years of a contract; each costs one look into git.
COMMITS_LOOKED_AT = 200


@dataclass(frozen=True)
class Release:
    """The first commit that carried a version; date: YYYY-MM-DD. commit is empty before one."""

    version: str
    date: str
    commit: str
    subject: str


def history(path: Path) -> tuple[Release, ...]:
    """The versions of a contract, newest first; empty when git does not know the file."""
    folder = real(path).parent
    try:
        log = run_git(
            folder, "log", f"-{COMMITS_LOOKED_AT}", f"--format={_FIELDS}", "--", path.name
        )
    except WrongUse:
        return ()
    if log.returncode:
        return ()
    releases: dict[str, Release] = {}
    for line in log.stdout.decode(errors="replace").splitlines():
        commit, date, subject = [*line.split("\t", 2), "", ""][:3]
        shown = run_git(folder, "show", f"{commit}:./{path.name}")
        version = _VERSION.search(shown.stdout.decode(errors="replace"))
        if shown.returncode == 0 and version:
            # Newest first: what is written last for a version is its oldest commit.
            releases.pop(version[1], None)
            releases[version[1]] = Release(version[1], date, commit[:10], subject)
    return tuple(releases.values())
