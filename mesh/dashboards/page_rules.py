"""What the page of a dashboard is checked for: places, names, colours and its template."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from mesh.dashboards.kinds.base import Chart, Found, Look, rule
from mesh.dashboards.kinds.scorecard import Scorecard
from mesh.dashboards.parts import COLUMNS, Dimension
from mesh.files.problems import shown, suggestion


@rule("GRID", "Charts lie inside the twelve columns and do not overlap.")
def _grid(look: Look) -> Iterator[Found]:
    taken: dict[tuple[int, int], str] = {}
    for index, chart in enumerate(look.board.charts):
        place, steps = chart.position, ("charts", index, "position")
        last = place.column + place.width - 1
        if last > COLUMNS:
            message = f"`{chart.id}` ends in column {last}."
            fix = f"The grid has {COLUMNS} columns: make it narrower, or move it left."
            yield Found(steps, message, fix)
        cells = [
            (row, column)
            for row in range(place.row, place.row + place.height)
            for column in range(place.column, place.column + place.width)
        ]
        other = next((taken[cell] for cell in cells if cell in taken), None)
        if other:
            message = f"`{chart.id}` lies over `{other}`."
            yield Found(steps, message, "Move or resize one of them.")
        taken.update((cell, chart.id) for cell in cells if cell not in taken)


@rule("ID", "A dashboard is called as its file, so that it is found.")
def _id(look: Look) -> Iterator[Found]:
    name, path = look.board.id, look.tree.path
    if name != path.stem:
        message = f"The id is `{shown(name)}`, but the file is {shown(path.name)}."
        yield Found(("id",), message, f"Write `id: {shown(path.stem)}`.")


@rule("ID_DUPLICATE", "Ids are unique: lineage and links tell charts apart by them.")
def _id_duplicate(look: Look) -> Iterator[Found]:
    ids: dict[str, int] = {}
    for index, chart in enumerate(look.board.charts):
        if chart.id in ids:
            first = look.tree.line(("charts", ids[chart.id], "id"))
            message = f"The id `{chart.id}` stands twice: first on line {first}."
            yield Found(("charts", index, "id"), message, "Rename one of them.")
        ids.setdefault(chart.id, index)


@rule("TEMPLATE", "The template was tried on a day that was.")
def _template(look: Look) -> Iterator[Found]:
    stated = look.board.template.checked_on
    if stated is None:
        return
    try:
        day = date.fromisoformat(stated)
    except ValueError:
        message = f"There is no {stated}."
    else:
        # Where the day begins first it is a day ahead.
        if day <= datetime.now(UTC).date() + timedelta(days=1):
            return
        message = f"{stated} is still to come."
    fix = "Write the day on which somebody last tried it."
    yield Found(("template", "checked_on"), message, fix)


@rule("COLOUR", "A colour is that of a value or a label which a chart can show.")
def _colour(look: Look) -> Iterator[Found]:
    known = {metric.label for metric in look.board.metrics.values()}
    known |= {chart.title for _, chart in look.charts(Scorecard)}
    for _, chart in look.charts(Chart):
        for part in vars(chart).values():
            if isinstance(part, Dimension):
                column = look.column(chart.source, part.field)
                values = [one.value for one in column.enum] if column else []
                if not values:
                    # Of any number of values nobody knows them all.
                    return
                known |= {part.name(value) for value in values}
    for name in look.board.colours:
        if name not in known:
            message = f"Nothing that a chart shows is called `{shown(name)}`."
            yield Found(("colours", name), message, suggestion(name, sorted(known)))
