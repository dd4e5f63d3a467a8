"""How long `mesh generate` takes and how much memory, at growing sizes.

python tests/benchmarks/generate.py [USERS …]      by default 40,000 and 160,000
"""

from __future__ import annotations

import resource
import sys
import tempfile
import threading
from pathlib import Path

from mesh.movielens.generate import generate

DEFAULT_USERS = (40_000, 160_000)


class PeakMemory:
    """The largest sum, seen ten times a second, of what this process and its workers hold."""

    def __init__(self) -> None:
        self.peak_kib = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            self.peak_kib = max(self.peak_kib, _family_kib(Path("/proc/self")))


def _family_kib(process: Path) -> int:
    try:
        status = (process / "status").read_text()
        children = [
            child
            for task in (process / "task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        # The process ended while it was being looked at.
        return 0
    own = next((line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")), "0")
    return int(own) + sum(_family_kib(Path("/proc") / child) for child in children)


def main() -> None:
    """Generate each size into a temporary folder and print one line for it."""
    sizes = [int(word) for word in sys.argv[1:]] or DEFAULT_USERS
    print(
        f"{'users':>10} {'ratings':>12} {'seconds':>9} {'rows/s':>11} {'cpu s':>8} {'peak MB':>9}"
    )
    for users in sizes:
        before = _cpu_seconds()
        with tempfile.TemporaryDirectory() as folder, PeakMemory() as memory:
            made = generate(Path(folder), users)
        print(
            f"{made.users:>10,} {made.ratings:>12,} {made.seconds:>9.1f} "
            f"{made.rows / made.seconds:>11,.0f} {_cpu_seconds() - before:>8.1f} "
            f"{memory.peak_kib / 1024:>9,.0f}"
        )


def _cpu_seconds() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    workers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime


if __name__ == "__main__":
    main()
