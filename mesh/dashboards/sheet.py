"""The build sheet: how to make each chart by hand in Looker Studio, generated from the specs."""

from __future__ import annotations

from pathlib import Path

from mesh.contracts import find
from mesh.dashboards import spec
from mesh.dashboards.check import checked_dashboards
from mesh.dashboards.read import SPECS
from mesh.dashboards.scan import chart_bytes, markdown
from mesh.errors import CheckFailed, Location
from mesh.settings import PROJECT_ROOT

README = SPECS / "README.md"
DOCUMENT = PROJECT_ROOT / "docs" / "dashboards.md"
BEGIN, END = "<!-- generated: {name} -->", "<!-- end of {name} -->"
KINDS = {
    "pie": "Pie chart",
    "donut": "Donut chart",
    "bar": "Bar chart, horizontal",
    "scorecard": "Scorecard",
    "table": "Table",
}
# A row is one value already, so that any aggregation gives it back.
AGGREGATES = {"value": "Max", "sum": "Sum", "min": "Min", "max": "Max"}
TYPES = {
    "count": "Number",
    "percent": "Percent",
    "stars": "Number, 2 decimals",
    "change_percent": "Percent",
    "change_stars": "Number, 2 decimals",
}


def write_sheet(*, only_check: bool = False) -> bool:
    """Bring the generated parts of looker/README.md and docs/dashboards.md up to date.

    Returns whether something was not. Raises CheckFailed when a file has lost its marks.
    """
    changed = False
    for path, name, text in (
        (README, "build sheet", build_sheet()),
        (DOCUMENT, "bytes per chart", markdown(chart_bytes())),
    ):
        before = path.read_text(encoding="utf-8")
        after = replaced(before, name, text, path)
        changed = changed or before != after
        if before != after and not only_check:
            path.write_text(after, encoding="utf-8")
    return changed


def replaced(document: str, name: str, text: str, path: Path) -> str:
    """A document with another text between the marks of a name."""
    begin, end = BEGIN.format(name=name), END.format(name=name)
    head, found, rest = document.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise CheckFailed(
            f"the marks around the {name} are gone.",
            where=Location(path),
            fix=f"Put the lines `{begin}` and `{end}` back.",
        )
    return f"{head}{begin}\n\n{text}\n\n{end}{tail}"


def build_sheet(specs: Path = SPECS) -> str:
    """All dashboards, chart by chart, as Markdown."""
    parts = []
    for loaded in checked_dashboards(specs):
        dashboard = loaded.dashboard
        parts.append(f"### {dashboard.title}\n")
        parts.append("| alias | table | fields whose type to set |\n| --- | --- | --- |")
        for alias, source in dashboard.sources.items():
            parts.append(f"| `{alias}` | `{source.product}` | {_types(dashboard, alias)} |")
        parts.append("")
        for chart in dashboard.charts:
            parts.append(_chart(dashboard, chart))
    return "\n".join(parts).rstrip()


def _types(dashboard: spec.Dashboard, alias: str) -> str:
    fields = {
        metric.field: TYPES[metric.format]
        for metric in dashboard.metrics.values()
        if metric.source == alias
    }
    contract = find(dashboard.sources[alias].product)
    fields |= {c.name: "Date" for c in contract.columns if c.logical_type == "date"}
    return ", ".join(f"`{name}`: {kind}" for name, kind in fields.items())


def _chart(dashboard: spec.Dashboard, chart: spec.Chart) -> str:
    lines = [("Chart", KINDS[chart.kind]), ("Data source", f"`{chart.source}`")]
    if isinstance(chart, spec.Table):
        lines += _table_lines(dashboard, chart)
    elif isinstance(chart, spec.Scorecard):
        lines.append(("Metric", _metric(dashboard, chart.metric)))
    else:
        lines.append(("Dimension", f"`{chart.dimension.field}`"))
        if chart.dimension.labels:
            cases = " ".join(
                f"WHEN {chart.dimension.field} = '{value}' THEN '{label}'"
                for value, label in chart.dimension.labels.items()
            )
            lines.append(("Dimension as shown", f"calculated field `CASE {cases} END`"))
        names = chart.metrics if isinstance(chart, spec.Bar) else [chart.metric]
        lines.append(("Metric", ", ".join(_metric(dashboard, name) for name in names)))
        if isinstance(chart, spec.Pie):
            slices = chart.top.count + 1 if chart.top else "all"
            lines.append(("Slices", f"{slices}; no group Others of Looker's own"))
        lines.append(("Sort", f"`{chart.sort.field}` (Max), {chart.sort.order}"))
    if not isinstance(chart, spec.Table) and getattr(chart, "share", None):
        lines.append(("Optional metric", _metric(dashboard, chart.share or "")))
    filters = [
        f"Include `{one.field}` "
        + (f"Equal to `{one.equals}`" if one.one_of is None else f"In {_listed(one.one_of)}")
        for one in chart.filters
    ]
    lines.append(("Filter", " and ".join(filters) or "none"))
    place = chart.position
    lines.append(
        (
            "Place",
            f"columns {place.column} to {place.column + place.width - 1} of 12, "
            f"rows {place.row} to {place.row + place.height - 1}",
        )
    )
    lines.append(("Text under the title", chart.look_at + (f" {chart.note}" if chart.note else "")))
    table = "\n".join(f"| {name} | {text.replace('|', chr(92) + '|')} |" for name, text in lines)
    return f"#### {chart.title} (`{chart.id}`)\n\n| setting | value |\n| --- | --- |\n{table}\n"


def _table_lines(dashboard: spec.Dashboard, chart: spec.Table) -> list[tuple[str, str]]:
    dimensions = [name for c in chart.columns for name in (c.dimension, c.detail) if name]
    metrics = [name for c in chart.columns for name in (c.metric, c.change) if name]
    choice = chart.choice
    state = chart.comparison
    return [
        ("Dimensions", ", ".join(f"`{n}`" for n in (chart.sort.field, *dimensions, state.field))),
        ("Metrics", ", ".join(_metric(dashboard, name) for name in metrics)),
        ("Missing data", f"show “–”; `{state.field}` says `{state.new}` or `{state.hidden}`"),
        ("Sort", f"`{chart.sort.field}` (Max), {chart.sort.order}"),
        ("Rows per page", str(chart.page_size)),
        (
            "Controls",
            f"fixed-size list on `{choice.field}`, single select, default `{choice.default}`; "
            f"advanced filter on `{chart.search[0]}`, type Contains",
        ),
    ]


def _metric(dashboard: spec.Dashboard, name: str) -> str:
    metric = dashboard.metrics[name]
    return f"`{metric.field}` ({AGGREGATES[metric.aggregate]}), shown as “{metric.label}”"


def _listed(values: list[spec.Scalar]) -> str:
    return ", ".join(f"`{value}`" for value in values)
