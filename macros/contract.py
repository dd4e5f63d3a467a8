"""`@contract(product)` in a MODEL block: the header of a data product, from its contract.

What a contract states is written there alone: owner, description, grain, column descriptions,
tags, labels, grants, and every rule as a blocking audit.
"""

from __future__ import annotations

import os
from pathlib import Path

from sqlglot import exp
from sqlmesh import macro


def _as_new_as_the_contracts() -> None:
    """Make this file as new as what its macros read.

    SQLMesh keeps parsed models for as long as models and macros are unchanged, by their time of
    change. It knows nothing of contracts, so an edited contract has to show in a macro's time.
    """
    root = Path(__file__).resolve().parent.parent
    read = [*(root / "contracts").rglob("*"), *(root / "mesh" / "contracts").glob("*.py")]
    newest = max((path.stat().st_mtime for path in read), default=0.0)
    if newest > Path(__file__).stat().st_mtime:
        try:
            os.utime(__file__, (newest, newest))
        except OSError:
            # In a checkout that may not be written, contracts do not change either.
            return


_as_new_as_the_contracts()


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
def broken_rows(
    evaluator, this_model, source, product, interval, months, grain, rules
) -> exp.Subquery:
    """The table of the audit `contract_rows`."""
    from mesh.contracts.audits import broken_rows as query
    from mesh.contracts.header import audited_interval, pairs

    table = this_model if isinstance(source, exp.Null) else source
    table = audited_interval(evaluator, table, interval, months)
    columns = [column.name for column in grain.expressions]
    return query(table, product.name, columns, pairs(rules)).subquery("broken")


@macro()
def broken_tables(evaluator, this_model, product, interval, months, rules) -> exp.Subquery:
    """The table of the audit `contract_table`."""
    from mesh.contracts.audits import broken_tables as query
    from mesh.contracts.header import audited_interval, table_rules

    part = audited_interval(evaluator, this_model, interval, months)
    whole = None if isinstance(months, exp.Array) else this_model
    return query(table_rules(rules, whole=whole, part=part), product.name).subquery("broken")
