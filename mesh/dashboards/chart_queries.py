"""The queries of a project's dashboards, as the proof and the cost read them."""

from __future__ import annotations

from mesh.dashboards.queries import queries
from mesh.dashboards.read import dashboard_files, load_dashboards
from mesh.project import Project
from mesh.prove.run import ChartQuery


def chart_queries(project: Project) -> list[ChartQuery]:
    """One per chart, at the line where it stands; none in a project without dashboards.

    DashboardInvalid if a dashboard cannot be read.
    """
    if not dashboard_files(project.dashboards):
        return []
    return [
        ChartQuery(
            f"{query.dashboard}/{query.chart}",
            loaded.tree.path,
            loaded.tree.line(("charts", index)),
            query.query.sql(dialect="bigquery"),
        )
        for loaded in load_dashboards(project.dashboards)
        for index, query in enumerate(queries(loaded.dashboard))
    ]
