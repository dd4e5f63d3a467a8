"""Data by hand for a page whose charts follow what is picked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mesh.contracts import load_contracts
from mesh.dashboards import load_dashboards
from mesh.dashboards.data import ChartData, DashboardData, SourceState
from mesh.dashboards.preview.present import PageView, present
from tests.dashboards_data import HOSTILE
from tests.kinds_data import AS_OF, FIXTURES, Rows, month

SPECS, CONTRACTS = FIXTURES / "picked", FIXTURES / "contracts"


def plays(genre: str, count: int, months: int = 24) -> Rows:
    return [
        {"month": month(33 + i), "genre": genre, "plays": count + count // 10 * i}
        for i in range(months)
    ]


def tag(name: str, users: int, difference: float, verdict: str = "neither") -> dict[str, Any]:
    ends = {"low": difference - 0.1, "high": difference + 0.1}
    return {"tag": name, "users": users, "tag_users": users, "difference": difference} | ends | {
        "offered": 0.2, "asked": 0.3, "verdict": verdict
    }  # fmt: skip


TAGS = [tag("slow", 90, -0.5, "complaint"), tag("Amélie", 80, 0.05)]
TAGS += [tag(HOSTILE, 70, 0.4, "praise")]
TAGS += [tag(f"tag {i}", 60 - i, 0.0) for i in range(50)]
MONTHS = [*plays("Drama", 100), *plays("Western", 3000), *plays("all", 5000)]


def page(folder: Path = SPECS, tags: Rows = TAGS, months: Rows = MONTHS) -> PageView:
    (loaded,) = load_dashboards(folder)
    board = loaded.dashboard
    rows = {"genre_plays": months, "tag_facts": tags, "tag_list": tags}
    rows["all_plays"] = [row for row in months if row["genre"] == "all"]
    charts = {
        chart: ChartData(tuple({"as_of": AS_OF} | row for row in found))
        for chart, found in rows.items()
    }
    sources = tuple(SourceState(one.product, "dev", 9) for one in board.sources.values())
    options = {"genre": [{"genre": g} for g in sorted({row["genre"] for row in months})]}
    options["tag"] = [{"tag": row["tag"]} for row in tags]
    data = DashboardData("dev", charts, sources, AS_OF, options=options)
    return present(board, data, load_contracts(CONTRACTS))
