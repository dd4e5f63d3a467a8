"""The queries of the dashboards, as the proof and the cost read them."""

from __future__ import annotations

from pathlib import Path

from mesh.prove.run import ChartQuery


def chart_queries(specs: Path) -> list[ChartQuery]:
    """One per chart of a folder of dashboards, at the line where the chart stands.

    DashboardInvalid if a dashboard cannot be read.
    """
    from mesh.dashboards import load_dashboards, queries

    return [
        ChartQuery(
            f"{query.dashboard}/{query.chart}",
            loaded.tree.path,
            loaded.tree.line(("charts", index)),
            query.query.sql(dialect="bigquery"),
        )
        for loaded in load_dashboards(specs)
        for index, query in enumerate(queries(loaded.dashboard))
    ]
