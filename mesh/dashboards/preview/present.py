"""From a dashboard and its data to what a page shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mesh.contracts import Contract
from mesh.dashboards.csv_file import csv_text
from mesh.dashboards.data import ChartData, DashboardData, SourceState
from mesh.dashboards.drawing.formats import day, span
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.kinds import Board, Chart

NO_DATA = "Not enough data: there is none yet."
NOT_ENOUGH = "Not enough data."


@dataclass(frozen=True)
class PageView:
    """A dashboard of one environment, ready to be printed: charts in reading order."""

    board: Board
    environment: str
    as_of: str
    charts: list[ChartView]
    sources: list[tuple[SourceState, Contract]]
    generated: bool = False


def present(board: Board, data: DashboardData, contracts: Mapping[str, Contract]) -> PageView:
    """The page of a dashboard; contracts: of its sources at least."""
    with_rows = {state.product for state in data.sources if state.rows}
    cards = []
    for chart in sorted(board.charts, key=lambda c: (c.position.row, c.position.column)):
        product = board.sources[chart.source].product
        rows = data.charts[chart.id]
        cards.append(_card(board, chart, rows, contracts[product], product in with_rows))
    sources = [(state, contracts[state.product]) for state in data.sources]
    return PageView(board, data.environment, day(data.as_of), cards, sources, data.generated)


def _card(
    board: Board, chart: Chart, data: ChartData, contract: Contract, with_rows: bool
) -> ChartView:
    """with_rows: whether its product has any: then, if there are none here, they are held back."""
    source = board.sources[chart.source]
    shown = [dict(row) for row in data.rows if chart.shows(row)]
    if not shown:
        why = f"{NOT_ENOUGH if with_rows else NO_DATA} {board.held_back or ''}".rstrip()
        return ChartView(chart, empty=data.missing or why)
    start = shown[0].get(source.window_start) if source.window_start else None
    window = span(start, shown[0].get(source.as_of), board.all_time)
    card = chart.draw(board, contract, shown, ChartView(chart, window=window))
    if card.empty:
        return replace(card, empty=f"{NOT_ENOUGH} {card.empty}")
    return replace(card, seen=chart.seen(board, shown), csv=csv_text(board, chart, data.rows))
