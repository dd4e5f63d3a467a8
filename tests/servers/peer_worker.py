"""Runs in the peer's own environment: lint and test of many contracts in one process.

One line per contract: its path, and what the peer says. Exit code 1 when it objects to one.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import os
import sys
import time
from pathlib import Path

from datacontract.data_contract import DataContract

REASONS_SHOWN = 5
# What a check can come to without being an objection; `info` is a remark.
ACCEPTED = frozenset({"passed", "info"})


def ask(contract: Path, with_data: bool) -> tuple[str, list[str]]:
    """What the peer says of a contract, and its objections."""
    started = time.perf_counter()
    # The peer prints what it cannot read; its objections say the same.
    with contextlib.redirect_stdout(io.StringIO()):
        found = DataContract(data_contract_file=str(contract)).lint()
        checks = list(found.checks)
        said = f"lint {found.result.value}"
        if with_data and found.result.value in ACCEPTED:
            tested = DataContract(data_contract_file=str(contract), server="local").test()
            checks += tested.checks
            said += f", test {tested.result.value}: {len(tested.checks)} checks"
            found = tested
    objections = [
        f"{check.name or check.type}: {check.reason or check.result.value}"
        for check in checks
        if check.result and check.result.value not in ACCEPTED
    ]
    if found.result.value not in ACCEPTED and not objections:
        objections = [log.message for log in found.logs][-1:]
    return f"{said} ({time.perf_counter() - started:.1f} s)", objections


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", type=Path)
    parser.add_argument("contracts", nargs="+", type=Path)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if options.database:
        os.environ["MESH_DUCKDB"] = str(options.database)
    refused = 0
    for contract in options.contracts:
        said, objections = ask(contract, options.database is not None)
        refused += bool(objections)
        print(f"{'✗' if objections else '✓'} {contract.name.split('.')[0]}: {said}", flush=True)
        for objection in objections[:REASONS_SHOWN]:
            print(f"    {' '.join(objection.split())[:300]}", flush=True)
        if len(objections) > REASONS_SHOWN:
            print(f"    and {len(objections) - REASONS_SHOWN} more", flush=True)
    count = len(options.contracts)
    print(f"the peer accepts {count - refused} of {count} contracts")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
