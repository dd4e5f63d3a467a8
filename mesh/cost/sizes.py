"""How many bytes BigQuery counts: its published sizes per type, and rows from an environment.

A table's statistics are its rows, the mean bytes of each column, and its rows per month where it
is partitioned, so that the bytes of any query are a matter of arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from mesh.deliveries import months_after

# As Google publishes them; a NULL has none, a text two bytes and its length in UTF-8.
BYTES_OF = {
    "BOOL": 1.0,
    "INT64": 8.0,
    "FLOAT64": 8.0,
    "DATE": 8.0,
    "DATETIME": 8.0,
    "TIME": 8.0,
    "TIMESTAMP": 8.0,
    "NUMERIC": 16.0,
    "INTERVAL": 16.0,
    "BIGNUMERIC": 32.0,
}
TEXT_OVERHEAD = 2.0
LEAST_PER_TABLE = 10 * 1024**2
"""BigQuery bills at least 10 MiB for each table that a query reads, and for each query."""
TIB = 1024**4
DEFAULT_PRICE = 6.25
"""US dollars per TiB, on demand; the first TiB of a month is free, and not counted here."""


@dataclass(frozen=True)
class TableSize:
    """What is known of a stored table.

    columns: name in small letters -> mean bytes of a value. months: rows per month of the
    partition column, empty where the table is not partitioned. by_days: whether its partitions are
    days; the rows of a month are then taken to be spread evenly over its days.
    """

    rows: float
    columns: Mapping[str, float]
    partition_column: str | None = None
    months: Mapping[date, float] = field(default_factory=dict)
    by_days: bool = False

    def scaled(self, factor: float) -> TableSize:
        """The same table with that many times the rows."""
        months = {month: rows * factor for month, rows in self.months.items()}
        return replace(self, rows=self.rows * factor, months=months)

    def rows_between(self, first: date | None, last: date | None) -> float:
        """The rows in the partitions that a query touches; all of them without bounds."""
        if not self.months or (first is None and last is None):
            return self.rows
        if self.by_days:
            return sum(rows * _share(month, first, last) for month, rows in self.months.items())
        low = first.replace(day=1) if first else date.min
        high = last or date.max
        return sum(rows for month, rows in self.months.items() if low <= month <= high)


@dataclass(frozen=True)
class Scan:
    """What one query reads.

    scanned: the bytes of the columns and partitions it needs. billed: with BigQuery's minimum
    per table and query. tables: scanned bytes by table.
    """

    tables: Mapping[str, float]

    @property
    def scanned(self) -> float:
        return sum(self.tables.values())

    @property
    def billed(self) -> float:
        if not self.tables:
            return 0.0
        return sum(max(size, LEAST_PER_TABLE) for size in self.tables.values())


def _share(month: date, first: date | None, last: date | None) -> float:
    """Of the days of a month, the share from the first to the last."""
    after = months_after(month)
    begin = max(first or month, month)
    end = min(last or date.max, after - timedelta(days=1))
    return max((end - begin).days + 1, 0) / (after - month).days


def price(scanned: float, per_tib: float = DEFAULT_PRICE) -> float:
    """US dollars."""
    return scanned / TIB * per_tib
