"""`mesh ingest` against a bare DuckDB CREATE TABLE AS SELECT of the same three files.

    python tests/benchmarks/ingest.py --users 40000 --users 160000

Both run in processes of their own, in turn, on two threads; the best time of each counts. Peak
memory is that of the process. The project's target: at most 2 times the time, under 4 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("movies", "ratings", "tags")
SEED = 25


def bare(source: Path, database: Path) -> None:
    """The least that one can do: no check, no record, not atomic."""
    import duckdb

    with duckdb.connect(str(database), config={"threads": 2}) as connection:
        for table in TABLES:
            file = source / f"{table}.csv"
            connection.execute(f"CREATE TABLE {table} AS SELECT * FROM read_csv('{file}')")


def ours(source: Path, database: Path) -> None:
    """The command, its start included."""
    from mesh.cli.main import run

    os.environ["MESH_DUCKDB"] = str(database)
    try:
        run(["ingest", str(source), "--json"])
    except SystemExit as end:
        if end.code:
            raise


def measure(way: str, source: Path, folder: Path) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and peak gigabytes of one run in a process of its own."""
    database = folder / f"{way}.duckdb"
    for path in (database, Path(f"{database}.wal")):
        path.unlink(missing_ok=True)
    command = [sys.executable, __file__, "--run", way, str(source), str(database)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise SystemExit(done.stderr)
    return tuple(json.loads(done.stdout.splitlines()[-1]))


def run_one(way: str, source: str, database: str) -> None:
    started = time.perf_counter()
    {"bare": bare, "ours": ours}[way](Path(source), Path(database))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = time.perf_counter() - started
    print(json.dumps([seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024**2]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, action="append")
    parser.add_argument("--source", type=Path, help="measure this folder instead")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        run_one(*arguments.run)
        return
    with tempfile.TemporaryDirectory(prefix="mesh-benchmark-") as name:
        folder = Path(name)
        if arguments.source:
            compare(arguments.source, folder, arguments.rounds, str(arguments.source))
            return
        from mesh.movielens.generate import generate

        for users in arguments.users or [40_000, 160_000]:
            source = folder / str(users)
            generate(source, users, SEED)
            compare(source, folder, arguments.rounds, f"{users:,} users")


def compare(source: Path, folder: Path, rounds: int, title: str) -> None:
    runs: dict[str, list[tuple[float, float, float]]] = {"bare": [], "ours": []}
    for _ in range(rounds):
        for way, found in runs.items():
            found.append(measure(way, source, folder))
    best = {way: min(found) for way, found in runs.items()}
    print(title)
    for way, (seconds, processor, memory) in best.items():
        print(f"  {way}: {seconds:6.2f} s, processor {processor:6.2f} s, peak {memory:.2f} GB")
    print(f"  ratio: {best['ours'][0] / best['bare'][0]:.2f} (target: at most 2)", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
