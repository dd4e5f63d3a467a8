"""How long `mesh generate` takes and how much memory, at growing sizes.

python tests/benchmarks/generate.py [USERS …]      by default 40,000 and 160,000
"""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path

from mesh.movielens.generate import generate

DEFAULT_USERS = (40_000, 160_000)


def main() -> None:
    """Generate each size into a temporary folder and print one line for it."""
    sizes = [int(word) for word in sys.argv[1:]] or DEFAULT_USERS
    print(
        f"{'users':>10} {'ratings':>12} {'seconds':>9} {'rows/s':>11} {'cpu s':>8} {'peak MB':>9}"
    )
    for users in sizes:
        before = _cpu_seconds()
        with tempfile.TemporaryDirectory() as folder:
            made = generate(Path(folder), users)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(
            f"{made.users:>10,} {made.ratings:>12,} {made.seconds:>9.1f} "
            f"{made.rows / made.seconds:>11,.0f} {_cpu_seconds() - before:>8.1f} "
            f"{peak / 1024:>9,.0f}"
        )


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
