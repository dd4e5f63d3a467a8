"""How to build each chart in Looker Studio, from the specs: for people, and never by hand.

The sheet stands between two marks in the README of the dashboards' folder; the command writes it,
and a test holds it up to date.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mesh.contracts import Contract, load_contracts
from mesh.dashboards.check import checked_dashboards
from mesh.dashboards.drawing.formats import IN_LOOKER
from mesh.dashboards.kinds import Board, Chart
from mesh.dashboards.parts import Scalar
from mesh.dashboards.scan import chart_bytes, markdown
from mesh.errors import CheckFailed, Location, WrongUse
from mesh.project import Project

BEGIN, END = "<!-- generated: {name} -->", "<!-- end of {name} -->"


def write_sheet(project: Project, *, only_check: bool = False) -> bool:
    """Bring the generated parts of README and page of the dashboards up to date.

    Returns whether something was not. Raises CheckFailed when a file has lost its marks, WrongUse
    when there is no README.
    """
    specs, contracts = project.dashboards, project.contracts
    parts = [(specs / "README.md", "build sheet", build_sheet(specs, contracts))]
    page = project.docs / "dashboards.md"
    if page.is_file():
        parts.append((page, "bytes per chart", markdown(chart_bytes(specs, contracts))))
    changed = False
    for path, name, text in parts:
        if not path.is_file():
            raise WrongUse(
                f"there is no file for the {name}.",
                where=Location(project.shown(path)),
                fix=f"Write one with the lines `{BEGIN.format(name=name)}` and "
                f"`{END.format(name=name)}`.",
            )
        before = path.read_text(encoding="utf-8")
        after = replaced(before, name, text, project.shown(path))
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


def build_sheet(specs: Path, contracts: Path) -> str:
    """All dashboards, chart by chart, as Markdown."""
    dashboards, known = checked_dashboards(specs, contracts), load_contracts(contracts)
    parts = []
    for loaded in dashboards:
        board = loaded.dashboard
        parts.append(f"### {board.title}\n")
        parts.append("| alias | table | fields whose type to set |\n| --- | --- | --- |")
        for alias, source in board.sources.items():
            parts.append(f"| `{alias}` | `{source.product}` | {_types(board, alias, known)} |")
        parts.append("")
        parts += [_chart(board, chart) for chart in board.charts]
    return "\n".join(parts).rstrip()


def _types(board: Board, alias: str, contracts: Mapping[str, Contract]) -> str:
    metrics = [metric for metric in board.metrics.values() if metric.source == alias]
    fields = {metric.field: IN_LOOKER[metric.format] for metric in metrics}
    columns = contracts[board.sources[alias].product].columns
    fields |= {column.name: "Date" for column in columns if column.logical_type == "date"}
    return ", ".join(f"`{name}`: {kind}" for name, kind in fields.items())


def _chart(board: Board, chart: Chart) -> str:
    filters = [
        f"Include `{one.field}` "
        + (f"Equal to `{one.equals}`" if one.one_of is None else f"In {_listed(one.one_of)}")
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
    table = "\n".join(f"| {name} | {text.replace('|', chr(92) + '|')} |" for name, text in lines)
    return f"#### {chart.title} (`{chart.id}`)\n\n| setting | value |\n| --- | --- |\n{table}\n"


def _listed(values: list[Scalar]) -> str:
    return ", ".join(f"`{value}`" for value in values)
