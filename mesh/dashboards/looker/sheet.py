"""How to build each chart in Looker Studio, from the specs: for people, and never by hand.

The sheet stands between two marks in the README of the dashboards' folder; the command writes it,
and a test holds it up to date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mesh.contracts import Contract, usable_contracts
from mesh.dashboards.check import checked_dashboards
from mesh.dashboards.controls import AnyControl
from mesh.dashboards.drawing.formats import SPELLINGS
from mesh.dashboards.kinds import Board, Chart
from mesh.files.generated import with_section
from mesh.project import Project

BEGIN, END = "<!-- generated: build sheet -->", "<!-- end of build sheet -->"
HEADING = """\
## Build sheet

Written by `mesh docs`: how to make each dashboard in Looker Studio, once, as a template. The id of
the report goes into its file, as `template: {report_id: …}`; then `mesh dashboards links` opens it.

"""


def sheet(project: Project) -> dict[Path, str]:
    """The README of the dashboards with the sheet in it."""
    path = project.dashboards / "README.md"
    text = build_sheet(project.dashboards, project.contracts)
    return {path: with_section(path, BEGIN, END, f"\n\n{text}\n\n", HEADING)}


def build_sheet(specs: Path, contracts: Path) -> str:
    """All dashboards, chart by chart, as Markdown."""
    dashboards, known = checked_dashboards(specs, contracts), usable_contracts(contracts)
    parts = []
    for board in (loaded.dashboard for loaded in dashboards):
        parts += [f"### {board.title}\n", "| alias | table | fields whose type to set |"]
        parts.append("| --- | --- | --- |")
        for alias, source in board.sources.items():
            parts.append(f"| `{alias}` | `{source.product}` | {_types(board, alias, known)} |")
        parts += ["", *(_control(board, control) for control in board.controls)]
        parts += [_chart(board, chart) for chart in board.charts]
    return "\n".join(parts).rstrip()


def _types(board: Board, alias: str, contracts: Mapping[str, Contract]) -> str:
    metrics = [metric for metric in board.metrics.values() if metric.source == alias]
    fields = {metric.field: SPELLINGS[metric.format].in_looker for metric in metrics}
    columns = contracts[board.sources[alias].product].columns
    fields |= {column.name: "Date" for column in columns if column.logical_type == "date"}
    return ", ".join(f"`{name}`: {kind}" for name, kind in fields.items())


def _chart(board: Board, chart: Chart) -> str:
    filters = [
        f"Include `{one.field}` {'Equal to' if one.one_of is None else 'In'} "
        + ", ".join(f"`{value}`" for value in one.values)
        for one in chart.filters
    ]
    place = chart.position
    lines = [
        ("Chart", chart.in_looker),
        ("Data source", f"`{chart.source}`"),
        *chart.settings(board),
        ("Filter", " and ".join(filters) or "none"),
        (
            "Place",
            f"columns {place.column} to {place.column + place.width - 1} of 12, "
            f"rows {place.row} to {place.row + place.height - 1}",
        ),
        ("Text under the title", chart.look_at + (f" {chart.note}" if chart.note else "")),
    ]
    return _table(f"{chart.title} (`{chart.id}`)", lines)


def _control(board: Board, control: AnyControl) -> str:
    first, *others = control.sources
    lines = [("Data source", f"`{first}`"), *control.settings(board)]
    if others:
        named = ", ".join(f"`{alias}`" for alias in others)
        same = f"set the field ID of `{control.field}` in {named} to that in `{first}`"
        lines.append(("Other data sources", f"{same}, so that their charts follow too"))
    reached = [f"`{chart.id}`" for chart in board.charts if control.reaches(chart)]
    left = [f"`{chart.id}`" for chart in board.charts if not control.reaches(chart)]
    lines.append(("Charts that follow", ", ".join(reached)))
    if left:
        told = f"{', '.join(left)}: group the control with those that follow"
        lines.append(("Charts that do not", told))
    lines.append(("Place", "on top of the page, above all charts"))
    return _table(f"Control: {control.label} (`{control.id}`)", lines)


def _table(title: str, lines: Sequence[tuple[str, str]]) -> str:
    table = "\n".join(f"| {name} | {text.replace('|', chr(92) + '|')} |" for name, text in lines)
    return f"#### {title}\n\n| setting | value |\n| --- | --- |\n{table}\n"
