"""Run a command of this environment with the bridges to the emulator in place.

usage: python -m tests.bigquery.bridged mesh|sqlmesh [ARGUMENT ...]
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

from tests.bigquery import bridges


def main() -> None:
    """Run the console script named by the first argument as its own program would run."""
    command = sys.argv[1]
    (script,) = entry_points(group="console_scripts", name=command)
    sys.argv = [command, *sys.argv[2:]]
    bridges.install()
    sys.exit(script.load()())


if __name__ == "__main__":
    main()
