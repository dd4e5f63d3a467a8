"""Bars: in which order they come, and how the rows behind one are added up."""

from __future__ import annotations

from datetime import date

import duckdb
import yaml
from sqlglot import exp

from mesh.dashboards import load_dashboards
from mesh.dashboards.chart_queries import chart_query
from mesh.dashboards.spec import Dashboard
from tests.kinds_data import FIXTURES, TAGS, card


def test_bars_are_the_first_in_the_order_and_say_so() -> None:
    rows = [{"tag": tag, "tag_users": 90 - i} for i, tag in enumerate(TAGS)]
    view = card("most_used", rows)
    assert [line[0] for line in view.body] == list(TAGS[:5])
    assert view.reading == [f"These are the first 5 of {len(TAGS)}; the CSV has all."]
    assert view.csv.count("\n") == len(TAGS) + 1
    assert card("most_used", rows[:5]).reading == []


def test_rows_that_are_alike_in_the_order_are_in_that_of_their_names() -> None:
    (loaded,) = load_dashboards(FIXTURES / "looker")
    chart = next(one for one in loaded.dashboard.charts if one.id == "most_used")
    query = chart_query(loaded.dashboard, chart, exp.to_table("club.effects"))
    assert query.sql().endswith("ORDER BY tag_users DESC, tag")


DEALS = """
id: deals
title: Deals
audience: Tests
purpose: Which team wins.
sources:
  deals: {product: sales.deals, version: '1.0.0', as_of: closed_on, window_start: opened_on}
metrics:
  won: {source: deals, field: won, aggregate: sum, label: Won, format: count}
charts:
  - id: won
    kind: bar
    title: Won
    look_at: Who wins.
    source: deals
    filters: [{field: lost, equals: false}]
    dimension: {field: team, label: Team}
    metrics: [won]
    sort: {field: won, order: descending}
    position: {column: 1, row: 1, width: 6, height: 6}
"""


def test_rows_with_days_of_their_own_are_added_up_and_the_data_go_up_to_the_newest_of_all() -> None:
    board = Dashboard.model_validate(yaml.safe_load(DEALS))
    (chart,) = board.charts
    with duckdb.connect() as database:
        database.execute(
            "CREATE TABLE deals AS FROM (VALUES "
            "('east', 3, DATE '2026-09-01', DATE '2026-09-30', FALSE), "
            "('east', 4, DATE '2026-10-01', DATE '2026-10-31', FALSE), "
            "('west', 5, DATE '2026-08-01', DATE '2026-08-31', FALSE), "
            "('west', 9, DATE '2026-11-01', DATE '2026-11-27', TRUE)"
            ") AS t (team, won, opened_on, closed_on, lost)"
        )
        found = database.execute(chart_query(board, chart, exp.to_table("deals")).sql("duckdb"))
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert [(row["team"], row["won"]) for row in rows] == [("east", 7), ("west", 5)]
    assert {row["closed_on"] for row in rows} == {date(2026, 11, 27)}
    assert board.sources["deals"].first_day(rows) == date(2026, 8, 1)
