"""A ranked table that the page sorts, searches and turns the pages of."""

from __future__ import annotations

from typing import Any

from mesh.contracts import find
from mesh.dashboards import spec
from mesh.dashboards.data import Row
from mesh.dashboards.formats import day, number, span
from mesh.dashboards.view import ChartView


def ranked_table(
    dashboard: spec.Dashboard, chart: spec.Table, rows: list[Row], common: dict[str, Any]
) -> ChartView:
    """The card of a table: its rows by choice, each cell as value, text, and more for some.

    A cell of a dimension is [value, text, detail], of a metric [value, text], of a change
    [value, text, kind], where kind is up, down, same, new or hidden.
    """
    source = dashboard.sources[chart.source]
    contract = find(source.product)
    allowed = contract.column(chart.choice.field)
    values = [str(one.value) for one in allowed.enum] if allowed else []
    by_choice: dict[str, list[Row]] = {value: [] for value in values}
    for row in rows:
        by_choice.setdefault(str(row[chart.choice.field]), []).append(row)
    columns = _columns(dashboard, chart)
    choices = []
    for value, found in by_choice.items():
        label = chart.choice.labels.get(value, value)
        first = found[0] if found else {}
        start = first.get(source.window_start) if source.window_start else None
        before = span(first.get(chart.comparison.start), first.get(chart.comparison.end))
        choices.append(
            {
                "value": value,
                "label": label,
                "window": span(start, first.get(source.as_of)) if found else "",
                "before": before if found else "",
                "rows": [_row(dashboard, chart, row) for row in found],
            }
        )
    wanted = next(c for c in choices if c["value"] == chart.choice.default)
    shown, notice = wanted, ""
    if not wanted["rows"]:
        shown = next(c for c in choices if c["rows"])
        newest = day(rows[0][source.as_of])
        notice = (
            f"{wanted['label']} up to {newest}: no movie was rated by five users or more, so "
            f"nothing can be shown. This is the {shown['label'].lower()}."
        )
    search = [
        (cell, part)
        for cell, column in enumerate(columns)
        for part, key in ((1, "field"), (2, "detail"))
        if column.get(key) in chart.search
    ]
    return ChartView(
        **common,
        window=shown["window"],
        table={
            "columns": columns,
            "choices": choices,
            "choice_label": chart.choice.label,
            "start": shown["value"],
            "notice": notice,
            "page_size": chart.page_size,
            "search": search,
        },
    )


def _columns(dashboard: spec.Dashboard, chart: spec.Table) -> list[dict[str, Any]]:
    columns: list[dict[str, Any]] = [{"label": "#", "type": "rank", "field": chart.sort.field}]
    for column in chart.columns:
        if column.dimension:
            columns.append(
                {
                    "label": column.label or column.dimension,
                    "type": "text" if column.detail else "plain",
                    "field": column.dimension,
                    "detail": column.detail,
                }
            )
        if column.metric:
            label = column.label or dashboard.metrics[column.metric].label
            columns.append({"label": label, "type": "number", "field": column.metric})
        if column.change:
            label = dashboard.metrics[column.change].label
            columns.append({"label": label, "type": "change", "field": column.change})
    return columns


def _row(dashboard: spec.Dashboard, chart: spec.Table, row: Row) -> list[list[Any]]:
    rank = row[chart.sort.field]
    cells: list[list[Any]] = [[rank, f"{rank:,}"]]
    state = row[chart.comparison.field]
    for column in chart.columns:
        if column.dimension:
            value = row[column.dimension]
            text = "" if value is None else str(value)
            if column.detail:
                detail = (row[column.detail] or "").replace("|", ", ")
                cells.append([text, text, detail])
            else:
                cells.append([value, text or "–"])
        if column.metric:
            value = row[column.metric]
            cells.append([value, number(value, dashboard.metrics[column.metric].format)])
        if column.change:
            cells.append(_change(dashboard, chart, state, row[column.change], column.change))
    return cells


def _change(
    dashboard: spec.Dashboard, chart: spec.Table, state: str, value: float | None, name: str
) -> list[Any]:
    if state == chart.comparison.new:
        return [None, "new", "new"]
    if state == chart.comparison.hidden or value is None:
        return [None, "few before", "hidden"]
    kind = "up" if value > 0 else "down" if value < 0 else "same"
    return [value, number(value, dashboard.metrics[name].format), kind]
