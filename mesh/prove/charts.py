"""The queries of the dashboards, as the proof and the cost read them."""

from __future__ import annotations

from pathlib import Path

from mesh.prove.run import ChartQuery


def chart_queries(root: Path | None = None) -> list[ChartQuery]:
    """One per chart of the specs in looker/, at the line where the chart stands.

    DashboardInvalid if a spec cannot be read.
    """
    from mesh.dashboards import load_dashboards, queries
    from mesh.dashboards.read import SPECS

    found = []
    for loaded in load_dashboards(root or SPECS):
        lines = loaded.tree.path.read_text(encoding="utf-8").splitlines()
        for query in queries(loaded.dashboard):
            ids = (n for n, line in enumerate(lines, 1) if line.strip() == f"- id: {query.chart}")
            found.append(
                ChartQuery(
                    f"{query.dashboard}/{query.chart}",
                    loaded.tree.path,
                    next(ids, 1),
                    query.query.sql(dialect="bigquery"),
                )
            )
    return found
