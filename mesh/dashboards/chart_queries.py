"""The queries of a project's dashboards, as the proof and the cost read them."""

from __future__ import annotations

from mesh.dashboards.queries import queries
from mesh.dashboards.read import load_dashboards
from mesh.project import Project
from mesh.prove.run import ChartQuery


def chart_queries(project: Project) -> list[ChartQuery]:
    """One per chart, at the line where it stands; none in a project without dashboards.

    DashboardInvalid if a spec cannot be read.
    """
    if not project.dashboards.is_dir():
        return []
    found = []
    for loaded in load_dashboards(project.dashboards):
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
