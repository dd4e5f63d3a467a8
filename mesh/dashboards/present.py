"""From a dashboard and its data to what a page shows."""

from __future__ import annotations

from typing import Any

from mesh.contracts import find
from mesh.dashboards import charts, spec
from mesh.dashboards.data import ChartData, DashboardData, Row
from mesh.dashboards.formats import day, number, percent, span
from mesh.dashboards.palette import OTHERS, colour, ink_on
from mesh.dashboards.ranking import ranked_table
from mesh.dashboards.view import ChartView, LegendEntry, Mark, PageView, SourceView

NO_DATA = "No data yet."
NOTHING_TO_SHOW = "Nothing that may be shown."
TOO_FEW = "Numbers that stand for fewer than five users are not shown."


def present(dashboard: spec.Dashboard, data: DashboardData) -> PageView:
    """The page of a dashboard, its charts in reading order."""
    ordered = sorted(dashboard.charts, key=lambda c: (c.position.row, c.position.column))
    sources = []
    with_rows = {state.product for state in data.sources if state.rows}
    for state in data.sources:
        contract = find(state.product)
        rows = "not there yet" if state.rows is None else f"{state.rows:,}"
        version = str(contract.version)
        sources.append(SourceView(state.product, version, contract.owner, state.view, rows))
    return PageView(
        id=dashboard.id,
        title=dashboard.title,
        audience=dashboard.audience,
        purpose=dashboard.purpose,
        environment=data.environment,
        as_of=day(data.as_of),
        charts=[_chart(dashboard, chart, data.charts[chart.id], with_rows) for chart in ordered],
        sources=sources,
    )


def _chart(
    dashboard: spec.Dashboard, chart: spec.Chart, data: ChartData, with_rows: set[str]
) -> ChartView:
    """with_rows: the products that have any: where others can be drawn, a group was held back."""
    source = dashboard.sources[chart.source]
    common: dict[str, Any] = {
        "id": chart.id,
        "kind": chart.kind,
        "title": chart.title,
        "look_at": chart.look_at,
        "note": chart.note or "",
        "product": source.product,
        "column": chart.position.column,
        "width": chart.position.width,
    }
    rows = [dict(row) for row in data.rows]
    names = spec.metrics_of(chart)
    shown = [row for row in rows if row[names[0]] is not None]
    if not shown:
        why = NOTHING_TO_SHOW if source.product in with_rows else NO_DATA
        return ChartView(**common, empty=data.missing or f"{why} {TOO_FEW}")
    if not isinstance(chart, spec.Table):
        first = shown[0]
        start = first.get(source.window_start) if source.window_start else None
        common["window"] = span(start, first[source.as_of])
    if isinstance(chart, spec.Scorecard):
        return _scorecard(dashboard, chart, shown[0], common)
    if isinstance(chart, spec.Pie):
        return _pie(dashboard, chart, shown, common)
    if isinstance(chart, spec.Bar):
        return _bar(dashboard, chart, shown, common)
    return ranked_table(dashboard, chart, shown, common)


def _metric_text(dashboard: spec.Dashboard, name: str, row: Row) -> str:
    return number(row[name], dashboard.metrics[name].format)


def _scorecard(
    dashboard: spec.Dashboard, chart: spec.Scorecard, row: Row, common: dict[str, Any]
) -> ChartView:
    share = part = None
    if chart.share:
        part = row[chart.share]
        label = dashboard.metrics[chart.share].label.lower().removeprefix("share ")
        share = f"{_metric_text(dashboard, chart.share, row)} {label}"
    metric = dashboard.metrics[chart.metric]
    head = [metric.label, *([dashboard.metrics[chart.share].label] if chart.share else [])]
    body = [_metric_text(dashboard, name, row) for name in spec.metrics_of(chart)]
    return ChartView(
        **common,
        number=_metric_text(dashboard, chart.metric, row),
        share=share or "",
        part=part or 0.0,
        head=head,
        body=[body],
    )


