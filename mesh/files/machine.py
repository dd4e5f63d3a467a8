"""What the machine refuses (disk full, no permission), as a sentence for a person."""

from __future__ import annotations

import errno
from pathlib import Path

from mesh.database import MAKE_ROOM
from mesh.errors import Location, WrongUse

_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
_OTHERS = (errno.EIO, errno.ELOOP, errno.ENAMETOOLONG, errno.EMFILE)


def is_of_machine(error: OSError) -> bool:
    """Whether it says how things stand with the machine, and not that a program is wrong."""
    return error.errno in (*_FULL, *_REFUSED, *_OTHERS)


def said_by_machine(
    error: OSError, source: Path | None = None, target: Path | None = None, *, after: str = ""
) -> WrongUse:
    """source, target: what it is about where it does not say so, when reading or when the disk is
    full. after: a sentence on how things are now."""
    rest = f" {after}" if after else ""
    named = Path(error.filename) if isinstance(error.filename, str) else source
    if error.errno in _FULL:
        full = target or named
        return WrongUse(
            f"the disk is full.{rest}", where=Location(full) if full else None, fix=MAKE_ROOM
        )
    where = Location(named) if named else None
    if isinstance(error, PermissionError):
        return WrongUse(
            "permission denied.", where=where, fix="Give yourself access, or take another path."
        )
    reason = (error.strerror or str(error) or type(error).__name__).lower()
    return WrongUse(
        f"this cannot be used: {reason}.", where=where, fix="Check the path, then run again."
    )
