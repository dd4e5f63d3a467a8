"""The rows of a chart as a file that spreadsheets open, and in which no text is a formula."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from io import StringIO
from typing import Any

from mesh.dashboards.kinds import Board, Chart
from mesh.dashboards.kinds.base import Row
from mesh.dashboards.kinds.seen import lowered
from mesh.dashboards.marks import IsMetric
from mesh.dashboards.parts import Interval
from mesh.plain import as_cell


def csv_text(board: Board, chart: Chart, rows: Iterable[Row]) -> str:
    """All rows that a chart reads; its numbers are not rounded as they are in the picture."""
    plain, metrics = chart.columns_read(board), chart.metric_names
    heads = _heads(board, chart)
    out = StringIO()
    # Excel takes a file for UTF-8 by this mark alone.
    out.write("\ufeff")
    write = csv.writer(out).writerow
    write([cell(text) for text in (*plain, *heads)])
    for row in rows:
        write([cell(row[name]) for name in (*plain, *metrics)])
    return out.getvalue()


def _heads(board: Board, chart: Chart) -> list[str]:
    """What the columns of its metrics are called, each otherwise than all others of the file."""
    stated = Counter(metric.label for metric in board.metrics.values())
    measured, labels = _measured(chart), []
    for name in chart.metric_names:
        metric = board.metrics[name]
        label = metric.label
        if stated[label] > 1 and name in measured:
            label += f" of {lowered(board.metrics[measured[name]].label)}"
        if metric.rounded_to and metric.rounded_to > 1:
            label += f" (rounded down to {metric.rounded_to}s)"
        labels.append(label)
    # What still reads alike, if only in small letters, is told apart by the names of the metrics.
    read = Counter(text.lower() for text in (*chart.columns_read(board), *labels))
    return [
        label if read[label.lower()] == 1 else f"{label}: {name}"
        for name, label in zip(chart.metric_names, labels, strict=True)
    ]


def _measured(chart: Chart) -> dict[str, str]:
    """Of each end of an interval the metric that lies in it."""
    names = {mark.steps: mark.value for mark in chart.marks if isinstance(mark.what, IsMetric)}
    found: dict[str, str] = {}
    for steps, name in names.items():
        if steps[-1] not in Interval.model_fields:
            continue
        *owner, interval = steps[:-1]
        own = str(interval).removesuffix("_interval")
        beside = ((*owner, own), (*owner, "moving"), (*owner, "metric"), (*owner, "metrics", 0))
        if measured := next((names[one] for one in beside if one in names), None):
            found[name] = measured
    return found


def cell(value: Any) -> Any:
    """A value as a cell, which no spreadsheet runs."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return as_cell(value)
    return f"{value:.9g}" if isinstance(value, float) else value
