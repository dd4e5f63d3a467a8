"""One number, and what share it is of something."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from mesh.contracts import Contract
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.kinds.base import Board, Chart, Row
from mesh.dashboards.parts import MetricName


class Scorecard(Chart):
    """One number."""

    partial: ClassVar[str] = "scorecard.html.j2"

    kind: Literal["scorecard"]
    metric: MetricName
    share: MetricName | None = None

    @property
    def in_looker(self) -> str:
        return "Scorecard"

    def settings(self, board: Board) -> list[tuple[str, str]]:
        lines = [("Metric", board.metrics[self.metric].in_looker)]
        if self.share:
            lines.append(("Optional metric", board.metrics[self.share].in_looker))
        return lines

    def draw(self, board: Board, contract: Contract, rows: list[Row], card: ChartView) -> ChartView:
        row, share = rows[0], ""
        if self.share:
            label = board.metrics[self.share].label.lower().removeprefix("share ")
            share = f"{board.text(self.share, row)} {label}"
        return replace(
            card,
            number=board.text(self.metric, row),
            content={"share": share, "part": (self.share and row[self.share]) or 0.0},
        )
