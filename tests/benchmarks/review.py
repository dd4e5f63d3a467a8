"""How long a review takes: the contract diff alone, and the whole review without a data diff.

    python tests/benchmarks/review.py

Targets on two cores: the contract diff under 2 seconds, the review under 20, SQLMesh loaded twice.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMITS = {"contracts diff": 2.0, "review": 20.0}


def run(folder: Path, *words: str) -> tuple[float, float]:
    """Wall and processor seconds of one `mesh` command in a clone."""
    before, started = os.times(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", "from mesh.cli.main import run; run()", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "MESH_DUCKDB": str(folder / "none.duckdb")},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    after = os.times()
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    used = after.children_user + after.children_system
    return seconds, used - before.children_user - before.children_system


def main() -> None:
    """Clone the project, widen one range, and take the best of three runs of each command."""
    with tempfile.TemporaryDirectory(prefix="review-benchmark-") as scratch:
        clone = Path(scratch) / "clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        file = clone / "contracts/interactions/user_actions.odcs.yaml"
        file.write_text(file.read_text().replace("{minimum: 1}", "{minimum: 0}", 1))
        for name, words in (
            ("contracts diff", ("contracts", "diff", "HEAD", ".")),
            ("review", ("review", "--base", "HEAD")),
        ):
            runs = [run(clone, *words) for _ in range(3)]
            wall, processor = min(runs)
            print(f"{name:<16}{wall:6.1f} s wall {processor:6.1f} s processor", end="   ")
            print(f"target {LIMITS[name]:.0f} s: {'met' if wall < LIMITS[name] else 'MISSED'}")


if __name__ == "__main__":
    main()
