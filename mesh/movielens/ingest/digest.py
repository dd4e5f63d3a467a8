"""The checksum of a delivery: the same files give the same, in a folder or zipped."""

from __future__ import annotations

import hashlib

from mesh.movielens.ingest.source import Delivery


def checksum(delivery: Delivery) -> str:
    """One SHA-256 over the contents of all files, as hexadecimal digits."""
    whole = hashlib.sha256()
    for files in delivery.files:
        for path, name in zip(files.paths, files.names, strict=True):
            with path.open("rb", buffering=0) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            whole.update(f"{name} {digest}\n".encode())
    return whole.hexdigest()
