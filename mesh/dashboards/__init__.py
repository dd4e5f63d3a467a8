"""Dashboards: specs checked against contracts, built as pages, linked to Looker Studio.

`build(project, environment, out)` writes the pages; `queries(dashboard)` are what charts read.
"""

from mesh.dashboards.build import build
from mesh.dashboards.check import check, checked_dashboards
from mesh.dashboards.queries import ChartQuery, queries
from mesh.dashboards.read import Loaded, load_dashboards

__all__ = [
    "ChartQuery",
    "Loaded",
    "build",
    "check",
    "checked_dashboards",
    "load_dashboards",
    "queries",
]
