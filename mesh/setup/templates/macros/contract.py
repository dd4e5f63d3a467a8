"""`@contract(product)` in a MODEL block: the header of a data product, from its contract.

What a contract states is written there alone: owner, description, grain, column descriptions,
tags, labels, grants, and every rule as a blocking audit.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from pathlib import Path

from sqlglot import exp
from sqlmesh import macro
from sqlmesh.utils.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent


def _see_edited_contracts() -> None:
    """Make this file newer than all that SQLMesh reads when what its macros read has changed.

    SQLMesh keeps parsed models for as long as models, macros and audits are unchanged, by the
    newest of their times of change. It knows nothing of contracts, so an edited contract has to
    show in a macro's time. Contracts are compared by content: copies and archives keep old times.
    """
    digest = hashlib.sha256()
    for path in sorted([*ROOT.glob("contracts/*/*"), *ROOT.glob("mesh/contracts/*.py")]):
        if path.is_file():
            digest.update(f"{path.relative_to(ROOT)}:{path.stat().st_size}:".encode())
            digest.update(path.read_bytes())
    seen = ROOT / ".cache" / "contracts.sha256"
    if seen.is_file() and seen.read_text() == digest.hexdigest():
        return
    _refuse_invalid_contracts()
    looked_at = [ROOT / "config.yaml", *ROOT.glob("macros/*.py"), *ROOT.glob("audits/*")]
    looked_at += ROOT.glob("models/**/*.sql")
    newest = max(path.stat().st_mtime for path in looked_at)
    newer = max(time.time(), newest + 0.001)
    try:
        os.utime(__file__, (newer, newer))
        seen.parent.mkdir(exist_ok=True)
        seen.write_text(digest.hexdigest())
    except OSError:
        # In a checkout that may not be written, contracts do not change either.
        return


def _refuse_missing_contracts() -> None:
    """Say which model asks for a contract that is not there.

    Said here, before any macro runs: of an error inside a macro SQLMesh shows a stack of calls.
    """
    there = {path.name.removesuffix(".odcs.yaml") for path in ROOT.glob("contracts/*/*.odcs.yaml")}
    for path in sorted(ROOT.glob("models/**/*.sql")):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            named = re.match(r"\s*@contract\((.*?)\)", line)
            if named is None or named.group(1).rpartition(".")[2] in there:
                continue
            from mesh.contracts import find
            from mesh.errors import MeshError

            try:
                find(named.group(1))
            except MeshError as error:
                where = f"{path.relative_to(ROOT)}:{number}"
                raise ConfigError(f"{where}: {error.message} {error.fix}") from None


def _refuse_invalid_contracts() -> None:
    """Say in one sentence which contract cannot be relied on."""
    from mesh.contracts import load_contracts
    from mesh.errors import MeshError

    try:
        for contract in load_contracts().values():
            contract.table_rules()
    except MeshError as error:
        raise ConfigError(str(error)) from None


_refuse_missing_contracts()
_see_edited_contracts()


@macro()
def contract(evaluator, product: exp.Expression) -> list[exp.Property]:
    """The properties of a model that the contract `<product>.odcs.yaml` states."""
    from mesh.contracts.header import model_properties

    return model_properties(product.name)


@macro()
def source_contract(evaluator, table: exp.Expression) -> list[exp.Property]:
    """The audits of a watermark: what it lets through keeps the contract with the source."""
    from mesh.contracts.header import source_audits

    return source_audits(table.name)


@macro()
def broken_contract(
    evaluator, this_model, source, product, interval, months, grain, rows, tables
) -> exp.Select:
    """The query of the audit `contract`."""
    from mesh.contracts.audits import broken_contract as query
    from mesh.contracts.header import (
        audited_interval,
        checked_rules,
        row_conditions,
        source_table,
    )

    conditions = row_conditions(rows)
    own = isinstance(source, exp.Null)
    table = this_model if own else source_table(source)
    # What the models let through was checked when it came in; the source can hold anything.
    everywhere = () if own else conditions
    audited = audited_interval(evaluator, table, interval, months, everywhere)
    return query(
        product.name,
        audited,
        [column.name for column in grain.expressions],
        conditions,
        checked_rules(tables, audited, table, by_months=isinstance(months, exp.Array)),
    )
