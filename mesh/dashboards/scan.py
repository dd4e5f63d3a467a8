"""The most bytes that a chart's query can scan on BigQuery, by what the contracts promise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from mesh.contracts import Column, Contract, load_contracts
from mesh.contracts.constraints.length import Length
from mesh.cost.scan import Relations, scan
from mesh.cost.sizes import BYTES_OF, TEXT_OVERHEAD, TableSize
from mesh.dashboards.check import checked_dashboards
from mesh.dashboards.queries import queries

LONGEST_TEXT = 500
"""What a text column without a limit is taken to hold at most, in bytes."""


@dataclass(frozen=True)
class ChartBytes:
    """rows: the most that the contract allows; columns: how many are read; bytes: the product."""

    dashboard: str
    chart: str
    product: str
    rows: int
    columns: int
    bytes: int


def chart_bytes(specs: Path, contracts: Path) -> list[ChartBytes]:
    """For each chart, what its query scans of a table as large as its contract allows."""
    dashboards, known = checked_dashboards(specs, contracts), load_contracts(contracts)
    sizes = {
        product: TableSize(max_rows(contract), {c.name: width(c) for c in contract.columns})
        for product, contract in known.items()
    }
    schemas = {p: {c.name: c.bigquery_type for c in known[p].columns} for p in known}
    relations = Relations(schemas, {}, sizes)
    found = []
    for loaded in dashboards:
        for one in queries(loaded.dashboard):
            rows = int(sizes[one.product].rows)
            columns = {node.name for node in one.query.find_all(exp.Column)} & set(
                schemas[one.product]
            )
            scanned = int(scan(one.query, relations).scanned)
            found.append(
                ChartBytes(one.dashboard, one.chart, one.product, rows, len(columns), scanned)
            )
    return found


def max_rows(contract: Contract) -> int:
    """The most rows that the contract allows."""
    limits = [rule.maximum for rule in contract.table_rules() if rule.maximum is not None]
    return min(limits) if limits else 10**12


def width(column: Column) -> float:
    """The most bytes of one value."""
    if column.bigquery_type in BYTES_OF:
        return BYTES_OF[column.bigquery_type]
    if column.enum:
        return TEXT_OVERHEAD + max(len(str(allowed.value).encode()) for allowed in column.enum)
    length = column.promise(Length)
    return TEXT_OVERHEAD + (4 * length.most if length and length.most else LONGEST_TEXT)


def markdown(found: list[ChartBytes]) -> str:
    """The table of the documentation."""
    lines = [
        "| dashboard | chart | reads | rows at most | columns | bytes at most |",
        "| --- | --- | --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {one.dashboard} | {one.chart} | {one.product} | {one.rows:,} | {one.columns} "
        f"| {one.bytes:,} |"
        for one in found
    ]
    return "\n".join(lines)
