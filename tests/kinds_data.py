"""Data by hand for the kinds of charts that no dashboard of this project has to have."""

from __future__ import annotations

import json
from datetime import date
from math import exp, sin
from pathlib import Path
from typing import Any

from mesh.contracts import load_contracts
from mesh.dashboards import load_dashboards
from mesh.dashboards.data import ChartData, DashboardData, SourceState
from mesh.dashboards.drawing.evidence import share
from mesh.dashboards.drawing.vega import THEMES
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.preview.present import PageView, _card, present

FIXTURES = Path(__file__).parent / "fixtures" / "dashboards"
SPECS, CONTRACTS = FIXTURES / "looker", FIXTURES / "contracts"
AS_OF = date(2018, 9, 24)
GENRES = ("Drama", "Comedy", "Western", "Film-Noir", "Sci-Fi", "Horror", "Musical", "War", "IMAX")
TAGS = (
    "atmospheric", "beautiful cinematography", "boring", "cult film", "dark comedy",
    "disappointing", "dystopia", "great soundtrack", "overrated", "plot holes", "predictable",
    "quirky", "slow", "surreal", "thought-provoking", "twist ending", "visually appealing",
    "waste of time",
)  # fmt: skip
Rows = list[dict[str, Any]]


def month(count: int) -> date:
    """The month so many months after January 2014."""
    return date(2014 + count // 12, count % 12 + 1, 1)


def page(**rows: Rows) -> PageView:
    """The page of the fixture's dashboard with these rows by chart."""
    (loaded,) = load_dashboards(SPECS)
    board = loaded.dashboard
    charts = {}
    for chart in board.charts:
        names = [*chart.columns_read(board), *chart.metric_names]
        empty = dict.fromkeys(names) | {"as_of": AS_OF}
        charts[chart.id] = ChartData(tuple(empty | row for row in rows.get(chart.id, ())))
    products = dict.fromkeys(source.product for source in board.sources.values())
    sources = tuple(SourceState(product, f"dev.{product}", 9) for product in products)
    data = DashboardData("dev", charts, sources, AS_OF)
    return present(board, data, load_contracts(CONTRACTS))


def card(chart: str, rows: Rows) -> ChartView:
    """One chart of it with these rows."""
    return next(one for one in page(**{chart: rows}).charts if one.spec.id == chart)


def themed(vega: dict[str, Any], theme: str) -> dict[str, Any]:
    """A picture with the colours of a theme, as the page puts them in."""
    text = json.dumps(vega)
    for name, value in THEMES[theme].items():
        text = text.replace(f'"{name}"', f'"{value}"')
    return json.loads(text)


def specs_with(folder: Path, before: str, after: str) -> Path:
    """The fixture's dashboard, or the one of that folder, in which one text was replaced."""
    own = folder / "kinds.yaml"
    text = (own if own.exists() else SPECS / "kinds.yaml").read_text(encoding="utf-8")
    assert before in text
    (folder / "kinds.yaml").write_text(text.replace(before, after, 1), encoding="utf-8")
    return folder


def kinds_with(folder: Path, before: str, after: str, chart: str, rows: Rows) -> ChartView:
    """A chart of the fixture whose spec says something else."""
    (loaded,) = load_dashboards(specs_with(folder, before, after))
    board = loaded.dashboard
    found = next(one for one in board.charts if one.id == chart)
    product = board.sources[found.source].product
    names = [*found.columns_read(board), *found.metric_names]
    whole = tuple(dict.fromkeys(names) | {"as_of": AS_OF} | row for row in rows)
    return _card(board, found, ChartData(whole), load_contracts(CONTRACTS)[product], True)


def plays(counts: list[int | None], **more: Any) -> Rows:
    """Months from January 2014 on; None is a month that is missing."""
    return [
        {"month": month(i), "genre": "all", "plays": count, "plays_12": None} | more
        for i, count in enumerate(counts)
        if count is not None
    ]


def shares(genre: str, start: float, end: float, users: int = 900, months: int = 57) -> Rows:
    """A genre whose share goes from one to another, with the interval of so many users."""
    found = []
    for i in range(months):
        value = start + (end - start) * i / max(1, months - 1)
        one = share(value, users * 4)
        found.append(
            {"month": month(i), "genre": genre, "share": value * (1 + 0.2 * sin(i * 1.7))}
            | {"share_12": value if i >= 11 else None, "month_users": users}
            | {"share_low": one.low, "share_high": one.high}
        )
    return found


def of_each() -> Rows:
    """Shares whose months have the intervals, of few users in every fifth of them."""
    found = shares("Drama", 0.2, 0.3)
    for i, row in enumerate(found):
        one = share(row["share"], 90 if i % 5 else 20)
        row |= {"share_low": one.low, "share_high": one.high}
    return found


def cohort_rows(cohorts: int = 20, users: int = 300) -> Rows:
    """The last so many cohorts, who come back ever less; the smallest shares are held back."""
    found = []
    for i in range(57 - cohorts, 57):
        for since in range(57 - i):
            value = 1.0 if since == 0 else 0.24 * exp(-since / 5) * (1 + 0.2 * sin(i * 2.3 + since))
            few = value * users < 12
            found.append(
                {"cohort": month(i), "months_since": since, "cohort_users": users}
                | {"active": 0.0 if since == 9 and i % 3 == 0 else None if few else value}
            )
    return found


def survival_rows(**rates: float) -> Rows:
    """A curve per year, such as y2016=0.1 for a tenth that leaves each month."""
    found = []
    for name, rate in rates.items():
        for since in range(25):
            left, users = (1 - rate) ** since, int(400 * 0.88**since)
            one = share(left, max(users, 1))
            found.append(
                {"year": int(name[1:]), "months_since": since, "left": left, "at_risk": users}
                | {"left_low": one.low, "left_high": min(1.0, one.high)}
            )
    return found


def effect(tag: str, difference: float | None, room: float = 0.1, **more: Any) -> dict[str, Any]:
    low, high = (None, None) if difference is None else (difference - room, difference + room)
    row = {"tag": tag, "difference": difference, "low": low, "high": high, "tag_users": 40}
    return row | {"offered": 0.1, "asked": 0.1} | more


def effects() -> Rows:
    found = []
    for i, tag in enumerate(TAGS):
        value = 0.55 * sin(i * 2.1)
        offered = 0.01 + 0.012 * i
        asked = offered * (1.1 + 0.25 * sin(i)) + (0.12 if tag == "quirky" else 0)
        found.append(
            effect(tag, value, 0.08 + 0.02 * (i % 9), offered=offered, asked=asked)
            | {"tag_users": 20 + 31 * i}
        )
    return sorted(found, key=lambda row: -row["difference"])


def all_rows() -> dict[str, Rows]:
    """Something for each chart, as it might come."""
    counts = [int(900 + 6 * i + 260 * sin(i / 1.9)) for i in range(57)]
    one = plays([None if i in (20, 21, 33) else count for i, count in enumerate(counts)])
    for row in one:
        i = (row["month"].year - 2014) * 12 + row["month"].month - 1
        row["plays_12"] = sum(counts[i - 11 : i + 1]) // 12 if i >= 11 else None
        row["month_users"] = row["plays"] // 7
    genres = [
        row
        for n, name in enumerate(GENRES)
        for row in shares(name, 0.26 - 0.028 * n, 0.25 - 0.027 * n + (0.03 if n == 2 else 0))
    ]
    return {
        "one_line": one,
        "two_lines": one,
        "genre_lines": [row for row in genres if row["genre"] in GENRES[:3]],
        "panels": genres,
        "cohorts": cohort_rows(),
        "survival": survival_rows(y2013=0.16, y2014=0.15, y2015=0.1, y2016=0.07),
        "tags": effects(),
        "demand": effects(),
        "most_used": [{"tag": tag, "tag_users": 90 - i} for i, tag in enumerate(TAGS)],
        "each_month": of_each(),
        "one_number": [effect("quirky", 0.1, asked=0.25)],
    }


def drawn(view: ChartView, has: str) -> Rows:
    """The rows of the picture that have a key."""
    assert view.vega
    tables = [one.get("values", []) for one in view.vega["data"]]
    return [row for rows in tables for row in rows if has in row]
