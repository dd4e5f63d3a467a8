"""The one query of each chart, as an expression: for pages, proof and cost alike."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from mesh.dashboards.kinds import Board, Chart
from mesh.dashboards.parts import Filter


@dataclass(frozen=True)
class ChartQuery:
    """What a chart reads: query in the BigQuery dialect, from the table it was made for."""

    dashboard: str
    chart: str
    product: str
    query: exp.Select


def queries(board: Board) -> list[ChartQuery]:
    """The queries of all charts of a dashboard, each from its product by its own name."""
    found = []
    for chart in board.charts:
        product = board.sources[chart.source].product
        query = chart_query(board, chart, exp.to_table(product, dialect="bigquery"))
        found.append(ChartQuery(board.id, chart.id, product, query))
    return found


def chart_query(board: Board, chart: Chart, table: exp.Table) -> exp.Select:
    """All rows of a chart from a table that holds its product, in the chart's order.

    Its columns are `chart.columns_read(board)` and then, by their names, `chart.metric_names`.
    """
    plain = chart.columns_read(board)
    metrics = {name: board.metrics[name] for name in chart.metric_names}
    summed = any(metric.aggregate != "value" for metric in metrics.values())
    query = exp.select(*map(_column, plain)).from_(table)
    for name, metric in metrics.items():
        value: exp.Expr = _column(metric.field)
        if summed:
            # Of a number that is not aggregated there is one in each group.
            function = "MAX" if metric.aggregate == "value" else metric.aggregate.upper()
            value = exp.func(function, value)
        query = query.select(exp.alias_(value, name))
    for condition in chart.filters:
        query = query.where(_condition(condition))
    if summed and plain:
        query = query.group_by(*map(_column, plain))
    if chart.order:
        by = chart.order.field
        shown = next((name for name, metric in metrics.items() if metric.field == by), by)
        down = chart.order.order == "descending"
        query = query.order_by(exp.Ordered(this=_column(shown), desc=down, nulls_first=False))
    return query


def _column(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name))


def _condition(condition: Filter) -> exp.Expr:
    values = [exp.convert(value) for value in condition.values]
    column = _column(condition.field)
    return column.eq(values[0]) if len(values) == 1 else column.isin(*values)
