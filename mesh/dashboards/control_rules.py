"""What the controls of a dashboard are checked for, beside the columns and values they name."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from mesh.dashboards.controls import MOST_DRAWN, AnyControl, LastMonths, OneOf
from mesh.dashboards.kinds.base import Found, Look, rule
from mesh.files.problems import shown, suggestion


@rule("CONTROL_SOURCE", "A control is of sources whose charts follow it.", of_data=True)
def _sources(look: Look) -> Iterator[Found]:
    for index, control in enumerate(look.board.controls):
        for place, alias in enumerate(control.sources):
            steps = ("controls", index, "sources", place)
            if alias not in look.board.sources:
                message = f"There is no source `{shown(alias)}`."
                yield Found(steps, message, suggestion(alias, look.board.sources))
            elif not any(c.source == alias and control.reaches(c) for c in look.board.charts):
                message = f"No chart of `{alias}` follows `{control.id}`."
                why = "shows" if isinstance(control, LastMonths) else "leaves open"
                fix = f"A chart follows when it {why} `{control.field}`. Take the source out, "
                yield Found(steps, message, fix + "or the filters of its charts.")


@rule("CONTROL_ID", "Controls have names of their own: links set them by these.")
def _ids(look: Look) -> Iterator[Found]:
    taken = {chart.id for chart in look.board.charts}
    for index, control in enumerate(look.board.controls):
        if control.id in taken:
            message = f"The id `{control.id}` stands twice."
            yield Found(("controls", index, "id"), message, "Rename one of them.")
        taken.add(control.id)


@rule("CONTROL_TYPE", "A control picks the same values in all of its sources.", of_data=True)
def _types(look: Look) -> Iterator[Found]:
    for index, control in enumerate(look.board.controls):
        columns = [look.column(alias, control.field) for alias in control.sources]
        first, *others = (column.logical_type if column else "" for column in columns)
        for place, kind in enumerate(others, 1):
            if first and kind and kind != first:
                message = f"`{control.field}` is {kind} in `{control.sources[place]}`, but "
                message += f"{first} in `{control.sources[0]}`."
                fix = "Take out the source that is another."
                yield Found(("controls", index, "sources", place), message, fix)


@rule("CONTROL_MANY", "A page holds what is drawn for each option, and stays small.")
def _many(look: Look) -> Iterator[Found]:
    counts = [_options(look, control) for control in look.board.controls]
    for index, control in enumerate(look.board.controls):
        column = look.column(control.sources[0], control.field)
        if isinstance(control, OneOf) and column and len(column.enum) > control.most:
            message = f"`{column.name}` has {len(column.enum)} values, of which {control.most} "
            fix = f"Write `most: {len(column.enum)}`."
            yield Found(("controls", index), f"{message}are offered.", fix)
    drawn = sum(
        prod(
            count
            for count, control in zip(counts, look.board.controls, strict=True)
            if control.reaches(chart)
        )
        for chart in look.board.charts
        if any(control.reaches(chart) for control in look.board.controls)
    )
    if drawn > MOST_DRAWN:
        message = f"The page would hold {drawn:,} charts, one for each that can be picked."
        yield Found(("controls",), message, f"Offer fewer by `most`: at most {MOST_DRAWN:,}.")


@rule(
    "CONTROL_SUM",
    "What is added over rows follows no control that leaves its values open.",
    of_data=True,
)
def _sums(look: Look) -> Iterator[Found]:
    for index, control in enumerate(look.board.controls):
        for chart in look.board.charts if not control.picks_one else ():
            known = [look.board.metrics.get(name) for name in chart.metric_names]
            summed = any(metric and metric.aggregate != "value" for metric in known)
            if summed and control.reaches(chart):
                message = f"`{chart.id}` adds up rows, and `{control.id}` can leave "
                message += f"`{control.field}` open."
                fix = "Read a product that counts all of them too, or take `all` out."
                yield Found(("controls", index), message, fix)


def _options(look: Look, control: AnyControl) -> int:
    """How many options a control has at most."""
    if isinstance(control, LastMonths):
        return len(control.months) + 1
    column = look.column(control.sources[0], control.field)
    listed = len(column.enum) if column else 0
    return min(listed or control.most, control.most) + (not control.picks_one)
