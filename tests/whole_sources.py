"""Sources that lack nothing, as files and as zips, and the command that reads them."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.deliveries import write

TEXTS = {
    "movies": "movieId,title,genres\n1,Toy Story (1995),Comedy\n",
    "ratings": "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n",
    "tags": "userId,movieId,tag,timestamp\n1,1,fun,964982703\n",
}
CSVS = {f"{name}.csv": text for name, text in TEXTS.items()}


def deliver(folder: Path, **texts: str | bytes) -> Path:
    return write(folder, **{**TEXTS, **texts})


def zipped(path: Path, entries: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in entries.items():
            packed.writestr(name, text)
    return path


def run(*arguments: str, database: Path, limit: int | None = None, **options):
    """`mesh` in a process of its own, with at most `limit` bytes per file that it writes."""
    code = f"from mesh.cli.main import run; run({list(arguments)!r})"

    def limited() -> None:
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited,
        env={**os.environ, "MESH_DUCKDB": str(database)},
        **options,
    )
