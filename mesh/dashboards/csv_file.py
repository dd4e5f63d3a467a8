"""The rows of a chart as a file that spreadsheets open, and in which no text is a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO
from typing import Any

from mesh.dashboards.kinds import Board, Chart
from mesh.dashboards.kinds.base import Row

# What spreadsheets take for the beginning of a formula, also in its wide forms and after blanks.
_FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_BLANKS = ("\t", "\r", "\n")


def csv_text(board: Board, chart: Chart, rows: Iterable[Row]) -> str:
    """All rows that a chart reads; its numbers are not rounded as they are in the picture."""
    plain, metrics = chart.columns_read(board), chart.metric_names
    labels = [board.metrics[name].label for name in metrics]
    # Two metrics can have one label: then their names tell them apart.
    heads = [
        label if labels.count(label) == 1 else name
        for name, label in zip(metrics, labels, strict=True)
    ]
    out = StringIO()
    # Excel takes a file for UTF-8 by this mark alone.
    out.write("\ufeff")
    write = csv.writer(out).writerow
    write([cell(text) for text in (*plain, *heads)])
    for row in rows:
        write([cell(row[name]) for name in (*plain, *metrics)])
    return out.getvalue()


def cell(value: Any) -> Any:
    """A value as a cell; text that a spreadsheet would run stands behind an apostrophe."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and (
        value.startswith(_BLANKS) or value.lstrip().startswith(_FORMULAS)
    ):
        return f"'{value}"
    return f"{value:.9g}" if isinstance(value, float) else value
