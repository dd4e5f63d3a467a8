"""The most bytes that a chart's query can scan on BigQuery, by what the contracts promise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from mesh.contracts import Column, Contract, find
from mesh.dashboards.check import checked_dashboards
from mesh.dashboards.queries import queries
from mesh.dashboards.read import SPECS

MINIMUM_BILLED = 10 * 1024 * 1024
"""BigQuery bills at least 10 MB for each table that a query reads."""
WIDTHS = {"INT64": 8, "FLOAT64": 8, "DATE": 8, "TIMESTAMP": 8, "BOOL": 1}
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


def chart_bytes(specs: Path = SPECS) -> list[ChartBytes]:
    """For each chart, the size of all columns that its query names, times all rows allowed."""
    found = []
    for loaded in checked_dashboards(specs):
        for query in queries(loaded.dashboard):
            contract = find(query.product)
            rows = max_rows(contract)
            columns = [
                column
                for column in contract.columns
                if column.name in {node.name for node in query.query.find_all(exp.Column)}
            ]
            size = rows * sum(width(column) for column in columns)
            found.append(
                ChartBytes(query.dashboard, query.chart, query.product, rows, len(columns), size)
            )
    return found


def max_rows(contract: Contract) -> int:
    """The most rows that the contract allows."""
    limits = [rule.maximum for rule in contract.table_rules() if rule.maximum is not None]
    return min(limits) if limits else 10**12


def width(column: Column) -> int:
    """The most bytes of one value: BigQuery's sizes by type, and two more for text."""
    if column.bigquery_type in WIDTHS:
        return WIDTHS[column.bigquery_type]
    if column.enum:
        return 2 + max(len(str(allowed.value).encode()) for allowed in column.enum)
    return 2 + (4 * column.max_length if column.max_length else LONGEST_TEXT)


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
