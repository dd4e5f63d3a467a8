"""The checksum of a delivery: the same files give the same, in a folder or zipped."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mesh.movielens.ingest.source import Delivery

BLOCK = 1 << 22


def checksum(delivery: Delivery) -> str:
    """One SHA-256 over the contents of all files, as hexadecimal digits."""
    whole = hashlib.sha256()
    for files in delivery.files:
        for path, name in zip(files.paths, files.names, strict=True):
            whole.update(f"{name} {_file_digest(path)}\n".encode())
    return whole.hexdigest()


def _file_digest(path: Path) -> str:
    digest = hashlib.sha256()
    buffer = bytearray(BLOCK)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(view[:count])
    return digest.hexdigest()
