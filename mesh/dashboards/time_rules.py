"""What charts over months are checked for: their minimum, their band, and whole steps of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from mesh.dashboards.drawing import lines
from mesh.dashboards.kinds.base import Found, Look, rule
from mesh.dashboards.kinds.over_time import STEP_FIX, OverTime


@rule("BAND_OF", "What is said of a band or of a moving value is said where there is one.")
def _said_of_nothing(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(OverTime):
        each = "band_of: each" if chart.band_of == "each" else ""
        said = each or ("moving_support" if chart.moving_support else "")
        missing = "band" if each and not chart.band else "moving" if not chart.moving else ""
        if said and missing:
            message = f"`{said}` means nothing without `{missing}`."
            steps = (*here, said.partition(":")[0])
            yield Found(steps, message, f"Write `{missing}`, or take it out.")


@rule("MINIMUM", "A share or a median over months says how many it rests on at least.")
def _minimum(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(OverTime):
        names = [name for name in chart.metric_names if name in look.board.metrics]
        loose = [n for n in names if look.board.metrics[n].format != "count"]
        if loose and chart.support is None:
            message = f"`{loose[0]}` can rest on a single one in some months."
            fix = (
                "Write `support: {metric: …, least: 30}`, with a metric that counts what it is of."
            )
            yield Found(here, message, fix)


@rule("TIME_STEP", "A chart over months has a row for each, called by its first day.", of_data=True)
def _step(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(OverTime):
        column = look.column(chart.source, chart.time.field)
        if column is None or column.logical_type != "date":
            continue
        days = sorted(date.fromisoformat(str(example)) for example in column.examples)
        if off := lines.off_step(days, chart.time.every):
            message = f"`{column.name}`: {off}, as examples in its contract show."
            yield Found((*here, "time", "field"), message, STEP_FIX)
