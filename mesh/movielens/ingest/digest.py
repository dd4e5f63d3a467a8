"""The checksum of a delivery: the same files give the same, in a folder or zipped."""

from __future__ import annotations

import hashlib

from mesh.movielens.ingest.source import Delivery


def checksum(delivery: Delivery) -> str:
    """One SHA-256 over the contents of all files, as hexadecimal digits.

    A file is known by its table, and the parts of one by their order: its name may be written in
    several ways.
    """
    whole = hashlib.sha256()
    for files in delivery.files:
        for path in files.paths:
            with path.open("rb", buffering=0) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            whole.update(f"{files.table.name} {digest}\n".encode())
    return whole.hexdigest()
