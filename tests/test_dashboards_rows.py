"""Rows that a chart could tell wrongly: too many, below nothing, of another step, empty."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from vl_convert import vega_to_svg

from mesh.contracts import load_contracts
from mesh.dashboards import load_dashboards
from mesh.dashboards.check import check
from mesh.dashboards.data import ChartData, DashboardData, SourceState
from mesh.dashboards.drawing.lines import called
from mesh.dashboards.drawing.palette import OTHERS, colours
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.preview.page import page_html
from mesh.dashboards.preview.present import PageView, present
from mesh.errors import CheckFailed
from tests.dashboards_data import filled, genre, movie, presented
from tests.kinds_data import (
    AS_OF,
    CONTRACTS,
    SPECS,
    Rows,
    card,
    drawn,
    effect,
    of_each,
    plays,
    shares,
    themed,
)
from tests.project_copy import PROJECT


def kinds_page(folder: Path, chart: str, rows: Rows, *changes: tuple[str, str]) -> PageView:
    """The page of the fixture, changed, with rows of one chart."""
    text = (SPECS / "kinds.yaml").read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    (folder / "kinds.yaml").write_text(text, encoding="utf-8")
    # A day up to which data go is the only one that the fixture's products have.
    assert {one.rule for one in check(folder, CONTRACTS)[1]} <= {"SOURCE_AS_OF"}
    (loaded,) = load_dashboards(folder)
    board = loaded.dashboard
    found = {one.id: ChartData(()) for one in board.charts}
    own = next(one for one in board.charts if one.id == chart)
    names = dict.fromkeys([*own.columns_read(board), *own.metric_names])
    found[chart] = ChartData(tuple(names | {"as_of": AS_OF} | row for row in rows))
    sources = tuple(SourceState(one.product, "dev", 9) for one in board.sources.values())
    data = DashboardData("dev", found, sources, AS_OF)
    return present(board, data, load_contracts(CONTRACTS))


def kinds_card(folder: Path, chart: str, rows: Rows, *changes: tuple[str, str]) -> ChartView:
    page = kinds_page(folder, chart, rows, *changes)
    return next(one for one in page.charts if one.spec.id == chart)


def test_a_pie_has_the_first_values_and_others_and_counts_none_twice() -> None:
    users = [100, 90, 80, 70, 60, 50, 40, 30, 20]
    rows = [genre(i, f"g{i}", count, 0.1) for i, count in enumerate(users, 1)]
    rows.append(genre(10, "Others", 60, 0.1, others=True))
    # What is counted in Others stands among the rows too, with a later place or with none.
    rows += [genre(11, "late", 15, 0.1), genre(0, "none", 12, 0.1) | {"slice_rank": None}]
    page = presented("user_360", filled("user_360", genres_rated=rows))
    view = next(one for one in page.charts if one.spec.id == "genres_rated")
    assert [line[0] for line in view.body] == [*(f"g{i}" for i in range(1, 10)), "Others"]
    # 100 of 540 + 60, and not of 627.
    assert view.body[0][-1] == "16.7%" and "The CSV has all 12, each for itself." in view.reading
    fills = [entry.colour for entry in view.legend]
    assert fills[-1] == OTHERS and all(a != b for a, b in pairwise(fills))


def test_others_of_a_pie_are_known_by_how_many_values_they_leave_out(tmp_path: Path) -> None:
    contracts = tmp_path / "contracts"
    shutil.copytree(PROJECT.contracts, contracts)
    path = contracts / "engagement" / "genre_audience_v2.odcs.yaml"
    text = path.read_text(encoding="utf-8")
    before = "logicalTypeOptions: {minimum: 1, maximum: 10}"
    assert text.count(before) == 1
    path.write_text(text.replace(before, "logicalTypeOptions: {minimum: 1}"), encoding="utf-8")
    found = [one for one in check(PROJECT.dashboards, contracts)[1] if one.rule == "TOP"]
    assert len(found) == 4 and "`slice_rank` has no `maximum` in its contract" in found[0].message


def test_a_pie_with_a_part_below_nothing_is_not_drawn() -> None:
    rows = [genre(1, "a", 30, 0.1), genre(2, "b", -20, 0.1)]
    with pytest.raises(CheckFailed, match="b is −20, and no part of a whole is below 0"):
        presented("user_360", filled("user_360", genres_rated=rows))


def test_colours_side_by_side_are_never_the_same() -> None:
    for start in range(40):
        names = [f"name {start + i}" for i in range(12)]
        found = colours(names, {names[5]: "#4C9F70"})
        assert all(a != b for a, b in pairwise(found))
        assert found[5] == "#4C9F70" and len(set(found)) == 8


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ([date(2014, 1, 1), date(2014, 1, 2)], "2014-01-02 is no first day of a month"),
        (
            [date(2014 + i // 4, i % 4 * 3 + 1, 1) for i in range(8)],
            "each `month` of 8 begins a quarter, and none stands between",
        ),
        ([date(2001 + i, 1, 1) for i in range(9)], "each `month` of 9 begins a year"),
    ],
)
def test_a_line_over_months_has_a_row_for_each(days: list[date], words: str) -> None:
    with pytest.raises(CheckFailed, match=words):
        card("one_line", [{"month": day, "genre": "all", "plays": 7} for day in days])


def test_a_line_over_quarters_has_no_gap_where_a_quarter_follows_another(tmp_path: Path) -> None:
    days = [date(2014 + i // 4, i % 4 * 3 + 1, 1) for i in range(19)]
    rows = [{"month": day, "genre": "all", "plays": 300 + i} for i, day in enumerate(days)]
    quarters = ("time: {field: month}", "time: {field: month, label: Quarter, every: quarter}")
    view = kinds_card(tmp_path, "one_line", rows, quarters)
    assert not any("can be shown" in said for said in view.reading)
    # 24 September: the third quarter of 2018 is not over.
    assert view.reading[-1] == "The hollow point is Q3 2018, which is not over."
    assert [line[0] for line in view.body[:2]] == ["Q3 2018", "Q2 2018"]
    assert called(date(2018, 12, 1), "quarter") == "Q4 2018"
    off = [*rows, {"month": date(2018, 9, 1), "genre": "all", "plays": 9}]
    with pytest.raises(CheckFailed, match="2014-01-01 and 2018-09-01 are not whole quarters apart"):
        kinds_card(tmp_path, "one_line", off, quarters)


def test_what_is_withheld_at_the_ends_counts_among_what_cannot_be_shown() -> None:
    # 36 months, of which the 8 from the fifth on are there, but for one: 7.
    counts = [None] * 4 + [40, 41, None, 43, 44, 45, 46, 47] + [None] * 24
    rows = plays([count or 0 for count in counts])
    for row, count in zip(rows, counts, strict=True):
        row["plays"] = count
    assert card("one_line", rows).seen == "Cannot be shown: plays in 29 of 36 months."
    for row in rows:
        row["plays"] = None if row["month"] < date(2016, 12, 1) else 40
    empty = card("one_line", rows).empty
    assert empty.endswith("A line needs two months; 1 of 36 can be shown.")


def test_a_table_shows_days_truth_and_numbers_that_are_missing(tmp_path: Path) -> None:
    rows = [movie(1, "Heat"), movie(2, "Speed", movie_median=None), movie(3, "Casino")]
    rows[1]["release_year"] = None
    page = presented("movie_trends", filled("movie_trends", most_rated_movies=rows))
    view = next(one for one in page.charts if one.spec.id == "most_rated_movies")
    lines = next(one["rows"] for one in view.content["choices"] if one["rows"])
    assert [line[1][2] for line in lines] == ["Drama, War"] * 3
    assert "–" in [cell[1] for cell in lines[1]] and "" not in [cell[1] for cell in lines[1]]


TABLE = """    kind: table
    look_at: Which words most people use.
    source: effects
    key: tag
    columns:
      - {dimension: tag, detail: %s, label: Tag}
      - {dimension: as_of, label: Day}
      - {metric: tag_users}
    page_size: 5
    sort: {field: users, order: descending}
