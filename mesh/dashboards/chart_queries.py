"""The one query of each chart, as an expression: for pages, proof and cost alike."""

from __future__ import annotations

from sqlglot import exp

from mesh.dashboards.controls import OneOf
from mesh.dashboards.kinds import Board, Chart
from mesh.dashboards.parts import Filter
from mesh.dashboards.read import dashboard_files, load_dashboards
from mesh.project import Project
from mesh.prove.run import ChartQuery


def chart_queries(project: Project) -> list[ChartQuery]:
    """One per chart, of its product by its own name, at the line where the chart stands, and one
    per control that lists values.

    None in a project without dashboards; DashboardInvalid if one cannot be read.
    """
    if not dashboard_files(project.dashboards):
        return []
    found = []
    for loaded in load_dashboards(project.dashboards):
        board = loaded.dashboard
        for index, chart in enumerate(board.charts):
            table = exp.to_table(board.sources[chart.source].product, dialect="bigquery")
            sql = chart_query(board, chart, table).sql(dialect="bigquery")
            line = loaded.tree.line(("charts", index))
            found.append(ChartQuery(f"{board.id}/{chart.id}", loaded.tree.path, line, sql))
        for index, control in enumerate(board.controls):
            if isinstance(control, OneOf):
                product = board.sources[control.sources[0]].product
                table = exp.to_table(product, dialect="bigquery")
                sql = option_query(control, table).sql(dialect="bigquery")
                line = loaded.tree.line(("controls", index))
                found.append(ChartQuery(f"{board.id}/{control.id}", loaded.tree.path, line, sql))
    return found


def chart_query(board: Board, chart: Chart, table: exp.Table) -> exp.Select:
    """All rows of a chart from a table that holds its product, in the chart's order.

    Its columns are `chart.columns_read(board)` and then, by their names, `chart.metric_names`.
    The day up to which the data go is that of the whole product, whatever rows a chart shows.
    """
    source, plain = board.sources[chart.source], chart.columns_read(board)
    day = exp.column(exp.to_identifier(source.as_of), table="whole")
    newest = exp.select(exp.func("MAX", day)).from_(exp.alias_(table.copy(), "whole", table=True))
    metrics = {name: board.metrics[name] for name in chart.metric_names}
    summed = any(metric.aggregate != "value" for metric in metrics.values())
    told: dict[str, exp.Expr] = {source.as_of: newest.subquery()}
    if summed and source.window_start and source.window_start not in chart.told_apart_by:
        told[source.window_start] = exp.func("MIN", _column(source.window_start))
    query = exp.select(
        *(exp.alias_(told[name], name) if name in told else _column(name) for name in plain)
    ).from_(table)
    for name, metric in metrics.items():
        value: exp.Expr = _column(metric.field)
        if summed:
            # Of a number that is not aggregated there is one in each group.
            function = "MAX" if metric.aggregate == "value" else metric.aggregate.upper()
            value = exp.func(function, value)
        query = query.select(exp.alias_(value, name))
    for condition in chart.filters:
        query = query.where(_condition(condition))
    groups = [name for name in plain if name not in told]
    if summed and groups:
        query = query.group_by(*map(_column, groups))
    if chart.order:
        by = chart.order.field
        shown = next((name for name, metric in metrics.items() if metric.field == by), by)
        down = chart.order.order == "descending"
        query = query.order_by(exp.Ordered(this=_column(shown), desc=down, nulls_first=False))
        query = query.order_by(*(_column(name) for name in chart.ties if name != by))
    return query


def option_query(control: OneOf, table: exp.Table) -> exp.Select:
    """What a control lists, in its order: its columns are `control.columns`."""
    query = exp.select(*map(_column, control.columns)).from_(table)
    query = query.group_by(*map(_column, control.columns))
    if control.sort:
        by = exp.func("MAX", _column(control.sort.field))
        down = control.sort.order == "descending"
        query = query.order_by(exp.Ordered(this=by, desc=down, nulls_first=False))
        # Of two that are alike the one with the lesser value stands first, on each engine.
        query = query.order_by(_column(control.field))
    return query


def _column(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name))


def _condition(condition: Filter) -> exp.Expr:
    values = [exp.convert(value) for value in condition.values]
    column = _column(condition.field)
    return column.eq(values[0]) if len(values) == 1 else column.isin(*values)
