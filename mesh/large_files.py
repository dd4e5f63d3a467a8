"""Files that Git LFS keeps: a commit holds a pointer to each, which names its content."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from mesh.git import Checkout

_HEAD = b"version https://git-lfs.github.com/spec/v1\n"
_POINTER = re.compile(re.escape(_HEAD) + rb"(?:.*\n)*?oid sha256:([0-9a-f]{64})\n")
_LONGEST = 1024


def content_of(checkout: Checkout, path: str, committed: bytes) -> Path | bytes | None:
    """What a file holds that is committed so, as a work tree has it; None if that is not here.

    path: from the top of the repository. Where the work tree has a pointer as well, as in a clone
    without Git LFS, it is the pointer.
    """
    found = _POINTER.match(committed) if len(committed) <= _LONGEST else None
    if found is None:
        return committed
    wanted = found[1].decode()
    here = checkout.top / path
    if here.is_file():
        with here.open("rb") as file:
            if file.read(len(_HEAD)) == _HEAD:
                return committed
            file.seek(0)
            if hashlib.file_digest(file, "sha256").hexdigest() == wanted:
                return here
    words = ("rev-parse", "--path-format=absolute", "--git-path", "lfs/objects")
    objects = Path(os.fsdecode(checkout.read("the repository", *words)).rstrip("\n"))
    kept = objects / wanted[:2] / wanted[2:4] / wanted
    return kept if kept.is_file() else None
