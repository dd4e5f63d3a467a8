"""One number, and what share it is of something."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from mesh.contracts import Contract
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.kinds.base import Board, Chart, Row
from mesh.dashboards.parts import MetricName


class Scorecard(Chart):
    """One number."""

    partial: ClassVar[str] = "scorecard.html.j2"
    in_looker: ClassVar[str] = "Scorecard"

    kind: Literal["scorecard"]
    metric: MetricName
    share: MetricName | None = None
    also: MetricName | None = Field(
        default=None, description="A second number, told in words: its label says of what."
    )

    def settings(self, board: Board) -> list[tuple[str, str]]:
        lines = [("Metric", board.metrics[self.metric].in_looker)]
        beside = [board.metrics[name].in_looker for name in (self.share, self.also) if name]
        return lines + [("Optional metric", text) for text in beside]

    def draw(self, board: Board, contract: Contract, rows: list[Row], card: ChartView) -> ChartView:
        row, share, also = rows[0], "", ""
        source = board.sources[self.source]
        if self.share and row[self.share] is not None:
            label = board.metrics[self.share].label.lower().removeprefix("share ")
            share = f"{board.text(self.share, row)} {label}"
        if self.also and row[self.also] is not None:
            also = f"{board.text(self.also, row)} {board.metrics[self.also].label.lower()}"
        return replace(
            card,
            number=board.text(self.metric, row),
            content={
                "share": share,
                "also": also,
                "window": card.window if source.window_start or source.month else "",
                "colour": board.colours.get(self.title, ""),
                # A bar is no longer than its place, however much more than all it is.
                "part": min(1.0, max(0.0, (self.share and row[self.share]) or 0.0)),
            },
        )
