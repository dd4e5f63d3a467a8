"""Dashboards: specs checked against contracts, built as pages, linked to Looker Studio.

`preview.build` writes the pages, `chart_queries` has what charts read; `read_usage(folder)` says
which columns and values each chart reads, of a folder that need not be in order.
"""

from mesh.dashboards.check import check, checked_dashboards
from mesh.dashboards.read import Loaded, load_dashboards
from mesh.dashboards.usage import ChartUse, Usage, read_usage

__all__ = [
    "ChartUse",
    "Loaded",
    "Usage",
    "check",
    "checked_dashboards",
    "load_dashboards",
    "read_usage",
]
