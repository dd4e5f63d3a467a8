"""Dashboards' data made by hand, as awkward as a test wants it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from mesh.contracts import load_contracts
from mesh.dashboards import load_dashboards
from mesh.dashboards.data import ChartData, DashboardData, SourceState
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.preview.present import PageView, present
from mesh.dashboards.spec import Dashboard
from tests.project_copy import PROJECT

AS_OF = date(2018, 9, 24)
HOSTILE = "<script>window.hacked = 1</script>\"'</script><img src=x onerror=hacked=1>"
RIGHT_TO_LEFT = "‮Drawkcab‬ & <b>bold</b> ‏עברית"


def specs_with(folder: Path, name: str, before: str, after: str) -> Path:
    """A copy of this project's specs in which one text of a dashboard was replaced."""
    for path in PROJECT.dashboards.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if path.stem == name:
            assert before in text
            text = text.replace(before, after, 1)
        (folder / path.name).write_text(text, encoding="utf-8")
    return folder


def dashboard(name: str) -> Dashboard:
    boards = [loaded.dashboard for loaded in load_dashboards(PROJECT.dashboards)]
    return next(board for board in boards if board.id == name)


def presented(name: str, data: DashboardData) -> PageView:
    """The page of a dashboard of this project with some data."""
    return present(dashboard(name), data, load_contracts(PROJECT.contracts))


def empty(name: str, missing: str = "") -> DashboardData:
    """A dashboard without any row; missing: why."""
    found = dashboard(name)
    charts = {chart.id: ChartData((), missing) for chart in found.charts}
    return DashboardData("dev", charts, _sources(found, None if missing else 0), None)


def filled(name: str, **rows: list[dict[str, Any]]) -> DashboardData:
    """A dashboard with these rows by chart; what a row does not say is 1, or as_of's day."""
    found = dashboard(name)
    charts = {}
    for chart in found.charts:
        plain, metrics = chart.columns_read(found), chart.metric_names
        whole = []
        for row in rows.get(chart.id, []):
            base: dict[str, Any] = dict.fromkeys((*plain, *metrics), 1)
            base |= {n: AS_OF for n in plain if n in ("as_of", "window_start", "active_from")}
            base |= {n: AS_OF for n in plain if n.startswith("previous_")}
            whole.append(base | row)
        charts[chart.id] = ChartData(tuple(whole))
    return DashboardData("dev", charts, _sources(found, 3), AS_OF)


def card(name: str, chart: str, rows: list[dict[str, Any]]) -> ChartView:
    """One chart of a dashboard with these rows."""
    view = presented(name, filled(name, **{chart: rows}))
    return next(one for one in view.charts if one.spec.id == chart)


def movie(rank: int, title: str, **more: Any) -> dict[str, Any]:
    """A row of the ranked table."""
    return {
        "period": "last_182_days",
        "movie_id": rank,
        "movie_rank": rank,
        "title": title,
        "genres": "Drama|War",
        "release_year": 1995,
        "movie_ratings": 100 - rank,
        "movie_ratings_change": 0.5,
        "movie_median": 4.0,
        "movie_median_change": -0.25,
        "comparison": "compared",
    } | more


def genre(rank: int, name: str, users: int, share: float, others: bool = False) -> dict[str, Any]:
    """A slice of a pie of genres."""
    return {
        "genre": name,
        "slice_rank": rank,
        "is_others": others,
        "genre_users": users,
        "genre_share": share,
    }


def _sources(found: Dashboard, rows: int | None) -> tuple[SourceState, ...]:
    products = dict.fromkeys(source.product for source in found.sources.values())
    return tuple(SourceState(product, f"mesh.{product}", rows) for product in products)