"""
BAR = """    kind: bar
    look_at: Which words most people use.
    source: effects
    dimension: {field: tag, label: Tag}
    metrics: [tag_users]
    most: 5
    sort: {field: users, order: descending}
"""


@pytest.mark.parametrize(
    ("detail", "value", "text"),
    [("users", 1995, "1995"), ("verdict", True, "yes"), ("verdict", None, "")],
)
def test_a_day_and_a_detail_that_is_no_text_stand_in_a_table(
    tmp_path: Path, detail: str, value: Any, text: str
) -> None:
    rows = [effect("slow", 0.2) | {"users": 9, detail: value}]
    rows.append(effect("quirky", 0.2) | {"users": 8, "as_of": None})
    page = kinds_page(tmp_path, "most_used", rows, (BAR, TABLE % detail))
    view = next(one for one in page.charts if one.spec.id == "most_used")
    first, second = view.content["choices"][0]["rows"]
    assert first[1] == ["slow", "slow", text] and first[2] == ["2018-09-24", "24 Sep 2018"]
    assert second[2] == [None, "–"]
    # The page holds it as data, which a script sorts.
    html = page_html(page, [page], PROJECT)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert data and json.loads(data[1])["contents"]["most_used"]["choices"][0]["rows"][0] == first


@pytest.mark.parametrize(
    ("start", "end"),
    [(date(2018, 6, 1), " a span of as many days."), (date(2018, 5, 1), None), (None, None)],
)
def test_a_span_of_as_many_days_is_told_only_where_it_is(
    start: date | None, end: str | None
) -> None:
    # From 1 June to 24 September and from 5 February to 31 May are 116 days each.
    rows = [movie(1, "Heat", previous_start=date(2018, 2, 5), previous_end=date(2018, 5, 31))]
    first = next(
        name
        for name in presented("movie_trends", filled("movie_trends")).board.sources.values()
        if name.product == "engagement.trending_movies"
    ).window_start
    assert first
    rows[0][first] = start
    page = presented("movie_trends", filled("movie_trends", most_rated_movies=rows))
    view = next(one for one in page.charts if one.spec.id == "most_rated_movies")
    against = next(one["against"] for one in view.content["choices"] if one["rows"])
    assert against == "Changes are against 5 Feb – 31 May 2018" + (f",{end}" if end else ".")


def test_of_counts_below_nothing_none_is_called_the_lowest() -> None:
    rows = [effect(name, 0.2, tag_users=n) for name, n in (("a", 900), ("b", 500), ("c", 100))]
    assert card("most_used", rows).seen.startswith("The highest is a with 900 users; the lowest")
    below = [*rows, effect("d", 0.2, tag_users=-20)]
    view = card("most_used", below)
    assert view.seen == "" and ["d", "−20"] in view.body


def test_a_card_says_nothing_of_a_share_that_is_missing(tmp_path: Path) -> None:
    before = "    metric: asked\n    filters: [{field: tag"
    share = (before, before.replace("filters", "share: offered\n    filters"))
    row = effect("quirky", 0.2, asked=0.3, offered=None)
    view = kinds_card(tmp_path, "one_number", [row], share)
    assert view.content["share"] == "" and view.content["part"] == 0
    view = kinds_card(tmp_path, "one_number", [row | {"offered": 2.844}], share)
    assert view.content["share"].startswith("284.4%") and view.content["part"] == 1


def test_what_rests_on_too_few_is_left_out_and_said_to_be_in_the_csv() -> None:
    rows = [effect("a", 0.4), effect("b", 0.3), effect("few", 0.2, tag_users=4)]
    for name in ("tags", "demand"):
        view = card(name, rows)
        assert "few" not in [line[0] for line in view.body] and "few" in view.csv
        told = "What rests on fewer than 5 users is left out (1 of 3); the CSV has it."
        assert told in view.reading


EACH = "    band_of: each\n"
MOVING = (EACH, f"{EACH}    moving_support: {{metric: plays, least: 9}}\n")


def test_a_moving_value_of_few_months_is_left_out_and_the_months_stay(tmp_path: Path) -> None:
    """Nine months and more can be told as twelve; of one alone the line says something else."""
    rows = [row | {"plays": 12 if i % 7 else 8} for i, row in enumerate(of_each())]
    view = kinds_card(tmp_path, "each_month", rows, MOVING)
    points = drawn(view, "v")
    assert ["m" in row for row in points] == [i >= 11 and i % 7 > 0 for i in range(57)]
    left_out = "what rests on fewer than 9 plays is left out (7 of 46); the CSV has it."
    assert f"Of the strong line {left_out}" in view.reading and view.csv.count("\n") == 58


def test_what_is_left_out_of_a_moving_value_is_told_nowhere(tmp_path: Path) -> None:
    """Not in the sentence, nor in the numbers, as an interval, or in the words for ears."""
    rows = [row | {"plays": 12} for row in shares("Drama", 0.2, 0.2)]
    for row in rows[-2:]:
        row |= {"plays": 1, "share_12": 0.9, "share_low": 0.89, "share_high": 0.91}
    strong = (EACH, "    moving_support: {metric: plays, least: 9}\n")
    view = kinds_card(tmp_path, "each_month", rows, strong)
    assert "of the strong line" in " ".join(view.reading).lower()
    told = f"{view.seen} {view.summary} {view.body[:2]}"
    assert "90.0%" not in told and "89.0%" not in told and "91.0%" not in told
    assert "0.9" in view.csv


def test_what_rests_on_one_is_told_without_a_number(tmp_path: Path) -> None:
    one = ("support: {metric: month_users, least: 30}", "support: {metric: month_users, least: 1}")
    rows = shares("Drama", 0.2, 0.3)
    rows[30]["month_users"] = 0
    view = kinds_card(tmp_path, "genre_lines", rows, one)
    assert "A month that rests on no users is left out (1 of 57); the CSV has it." in view.reading


def test_a_bar_below_nothing_goes_to_the_left_of_it() -> None:
    view = card("most_used", [effect("a", 0.2, tag_users=60), effect("b", 0.2, tag_users=-20)])
    assert view.vega
    scale = next(one for one in view.vega["scales"] if one["name"] == "x")
    assert (scale["domainMin"], scale["domainMax"]) == (-20, 60)
    rows = [row for one in view.vega["data"] for row in one.get("values", []) if "at" in row]
    assert [(row["value"], row["at"], row["end"]) for row in rows] == [
        (60, 60, "60"),
        (-20, 0, "−20"),
    ]


@pytest.mark.parametrize(
    ("first", "named"),
    [(2014, ["2014", "2015", "2016", "2017", "2018"]), (2018, ["Q1 2018", "Q2 2018", "Q3 2018"])],
)
def test_an_axis_of_quarters_names_each_where_there_is_room(
    tmp_path: Path, first: int, named: list[str]
) -> None:
    days = [date(year, start, 1) for year in range(first, 2019) for start in (1, 4, 7, 10)][:-1]
    rows = [{"month": day, "genre": "all", "plays": 300} for day in days]
    quarters = ("time: {field: month}", "time: {field: month, every: quarter}")
    view = kinds_card(tmp_path, "one_line", rows, quarters)
    svg = vega_to_svg(themed(view.vega or {}, "light"))
    assert re.findall(r">([^<>]*20\d\d)</text>", svg) == named


@pytest.mark.parametrize(("count", "sizes"), [(8, 0.0), (8, 1.0), (12, 0.0), (19, 1.0), (60, 0.5)])
def test_of_chance_alone_nothing_stands_out_of_19_in_20_scatters(count: int, sizes: float) -> None:
    """sizes: how much points differ in what they rest on, and so in how far chance moves them."""
    (loaded,) = load_dashboards(SPECS)
    board, rng, told, charts = loaded.dashboard, np.random.default_rng(3), 0, 300
    scatter = next(one for one in board.charts if one.id == "demand")
    for _ in range(charts):
        users = np.exp(rng.normal(6, sizes, count))
        offered = rng.uniform(0.1, 0.3, count)
        asked = 0.2 + 0.3 * offered + rng.normal(0, 0.2 / np.sqrt(users))
        rows = [
            effect(f"tag {n}", 0.1, offered=x, asked=y, tag_users=int(support))
            for n, (x, y, support) in enumerate(zip(offered, asked, users, strict=True))
        ]
        told += bool(scatter.seen(board, rows))
    assert told / charts < 0.075
