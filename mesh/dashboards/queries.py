"""The one query of each chart, as an expression: for pages, proof and cost alike."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from mesh.dashboards import spec


@dataclass(frozen=True)
class ChartQuery:
    """What a chart reads: query in the BigQuery dialect, from the table it was made for."""

    dashboard: str
    chart: str
    product: str
    query: exp.Select


def queries(dashboard: spec.Dashboard) -> list[ChartQuery]:
    """The queries of all charts of a dashboard, each from its product by its own name."""
    found = []
    for chart in dashboard.charts:
        product = dashboard.sources[chart.source].product
        query = chart_query(dashboard, chart, exp.to_table(product, dialect="bigquery"))
        found.append(ChartQuery(dashboard.id, chart.id, product, query))
    return found


def chart_query(dashboard: spec.Dashboard, chart: spec.Chart, table: exp.Table) -> exp.Select:
    """All rows of a chart from a table that holds its product, in the chart's order."""
    plain, metrics = fields_of(dashboard, chart)
    summed = any(dashboard.metrics[name].aggregate != "value" for name in metrics)
    query = exp.select(*(_column(name) for name in plain)).from_(table)
    for name in metrics:
        metric = dashboard.metrics[name]
        value: exp.Expression = _column(metric.field)
        if metric.aggregate != "value":
            value = exp.func(metric.aggregate.upper(), value)
        elif summed:
            value = exp.func("MAX", value)
        query = query.select(exp.alias_(value, name))
    for condition in chart.filters:
        query = query.where(_condition(condition))
    if summed and plain:
        query = query.group_by(*(_column(name) for name in plain))
    sort = getattr(chart, "sort", None)
    if sort:
        direction = sort.order == "descending"
        by_metric = next((n for n in metrics if dashboard.metrics[n].field == sort.field), None)
        key = _column(by_metric or sort.field)
        query = query.order_by(exp.Ordered(this=key, desc=direction, nulls_first=False))
    return query


def fields_of(dashboard: spec.Dashboard, chart: spec.Chart) -> tuple[list[str], list[str]]:
    """The columns that a chart reads as they are, and the names of its metrics."""
    source = dashboard.sources[chart.source]
    names: list[str | None] = []
    if isinstance(chart, spec.Pie | spec.Bar):
        names.append(chart.dimension.field)
        metric_fields = [dashboard.metrics[n].field for n in spec.metrics_of(chart)]
        if chart.sort.field not in metric_fields:
            names.append(chart.sort.field)
    if isinstance(chart, spec.Pie) and chart.top:
        names.append(chart.top.others)
    if isinstance(chart, spec.Table):
        names += [chart.choice.field, chart.key, chart.sort.field]
        names += [name for c in chart.columns for name in (c.dimension, c.detail)]
        names += [chart.comparison.field, chart.comparison.start, chart.comparison.end]
    names += [source.window_start, source.as_of]
    plain = list(dict.fromkeys(name for name in names if name))
    return plain, list(dict.fromkeys(spec.metrics_of(chart)))


def _column(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name))


def _condition(condition: spec.Filter) -> exp.Expression:
    values = [exp.convert(value) for value in condition.values]
    column = _column(condition.field)
    return column.eq(values[0]) if len(values) == 1 else column.isin(*values)
