"""From a dashboard and its data to what a page shows."""

from __future__ import annotations

from collections.abc import Mapping

from mesh.contracts import Contract
from mesh.dashboards.data import ChartData, DashboardData
from mesh.dashboards.drawing.formats import day, span
from mesh.dashboards.drawing.view import ChartView, PageView, SourceView
from mesh.dashboards.kinds import Board, Chart

NO_DATA = "No data yet."
NOTHING_TO_SHOW = "Nothing that may be shown."


def present(board: Board, data: DashboardData, contracts: Mapping[str, Contract]) -> PageView:
    """The page of a dashboard, its charts in reading order; contracts: of its sources at least."""
    ordered = sorted(board.charts, key=lambda c: (c.position.row, c.position.column))
    with_rows = {state.product for state in data.sources if state.rows}
    sources = []
    for state in data.sources:
        contract = contracts[state.product]
        rows = "not there yet" if state.rows is None else f"{state.rows:,}"
        version = str(contract.version)
        sources.append(SourceView(state.product, version, contract.owner, state.view, rows))
    return PageView(
        id=board.id,
        title=board.title,
        audience=board.audience,
        purpose=board.purpose,
        environment=data.environment,
        as_of=day(data.as_of),
        footnote=board.footnote or "",
        charts=[
            _card(
                board,
                chart,
                data.charts[chart.id],
                contracts[board.sources[chart.source].product],
                board.sources[chart.source].product in with_rows,
            )
            for chart in ordered
        ],
        sources=sources,
    )


def _card(
    board: Board, chart: Chart, data: ChartData, contract: Contract, with_rows: bool
) -> ChartView:
    """with_rows: whether its product has any: then, if there are none here, they are held back."""
    source = board.sources[chart.source]
    names = chart.metric_names
    shown = [dict(row) for row in data.rows if not names or row[names[0]] is not None]
    why = f"{NOTHING_TO_SHOW if with_rows else NO_DATA} {board.held_back or ''}".rstrip()
    first = shown[0] if shown else {}
    start = first.get(source.window_start) if source.window_start else None
    card = ChartView(
        id=chart.id,
        kind=chart.kind,
        title=chart.title,
        look_at=chart.look_at,
        note=chart.note or "",
        product=source.product,
        column=chart.position.column,
        width=chart.position.width,
        partial=chart.partial,
        script=chart.script,
        window=span(start, first.get(source.as_of), board.all_time),
        empty="" if shown else data.missing or why,
    )
    return chart.draw(board, contract, shown, card) if shown else card
