"""The log of deliveries: two tables, in the schema of the sources, that who delivers writes.

`ingests` has a row per delivery: `ingest_id` (from 1), `finished_at`, `mode`, `source`,
`changed_months` (the first days of the months that it changed), and for each source table
`<table>_rows`, how many rows that has afterwards. `changed_months` has a row per delivery
(`ingest_id`), source table (`source_table`) and month (`reporting_month`) that changed.
"""

from __future__ import annotations

from datetime import date

INGESTS = "ingests"
CHANGED_MONTHS = "changed_months"
# Their columns that are read here, with BigQuery's types.
COLUMNS = {
    INGESTS: {
        "ingest_id": "INT64",
        "finished_at": "TIMESTAMP",
        "mode": "STRING",
        "source": "STRING",
        "changed_months": "ARRAY<DATE>",
    },
    CHANGED_MONTHS: {"ingest_id": "INT64", "source_table": "STRING", "reporting_month": "DATE"},
}
# Ends the `source` of a delivery in which nothing is real; `mode` is `snapshot` when it took the
# place of all before it, `undo` when it took the newest back, `erase` when it took rows of all out.
GENERATED = " (generated)"
# Stands for the month of rows that have no time of their own.
WITHOUT_MONTH = date(1970, 1, 1)


def months_after(month: date, count: int = 1) -> date:
    """The first day of the month that many months later."""
    index = month.year * 12 + month.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)