def _pie(
    dashboard: spec.Dashboard, chart: spec.Pie, rows: list[Row], common: dict[str, Any]
) -> ChartView:
    hole = chart.kind == "donut"
    metric = dashboard.metrics[chart.metric]
    total = sum(row[chart.metric] for row in rows)
    shares = dashboard.metrics[chart.share] if chart.share else None
    overlapping = chart.top is not None
    marks, legend, body = [], [], []
    start = 0.0
    for index, row in enumerate(rows):
        others = bool(chart.top and row[chart.top.others])
        value = str(row[chart.dimension.field])
        name = chart.dimension.labels.get(value, value)
        fill = OTHERS if others else colour(name)
        count = _metric_text(dashboard, chart.metric, row)
        part = row[chart.metric] / total if total else 0.0
        share = _metric_text(dashboard, chart.share, row) if chart.share else percent(part)
        facts = [(chart.dimension.label, name), (metric.label, count)]
        if shares:
            facts.append((shares.label, share))
        if overlapping or not shares:
            facts.append(("Share of the pie", percent(part)))
        label = charts.slice_label(name, count, share, start=start, part=part, hole=hole)
        start += part
        aria = ", ".join(f"{title} {text}" for title, text in facts)
        key = f"slice-{index}"
        marks.append(Mark(key, name, row[chart.metric], fill, ink_on(fill), label, aria, facts))
        legend.append(LegendEntry(key, name, fill, [count, share]))
        body.append([text for _, text in facts])
    centre = (number(total, metric.format), metric.label.lower()) if hole else None
    return ChartView(
        **common,
        legend=legend,
        legend_head=[metric.label, _of(shares.label) if shares else "of the pie"],
        head=[title for title, _ in marks[0].facts],
        body=body,
        summary=_summary(chart.kind, marks),
        vega=charts.pie(marks, hole=hole, centre=centre),
        height=230 if hole else 2 * charts.PIE_RADIUS,
    )


def _bar(
    dashboard: spec.Dashboard, chart: spec.Bar, rows: list[Row], common: dict[str, Any]
) -> ChartView:
    marks, legend, body = [], [], []
    several = len(chart.metrics) > 1
    names = []
    for index, row in enumerate(rows):
        value = str(row[chart.dimension.field])
        name = chart.dimension.labels.get(value, value)
        names.append(name)
        line = [name]
        for metric_name in chart.metrics:
            metric = dashboard.metrics[metric_name]
            text = _metric_text(dashboard, metric_name, row)
            facts = [(chart.dimension.label, name), (metric.label, text)]
            end = text
            line.append(text)
            if chart.share and not several:
                share = _metric_text(dashboard, chart.share, row)
                facts.append((dashboard.metrics[chart.share].label, share))
                end = f"{text}  ({share})"
                line.append(share)
            fill = colour(metric.label if several else name)
            key = metric_name if several else f"bar-{index}"
            aria = ", ".join(f"{title} {fact}" for title, fact in facts)
            marks.append(
                Mark(
                    key,
                    name,
                    row[metric_name] or 0.0,
                    fill,
                    ink_on(fill),
                    [end],
                    aria,
                    facts,
                    metric.label,
                )
            )
        body.append(line)
    labels = [dashboard.metrics[name].label for name in chart.metrics]
    if several:
        legend = [
            LegendEntry(name, label, colour(label), [])
            for name, label in zip(chart.metrics, labels, strict=True)
        ]
    head = [chart.dimension.label, *labels]
    if chart.share and not several:
        head.append(dashboard.metrics[chart.share].label)
    height = len(rows) * (58 if several else 52) + 16
    return ChartView(
        **common,
        legend=legend,
        head=head,
        body=body,
        summary=_summary("bar chart", marks),
        vega=charts.bars(marks, names=names, series=labels, height=height),
        height=height,
    )


def _of(label: str) -> str:
    """`Share of all users` as the head of a narrow column."""
    return label.removeprefix("Share ")


def _summary(kind: str, marks: list[Mark]) -> str:
    """The chart in words, for screen readers."""
    parts = [", ".join(text for _, text in mark.facts[:3]) for mark in marks]
    return f"{kind.capitalize()} with {len(marks)} parts: {'; '.join(parts)}."
