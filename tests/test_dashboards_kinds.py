"""The kinds of charts: faults in their specs, what they draw and what they say of the rows."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
import yaml
from sqlglot import exp, parse_one

from mesh.contracts import load_contracts
from mesh.dashboards import load_dashboards
from mesh.dashboards.chart_queries import chart_query
from mesh.dashboards.check import check
from mesh.dashboards.drawing import evidence, lines
from mesh.dashboards.drawing.evidence import Estimate, apart, by_chance, counted, pairs, share
from mesh.dashboards.drawing.formats import unlike, written
from mesh.dashboards.drawing.palette import colours, contrast
from mesh.dashboards.drawing.vega import STEPS, THEMES, themed
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.looker.sheet import build_sheet
from mesh.dashboards.preview.build import placed
from mesh.dashboards.preview.page import page_html
from mesh.dashboards.spec import Dashboard
from mesh.errors import CheckFailed
from mesh.prove.planner import planner_limits
from tests.dashboards_data import HOSTILE, RIGHT_TO_LEFT
from tests.kinds_data import (
    FIXTURES,
    GENRES,
    TAGS,
    Rows,
    all_rows,
    card,
    cohort_rows,
    drawn,
    effect,
    effects,
    month,
    of_each,
    page,
    plays,
    shares,
    survival_rows,
)
from tests.project_copy import PROJECT

# Half a year as always.
USUAL = [300, 310] * 3

SPECS, CONTRACTS = FIXTURES / "looker", FIXTURES / "contracts"

# Text to replace (its first occurrence), other text, rule, part of the message or the fix.
KIND_FAULTS = {
    "shares over months without a minimum": (
        "    support: {metric: month_users, least: 30}\n    filters: [{field: genre, one_of",
        "    filters: [{field: genre, one_of",
        "MINIMUM",
        "can rest on a single one in some months",
    ),
    "several metrics with a series": (
        "    metrics: [plays, month_users]",
        "    metrics: [plays, month_users]\n    moving: plays_12",
        "LINE_SERIES",
        "Name one metric, or take these out",
    ),
    "two formats on one axis": (
        "    metrics: [plays, month_users]",
        "    metrics: [plays, share]\n    support: {metric: month_users, least: 30}",
        "LINE_SERIES",
        "Make a chart of each format",
    ),
    "a line for each of any number of values": (
        "    filters: [{field: genre, one_of: [Drama, Comedy, Western]}]\n",
        "",
        "LINE_SERIES",
        "`genre` has any number of values; more than 6 lines cover each other",
    ),
    "a picture for each month": (
        "    dimension: {field: genre, label: Genre}\n    metric: share",
        "    dimension: {field: month, label: Genre}\n    metric: share",
        "PANELS",
        "each picture would have one point",
    ),
    "a curve of a count": (
        "    metric: left\n",
        "    metric: at_risk\n",
        "CURVE_SHARE",
        "`at_risk` is shown as `count`; a curve runs from 100% to 0%",
    ),
    "a crowd that is a count": (
        "    crowd: {year: common_year, share: common}\n",
        "    crowd: {year: common_year, share: at_risk}\n",
        "CURVE_SHARE",
        "`at_risk` is shown as `count`",
    ),
    "a heat map with one column on both sides": (
        "    cohort: {field: cohort, label: First month}",
        "    cohort: {field: months_since, label: First month}",
        "HEAT_MAP_COHORT",
        "`months_since` stands on both sides",
    ),
    "a reference that is neither": (
        "reference: {value: 0, label: no difference}",
        "reference: {label: no difference}",
        "REFERENCE",
        "Write either `value` or `of`",
    ),
    "a reference that the column does not have": (
        "    dimension: {field: tag, label: Tag}\n    metric: difference\n"
        "    interval: {low: low, high: high}\n    reference: {value: 0, label: no difference}",
        "    dimension: {field: verdict, label: Tag}\n    metric: difference\n"
        "    interval: {low: low, high: high}\n    reference: {of: all, label: all}",
        "REFERENCE",
        "`verdict` is never `all`. It is one of: praise, complaint, neither",
    ),
    "one metric on both sides": (
        "    y: asked",
        "    y: offered",
        "SCATTER_AXES",
        "`offered` stands on both sides",
    ),
    "a line of equal shares and stars": (
        "    y: asked",
        "    y: difference",
        "SCATTER_AXES",
        "have different formats: they are never equal",
    ),
    "months of text": (
        "time: {field: month}",
        "time: {field: genre}",
        "FIELD_TYPE",
        "`genre` is string; here it must be date",
    ),
    "months since that are no number": (
        "since: {field: months_since, label",
        "since: {field: cohort, label",
        "FIELD_TYPE",
        "`cohort` is date; here it must be integer",
    ),
    "an interval that is no metric": (
        "interval: {low: low, high: high}",
        "interval: {low: lows, high: high}",
        "METRIC_UNKNOWN",
        "There is no metric `lows`",
    ),
    "a line that names no row": (
        "    metrics: [plays]\n    moving: plays_12\n    filters: [{field: genre, equals: all}]\n",
        "    metrics: [plays]\n    moving: plays_12\n",
        "METRIC_NOT_ONE_ROW",
        "the chart leaves `genre` open",
    ),
    "a line over days": (
        "time: {field: month}",
        "time: {field: as_of}",
        "TIME_STEP",
        "`as_of`: 2018-09-24 is no first day of a month, as examples in its contract show",
    ),
    "a band of each where there is none": (
        "    band: {low: share_low, high: share_high}\n    band_of: each\n",
        "    band_of: each\n",
        "BAND_OF",
        "`band_of: each` means nothing without `band`",
    ),
    "a band of each where each is all": (
        "    moving: share_12\n    band: {low: share_low, high: share_high}\n    band_of: each\n",
        "    band: {low: share_low, high: share_high}\n    band_of: each\n",
        "BAND_OF",
        "`band_of: each` means nothing without `moving`",
    ),
    "a minimum of a moving value where there is none": (
        "    moving: plays_12\n",
        "    moving_support: {metric: plays, least: 9}\n",
        "BAND_OF",
        "`moving_support` means nothing without `moving`",
    ),
    "a pie of what can be below nothing": (
        "    kind: bar\n    look_at: Which words most people use.\n    source: effects\n"
        "    dimension: {field: tag, label: Tag}\n    metrics: [tag_users]\n    most: 5\n",
        "    kind: pie\n    look_at: Which words most people use.\n    source: effects\n"
        "    dimension: {field: tag, label: Tag}\n    metric: difference\n",
        "PIE_PARTS",
        "`difference` can be -5, says its contract. Draw bars",
    ),
    "one metric twice": (
        "    metrics: [plays, month_users]",
        "    metrics: [plays, plays]",
        "VALUE",
        "`plays` stands twice in a list. Take one of them out.",
    ),
    "more metrics than a line has": (
        "    metrics: [plays, month_users]",
        "    metrics: [plays, month_users, share, share_12, share_low, share_high]",
        "VALUE",
        "`metrics` has 6 entries. At most 5 can stand here.",
    ),
    "a filter that lets nothing through": (
        "one_of: [Drama, Comedy, Western]",
        "one_of: []",
        "VALUE",
        "`one_of` has 0 entries. Write at least 1.",
    ),
    "a title of blanks": (
        "    title: Each genre",
        "    title: '  '",
        "VALUE",
        "which does not have the form it must have. Write words, not blanks alone.",
    ),
    "an interval of no level": (
        "interval: {low: low, high: high}",
        "interval: {low: low, high: high, level: 100}",
        "VALUE",
        "99",
    ),
}


def specs_with(folder: Path, before: str, after: str) -> Path:
    own = folder / "kinds.yaml"
    text = (own if own.exists() else SPECS / "kinds.yaml").read_text(encoding="utf-8")
    assert before in text
    (folder / "kinds.yaml").write_text(text.replace(before, after, 1), encoding="utf-8")
    return folder


def test_the_fixture_keeps_to_its_contracts() -> None:
    assert check(SPECS, CONTRACTS) == (1, [])


@pytest.mark.parametrize("fault", KIND_FAULTS)
def test_a_fault_of_a_kind_is_found_where_it_stands(fault: str, tmp_path: Path) -> None:
    before, after, rule, words = KIND_FAULTS[fault]
    problems = check(specs_with(tmp_path, before, after), CONTRACTS)[1]
    found = [problem for problem in problems if problem.rule == rule and words in str(problem)]
    assert found, problems
    place = (SPECS / "kinds.yaml").read_text(encoding="utf-8").index(before)
    text = (tmp_path / "kinds.yaml").read_text(encoding="utf-8")
    first = text[: text.rindex("  - id: ", 0, place)].count("\n") + 1
    end = text.find("  - id: ", place + len(after))
    last = text[: end if end > 0 else len(text)].count("\n")
    assert first <= found[0].line <= last


def test_each_chart_has_a_query_that_bigquery_would_read_and_a_build_sheet() -> None:
    (loaded,) = load_dashboards(SPECS)
    board = loaded.dashboard
    sheet = build_sheet(SPECS, CONTRACTS)
    for chart in board.charts:
        product = board.sources[chart.source].product
        sql = chart_query(board, chart, exp.to_table(product, dialect="bigquery"))
        text = sql.sql(dialect="bigquery")
        read = parse_one(text, dialect="bigquery")
        assert read.sql(dialect="bigquery") == text and not [*planner_limits(read, lambda _: None)]
        assert f"(`{chart.id}`)" in sheet
    assert "| Missing data | Line breaks |" in sheet
    assert "| Filter of the minimum | Include `users` Greater than or equal to `30` |" in sheet
    assert "| Breakdown dimension | `year`, the last 3 |" in sheet
    assert "| Row dimension | `cohort` |" in sheet
    assert "| Reference line | 0, labelled “no difference” |" in sheet
    assert "| Chart | Bubble chart |" in sheet
    ends = "two charts: one sorted descending with 7 rows, one sorted ascending with 7; a single"
    assert f"| Rows | {ends} one where there are no more than 14 in all |" in sheet
    last = "where there are more than 3, Include `year` In the last of them; renew it"
    assert f"| Filter of the last | {last} when a newer one comes |" in sheet
    assert "| Horizontal axis | a line chart spaces what there is evenly" in sheet


@pytest.mark.parametrize(
    "chart",
    ["one_line", "two_lines", "genre_lines", "panels", "cohorts", "survival", "tags", "demand"],
)
def test_a_chart_without_rows_says_that_there_is_not_enough_data(chart: str) -> None:
    found = card(chart, [])
    assert found.empty == (
        "Not enough data, or none that may be shown. Numbers that stand for fewer than five "
        "users are not shown."
    )
    assert (found.vega, found.seen, found.csv) == (None, "", "")


@pytest.mark.parametrize(
    ("chart", "rows", "words"),
    [
        ("one_line", plays([7]), "A line needs two months."),
        (
            "genre_lines",
            shares("Drama", 0.2, 0.3, users=29),
            "A line needs two months; 0 of 57 can be shown. A month that rests on fewer than 30 "
            "users is left out (57 of 57); the CSV has it.",
        ),
        ("panels", shares("Drama", 0.2, 0.3, months=1), "A line needs two months."),
        (
            "panels",
            [*shares("Drama", 0.2, 0.3, users=29), *shares("War", 0.2, 0.3, months=1)],
            "None has two months that can be shown.",
        ),
        (
            "panels",
            shares("Drama", 0.2, 0.3, users=29),
            "A line needs two months; 0 of 57 can be shown. A month that rests on fewer than 30 "
            "users is left out (57 of 57); the CSV has it.",
        ),
        (
            "survival",
            [row | {"at_risk": 29} for row in survival_rows(y2016=0.1) if row["months_since"]],
            "No group has 30 users still watched beyond its start.",
        ),
        (
            "cohorts",
            [row | {"active": None} for row in cohort_rows()],
            "Numbers that stand for fewer than five users are not shown.",
        ),
        (
            "cohorts",
            [row for row in cohort_rows() if row["months_since"] == 0],
            "Numbers that stand for fewer than five users are not shown.",
        ),
        (
            "tags",
            [effect("slow", None)],
            "Numbers that stand for fewer than five users are not shown.",
        ),
        (
            "tags",
            [effect("slow", 0.2, tag_users=4)],
            "None rests on 5 users or more: the most is 4.",
        ),
        ("demand", [effect("slow", 0.2)], "Fewer than two rest on 5 users or more."),
    ],
)
def test_too_few_rows_for_a_picture_are_told(chart: str, rows: Rows, words: str) -> None:
    found = card(chart, rows)
    # Other charts of a page are about other days: without them one would not believe it.
    window = "all data up to 24 Sep 2018"
    assert found.empty == f"Not enough data in {window}. {words}"
    assert found.vega is None and found.seen == ""
    # What the product tells is no secret, though it is too little for a picture.
    assert found.csv.count("\n") == len(rows) + 1


def test_a_gap_stays_a_gap_and_a_month_by_itself_is_a_point() -> None:
    view = card("one_line", plays([10, 12, None, 11, None, 9, 8]))
    runs = [row.get("r") for row in drawn(view, "v")]
    # Two runs of two months, and in between a month that is in none.
    assert runs[0] == runs[1] and runs[2] is None and runs[3] == runs[4] != runs[0]


def test_the_month_that_is_not_over_is_a_hollow_point_and_no_end_of_a_line() -> None:
    view = card("one_line", plays([100] * 57))
    last = drawn(view, "v")[-1]
    assert (last.get("o"), last.get("r")) == (1, None)
    assert view.reading[-1] == "The hollow point is Sep 2018, which is not over."


def test_a_month_that_rests_on_too_few_is_left_out_and_the_chart_says_from_how_many_on() -> None:
    rows = shares("Drama", 0.2, 0.3)
    rows[30]["month_users"] = 29
    view = card("genre_lines", rows)
    assert len(drawn(view, "v")) == 56
    left_out = "A month that rests on fewer than 30 users is left out (1 of 57); the CSV has it."
    assert left_out in view.reading and "2016-07-01,Drama,2018-09-24" in view.csv
    assert "The band is the 95% interval." in view.reading


def test_the_table_behind_a_line_has_value_moving_value_interval_and_support() -> None:
    view = card("genre_lines", shares("Drama", 0.25, 0.25))
    assert view.head == ["Month", "Share of all plays", "The last 12 months", "Users"]
    newest, oldest = view.body[0], view.body[-1]
    assert newest[0] == "Sep 2018" and newest[2].startswith("25.0% (23.6% to 26.4%)")
    assert oldest[2].startswith("–") and oldest[3] == "900"


def test_the_band_of_each_month_stands_behind_its_own_number_and_not_the_moving_one() -> None:
    rows = of_each()
    view = card("each_month", rows)
    assert "The band is the 95% interval of each month by itself." in view.reading
    newest = view.body[0]
    assert newest[1].startswith("34.9% (25.8% to ") and newest[2] == "30.0%"
    # What has no interval cuts the band, and a month between two of these has a line of its own.
    for row in (rows[20], rows[22]):
        row |= {"share_low": None, "share_high": None}
    runs = [row.get("b") for row in drawn(card("each_month", rows), "v")]
    assert runs[19] and runs[20:23] == [None] * 3 and runs[23] not in (None, runs[19])
    # Nor does an interval stand where its number is left out.
    rows[30] |= {"share": None}
    assert "l" not in drawn(card("each_month", rows), "t")[30]
    none = [row | {"share_low": None, "share_high": None} for row in rows]
    view = card("each_month", none)
    assert "No month has an interval that could be drawn." in view.reading
    assert not any(said.startswith("The band") for said in view.reading) and view.seen == ""


def test_a_month_is_the_highest_only_where_each_has_an_interval() -> None:
    rows = [row | {"share": 0.2, "share_low": 0.15, "share_high": 0.25} for row in of_each()]
    rows[30] |= {"share": 0.6, "share_low": 0.5, "share_high": 0.7}
    told = "The highest is Jul 2016 with 60.0%"
    assert card("each_month", rows).seen.startswith(told)
    rows[40] |= {"share": 0.8, "share_low": None, "share_high": None}
    assert card("each_month", rows).seen == ""


def test_names_at_the_ends_of_lines_do_not_cover_each_other() -> None:
    last = [("a", "Drama", 0.5), ("b", "A name of two lines", 0.5), ("c", "War", 0.0)]
    last += [("d", "Film-Noir", 0.01)]
    found = lines.ends(last, (0.0, 1.0), 200)
    heights = {one.key: one.value * 200 for one in found}
    sizes = {one.key: len(one.lines) * lines.LINE_HEIGHT for one in found}
    order = sorted(heights, key=lambda key: heights[key])
    for low, high in pairwise(order):
        assert heights[high] - heights[low] >= (sizes[high] + sizes[low]) / 2 - 1e-9
    assert min(heights[key] - sizes[key] / 2 for key in heights) >= -1e-9


def test_lines_in_one_picture_have_colours_of_their_own() -> None:
    names = [f"Value {i}" for i in range(6)]
    assert len(set(colours(names, {}))) == 6
    assert colours(["Drama"], {"Drama": "#123456"}) == ["#123456"]


def test_a_year_is_compared_by_the_last_month_that_is_over() -> None:
    rows = plays([1000] * 44 + [1400] * 12 + [3])
    assert card("one_line", rows).seen == (
        "Plays, a year apart: 1,000 in Aug 2017, 1,400 in Aug 2018."
    )


def test_of_several_lines_it_is_told_how_many_surely_changed_and_one_of_them() -> None:
    rows = shares("Drama", 0.25, 0.25) + shares("Comedy", 0.2, 0.2) + shares("Western", 0.5, 0.02)
    assert card("genre_lines", rows).seen == (
        "1 of 3 surely changed in a year, Western: 13.1% in Aug 2017, 2.9% in Aug 2018."
    )
    assert card("panels", rows).seen == card("genre_lines", rows).seen
    assert "It is as sure as the band is narrow there." in card("panels", rows).reading
    bare = [row | {"share_low": None, "share_high": None} for row in rows]
    assert "No month has an interval that could be drawn." in card("panels", bare).reading
    assert not any("band" in said for said in card("panels", bare).reading)
    # Of two that fell alike the first of them is not the largest.
    rows += shares("Horror", 0.49, 0.02)
    told = "2 of 4 surely changed in a year, such as Western: 13.1% in Aug 2017, 2.9% in Aug 2018."
    assert card("panels", rows).seen == told


def test_what_may_be_chance_is_not_told() -> None:
    assert card("one_line", plays([1000, 1010, 990, 1020, 1000])).seen == ""
    assert card("genre_lines", shares("Drama", 0.25, 0.245) + shares("War", 0.2, 0.205)).seen == ""
    none = card("tags", [effect("slow", 0.1, 0.2), effect("dark", -0.1, 0.2)]).seen
    assert none == "None of the 2 surely differs from “no difference”."
    alike = survival_rows(y2015=0.1, y2016=0.101)
    assert card("survival", alike).seen == ""


def test_without_a_change_the_highest_and_the_lowest_month_are_told() -> None:
    assert card("one_line", plays([*USUAL, 900, 300, 100])).seen == (
        "The highest is Jul 2014 with 900 plays; the lowest is Sep 2014 with 100 plays."
    )


def test_counts_that_come_in_bursts_are_told_apart_only_beyond_these() -> None:
    # Real months of few users, of whom two made most of the last one: no change of the platform.
    bursts = [1910, 170, 221, 424, 225, 230, 536, 950, 1169, 971, 230, 951, 419, 293, 831]
    assert card("one_line", plays(bursts)).seen == ""
    assert evidence.bursts([100] * 4 + [400] * 4) == evidence.bursts(range(0, 9000, 300)) == 1
    # The middle one of 50²/1450, 50²/1550 and 200²/1600, by the median of chi squared.
    assert evidence.bursts([200, 250, 250, 300, 150]) == pytest.approx(1.7241 / 0.4549, rel=0.001)
    wide = counted(100).wider(4)
    assert (wide.value, wide.high - 100) == (100, 2 * (counted(100).high - 100))
    assert counted(3).wider(100).low == 0


def test_the_lowest_is_not_told_where_a_lower_one_may_be_held_back() -> None:
    rows = plays([*USUAL, 900, None, 310, 300])
    assert card("one_line", rows).seen == "The highest is Jul 2014 with 900 plays."
    gaps = "Plays: 9 of 10 months can be shown."
    assert gaps in card("one_line", rows).reading
    rows = plays([*USUAL, 900, None, 310, 0])
    assert card("one_line", rows).seen.endswith("the lowest is Oct 2014 with 0 plays.")


def test_a_line_of_which_most_cannot_be_shown_says_so_and_has_no_zeros_as_its_curve() -> None:
    # As of ml-latest-small: of most months somebody came, but too few to be told.
    users = [0, None, None, 0, 0, None, 14, None, None, None, 9, None]
    rows = [
        row | {"month_users": count}
        for row, count in zip(plays([*USUAL, 100, 90, 80, 70, 60, 50]), users, strict=False)
    ]
    view = card("two_lines", rows)
    assert view.seen == "Cannot be shown: users in 7 of 12 months."
    assert "Users: 5 of 12 months can be shown." not in view.reading
    shown = [row["v"] for row in drawn(view, "v") if row["k"] == "line-1"]
    assert shown == [14, 9]
    said = "A 0 beside months that cannot be shown is not drawn, since it is no curve; "
    assert said + "the numbers have it." in view.reading
    assert "0" in [line[2] for line in view.body]
    # Where nothing is held back, none is a number like any other.
    whole = [row | {"month_users": 0 if i < 11 else 9} for i, row in enumerate(rows)]
    assert len(drawn(card("two_lines", whole), "v")) == 24


def test_a_line_of_nothing_but_zeros_says_that_there_is_not_enough() -> None:
    view = card("one_line", plays([0, None, 0, 0]))
    assert view.vega is None and view.seen == ""
    assert view.empty == (
        "Not enough data in all data up to 24 Sep 2018. "
        "No month has a number above 0 that can be shown."
    )
    assert card("one_line", plays([0, None, 0, 7])).vega


def test_an_axis_of_nothing_but_zeros_begins_at_zero_and_names_no_number_twice() -> None:
    assert lines.domain([0.0, 0.0], "count") == lines.domain([0.0], "percent") == (0.0, 1.0)
    assert lines.numbers("count", 1)["tickMinStep"] == 1


def test_months_that_cannot_be_told_apart_share_the_place() -> None:
    # 900 against 880 is less than the 2.7 times 42 that it takes of eight others: √1,780 is 42.
    assert card("one_line", plays([*USUAL, 900, 100, 880])).seen == (
        "The highest is Jul 2014 with 900 plays, which may be chance against Sep 2014; "
        "the lowest is Aug 2014 with 100 plays."
    )
    # 900 against 700 is more: 5 times the root of 1,600.
    assert card("one_line", plays([*USUAL, 900, 100, 700])).seen.startswith(
        "The highest is Jul 2014 with 900 plays; "
    )
    assert card("one_line", plays([*USUAL, 0, 900, 0])).seen == (
        "The highest is Aug 2014 with 900 plays; Jul 2014 and Sep 2014 have none."
    )
    # Of more than three others it is not worth a sentence.
    assert card("one_line", plays([*USUAL, 900, 890, 880, 870, 860, 100])).seen == (
        "The lowest is Dec 2014 with 100 plays."
    )


def test_of_counts_that_are_rounded_down_all_that_they_can_be_is_told(tmp_path: Path) -> None:
    before = "plays: {source: months, field: plays, aggregate: value, label: Plays, format: count"
    rounded = f"{before}, rounded_to: 5"
    # 69 and 3 in truth, and 2 beside 3: which of these is the lowest nobody can say.
    view = kinds_with(tmp_path, before, rounded, "one_line", plays([30] * 6 + [65, 30, 0, 0, 25]))
    assert view.seen == (
        "The highest is Jul 2014 with 65–69 plays; the lowest is Sep 2014 with 0–4 plays, "
        "though Oct 2014 may be as low."
    )
    assert [line[1] for line in view.body][:5] == ["25–29", "0–4", "0–4", "30–34", "65–69"]
    assert "2014-07-01,2018-09-24,,65" in view.csv
    # 10 may be 14: as near to 30 as that, it is not surely less; 10 against 30 would be.
    assert not apart(counted(30), counted(10, 5)) and apart(counted(30), counted(10))
    problems = check(tmp_path, CONTRACTS)[1]
    assert ["comes in steps of 1, says" in str(one) for one in problems] == [True]


def test_a_line_of_years_is_whole_and_calls_them_by_their_years(tmp_path: Path) -> None:
    years = dict(zip(range(2006, 2012), USUAL, strict=True))
    years |= {2012: 900, 2013: 300, 2015: 310, 2018: 20}
    rows = [{"month": date(year, 1, 1), "plays": count} for year, count in years.items()]
    after = "time: {field: month, label: Year, every: year}"
    view = kinds_with(tmp_path, "time: {field: month}", after, "one_line", rows)
    runs = [row.get("r") for row in drawn(view, "v")]
    assert len({*runs[:8]}) == 1 and runs[0] is not None and runs[8:] == [None, None]
    assert drawn(view, "v")[-1]["o"] == 1 and "2018, which is not over." in view.reading[-1]
    assert view.head[0] == "Year" and [line[0] for line in view.body][::9] == ["2018", "2006"]
    assert view.seen == "The highest is 2012 with 900 plays."


def test_a_chart_that_cannot_be_drawn_is_named_with_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    view = page(**all_rows())
    chart = view.charts[0].spec
    lines = (FIXTURES / "looker" / "kinds.yaml").read_text().splitlines()
    (line,) = (n for n, text in enumerate(lines, 1) if text.strip() == f"- id: {chart.id}")
    said = rf"looker/kinds\.yaml:{line}: the chart `{chart.id}` of kind `{chart.kind}` cannot be "
    # What is seen in it, and its card.
    with monkeypatch.context() as patch, pytest.raises(CheckFailed) as error:
        patch.setattr(type(chart), "seen", lambda *_: {}["a word"])
        with placed(FIXTURES / "looker"):
            page(**all_rows())
    assert re.search(said + "drawn: KeyError: 'a word' Mend what the kind", str(error.value))
    with pytest.raises(CheckFailed) as error, placed(FIXTURES / "looker"):
        page_html(replace(view, charts=[replace(view.charts[0], unmoved=None)]), [view], PROJECT)
    assert re.search(said + "drawn: TypeError: 'NoneType' object is not it", str(error.value))


def test_small_pictures_share_one_scale_and_are_the_first_by_their_metric() -> None:
    view = card("panels", all_rows()["panels"])
    panels = view.content["panels"]
    assert [panel["name"] for panel in panels] == [
        "Drama", "Western", "Comedy", "Film-Noir", "Sci-Fi", "Horror", "Musical", "War",
    ]  # fmt: skip
    assert panels[0]["last"] == "25.0%"
    assert f"These are the first 8 of {len(GENRES)}; the CSV has all." in view.reading
    assert view.vega
    (scale,) = (scale for scale in view.vega["scales"] if scale["name"] == "y")
    values = [row["v"] for panel in panels for row in panel["values"]["lines"]]
    assert scale["domain"][0] == 0 and scale["domain"][1] > max(values)
    assert view.csv.count("IMAX") == 57


def test_a_cell_that_is_held_back_looks_unlike_0_and_unlike_one_that_is_not_over() -> None:
    rows = [
        {"cohort": month(i), "months_since": since, "cohort_users": 50, "active": value}
        for i, since, value in (
            (53, 0, 1.0), (53, 1, 0.0), (53, 2, None), (53, 3, 0.2), (54, 0, 1.0), (54, 1, 0.5),
        )
    ]  # fmt: skip
    view = card("cohorts", rows)
    cells = {(row["y"], row["x"]): row["c"] for row in drawn(view, "c")}
    assert cells["Jun 2018", 1] == 0
    assert cells["Jun 2018", 2] == -1
    # Its month is over, but its row is not there: held back as well.
    assert cells["Jul 2018", 1] == 5
    # September is not over on the 24th.
    assert ("Jun 2018", 3) in cells and ("Jul 2018", 2) not in cells
    assert view.body == [
        ["Jul 2018", "100%", "50.0%", "", ""],
        ["Jun 2018", "100%", "0.0%", "–", "20.0%"],
    ]
    assert view.reading[0] == "– is held back, too few; a blank is not over yet."
    assert [entry.name for entry in view.legend] == ["0", "up to 20.0%", "more than 40.0%"]


def test_a_cohort_that_a_product_leaves_out_is_held_back_when_its_month_is_over() -> None:
    rows = [
        {"cohort": month(i), "months_since": since, "cohort_users": 50, "active": 0.5}
        for i, since in ((40, 0), (40, 1), (41, 0))
    ]
    cells = {(row["y"], row["x"]): row["c"] for row in drawn(card("cohorts", rows), "c")}
    assert cells["Jun 2017", 1] == -1


def test_the_middle_cohort_is_told_where_all_of_them_are_known() -> None:
    kept = (0.5, 0.4, 0.3, 0.2, 0.1)
    rows = [
        {"cohort": month(i), "months_since": since, "cohort_users": 90, "active": value / since}
        for i, value in enumerate(kept)
        for since in (1, 2)
    ]
    told = "In the middle one of 5 cohorts: 30.0% after 1 month, 15.0% after 2"
    assert card("cohorts", rows).seen == f"{told} (share that is active)."
    rows[-1]["active"] = None
    assert card("cohorts", rows).seen == ""
    assert card("cohorts", [row for row in rows if row["cohort"] != month(0)]).seen == ""


def test_steps_of_a_heat_map_and_the_numbers_on_them_can_be_read_in_both_themes() -> None:
    for theme in THEMES.values():
        grounds = [contrast(theme[f"@step{i}"], theme["@card"]) for i in range(STEPS)]
        assert grounds == sorted(grounds)
        for i in range(STEPS):
            assert contrast(theme[f"@on{i}"], theme[f"@step{i}"]) >= 4.5, i
        # A page that is printed finds a colour's name by the colour.
        assert len({code.upper() for code in theme.values()}) == len(theme)


def test_curves_end_where_too_few_are_left_and_tell_of_how_many() -> None:
    view = card("survival", survival_rows(y2013=0.2, y2014=0.2, y2015=0.1, y2016=0.05))
    assert view.head[1:] == ["2014", "2015", "2016"]
    assert "These are the last 3 of 4; the CSV has all." in view.reading
    assert view.body[1] == [
        "1",
        "80.0% (75.5% to 83.8%), of 352",
        "90.0% (86.4% to 92.7%), of 352",
        "95.0% (92.2% to 96.8%), of 352",
    ]
    # 400 × 0.88^20 are 31, of the month after that only 27.
    assert view.body[-1][0] == "20"
    assert max(row["t"] for row in drawn(view, "low")) == 20


def test_two_curves_that_surely_differ_are_told_with_both_intervals() -> None:
    seen = card("survival", survival_rows(y2015=0.3, y2016=0.05)).seen
    assert seen.startswith("After 6 months 2016 and 2015 surely differ: 73.5% (")
    assert seen.endswith("(7.9% to 17.2%) (share that is left).")


def test_a_curve_that_ends_at_its_start_is_left_out_and_counted() -> None:
    rows = survival_rows(y2015=0.3, y2016=0.05)
    short = [row for row in survival_rows(y2014=0.9) if row["months_since"] < 1]
    view = card("survival", rows + short)
    assert view.head[1:] == ["2015", "2016"]
    told = "Left out, being too short to be seen: 1 curve that ends at the start."
    assert told in view.reading and told not in card("survival", rows).reading


def test_the_newest_groups_are_shown_though_an_old_one_is_known_for_longer() -> None:
    # As of ml-latest-small: of all years but the first only one month is known.
    years = {f"y{year}": 0.3 for year in range(2011, 2018)}
    rows = [row for row in survival_rows(**years) if row["months_since"] < 2]
    rows += survival_rows(y1996=0.3)
    view = card("survival", rows)
    assert view.head[1:] == ["2015", "2016", "2017"]
    assert [line[0] for line in view.body] == ["0", "1"]
    assert "These are the last 3 of 8; the CSV has all." in view.reading


def test_the_names_of_years_stand_in_their_order_where_they_do_not_stand_at_their_ends() -> None:
    def names(rows: Rows) -> list[str]:
        found = {row["lines"][0]: row["value"] for row in drawn(card("survival", rows), "lines")}
        return sorted(found, key=lambda name: -found[name])

    # Of each year only one month is known: they end within the picture of everybody's curve.
    rates = survival_rows(y2016=0.5, y2017=0.3)
    short = [row for row in rates if row["months_since"] < 2]
    everybody = [row | {"year": None} for row in survival_rows(y1996=0.1)]
    assert names([*short, *everybody]) == ["2016", "2017", "–"]
    texts = [row | {"year": str(row["year"] or "all")} for row in (*short, *everybody)]
    assert names(texts) == ["2016", "2017", "all"]
    # Of other texts no order is known.
    texts = [row | {"year": f"y{row['year']}"} for row in (*short, *everybody)]
    assert names(texts) == ["y2017", "y2016", "yNone"]
    # These lie so close at their ends that each name is pushed away from its own.
    assert names(survival_rows(y2014=0.08, y2015=0.07, y2016=0.075)) == ["2014", "2015", "2016"]
    # And these have room for their names, where the eye comes from the curve.
    assert names(survival_rows(y2014=0.2, y2015=0.1, y2016=0.05)) == ["2016", "2015", "2014"]


def test_one_curve_says_when_more_than_half_are_gone() -> None:
    seen = card("survival", survival_rows(y2016=0.3)).seen
    # 49.0% after two months may be more than half.
    assert seen.startswith("More than half of 2016 are gone after 3 months: 34.3% (")
    assert seen.endswith(") remain.")


def test_curves_whose_starts_crowd_in_one_year_say_so() -> None:
    def seen(common: float, **rates: float) -> str:
        more = {"common_year": 1996, "common": common}
        return card("survival", [row | more for row in survival_rows(**rates)]).seen

    told = (
        "Of 400 users still watched{} 74.8% have month 0 in 1996, so that they may tell of that "
        "year, not of what is usual."
    )
    assert seen(0.748, y2016=0.3).endswith(f" remain. {told.format('')}")
    # Two curves that do not surely differ may be of one year all the same.
    assert seen(0.748, y2015=0.1, y2016=0.101) == told.format(" (2015)")
    assert seen(0.49, y2015=0.1, y2016=0.101) == ""


def test_a_dot_is_full_where_its_interval_is_on_one_side() -> None:
    rows = [effect("a", 0.4), effect("b", 0.05), effect("c", -0.3), effect("d", 0.2, tag_users=4)]
    view = card("tags", rows)
    assert [row[0] for row in view.body] == ["a", "b", "c"]
    assert view.body[0] == ["a", "+0.40 (+0.30 to +0.50)", "40", "clear"]
    assert view.body[1][3] == "not clear"
    fills = {row["name"]: row["fill"] for row in drawn(view, "fill")}
    assert fills == {"a": "@accent", "b": "@card", "c": "@accent"}
    assert view.reading[0] == "The lines are 95% intervals."
    assert view.seen == "a is surely above “no difference”, c is surely below."
    assert not any("by chance" in said for said in view.reading)
    near = card("tags", [effect("a", 0.4), effect("b", 0.105), effect("c", 0.01)])
    assert "By chance alone one of 3 may seem so." in near.reading
    far = card("tags", [effect("a", 0.9), effect("b", 0.05), effect("c", -0.4)])
    assert far.seen.endswith("; the furthest is a with +0.90 (+0.80 to +1.00).")


def test_a_dot_that_chance_would_make_clear_is_not_told() -> None:
    # 0.105 beside its 0.1 is clear at 95%, and one of eight would be; 0.15 stays clear of all.
    rows = [effect(name, 0.02) for name in "bcdefgh"]
    assert card("tags", [effect("a", 0.105), *rows]).seen == ""
    assert card("tags", [effect("a", 0.15), *rows]).seen == (
        "a with +0.15 (+0.05 to +0.25) is surely above “no difference”."
    )
    # Where one of those that are clear might be so by chance it is said.
    assert card("tags", [effect("a", 0.15), effect("i", 0.105), *rows[:6]]).seen == (
        "a and i are above “no difference”; by chance alone one of 8 may seem so."
    )
    # Of many the names would be no sentence.
    many = card("tags", [*(effect(name, 0.4) for name in "aeiou"), effect("c", -0.4)])
    assert many.seen == "5 of 6 are surely above “no difference”, 1 of 6 is surely below."
    assert by_chance(20) == 1 and by_chance(40) == 2 and by_chance(10, 80) == 2


def test_the_end_of_an_interval_does_not_seem_to_touch_what_it_is_clear_of(tmp_path: Path) -> None:
    rows = [effect("a", 0.75, low=0.57, high=0.997), effect("b", 1.002, low=0.57, high=1.5)]
    (tmp_path / "kinds.yaml").write_text(
        (SPECS / "kinds.yaml")
        .read_text(encoding="utf-8")
        .replace(
            "label: Difference in stars, format: change_decimal", "label: Lift, format: decimal"
        )
        .replace("Lower end, format: change_decimal", "Lower end, format: decimal")
        .replace("Upper end, format: change_decimal", "Upper end, format: decimal")
    )
    before = "reference: {value: 0, label: no difference}"
    view = kinds_with(tmp_path, before, "reference: {value: 1, label: all}", "tags", rows)
    told = ["0.75 (0.57 to 0.997)", "1.00 (0.57 to 1.50)"]
    assert [row[1] for row in view.body] == told
    assert unlike(0.0004, 0.0, "change_percent") == "+0.04%"
    assert unlike(0.0004, 0.0, "change_points") == "+0.04 pp"
    assert written("datum.v", "change_points") == "replace(format(datum.v, '+.1%'), '%', ' pp')"
    assert lines.numbers("change_points", 0.1)["labelExpr"].endswith("'%', ' pp')")
    assert unlike(0.5004, 0.5, "percent") == "50.04%"
    assert unlike(1.0, 1.0, "decimal") == "1.00"


def test_a_dot_without_an_interval_is_never_clear() -> None:
    view = card("tags", [effect("a", 0.4) | {"low": None, "high": None}, effect("b", 0.3)])
    assert [row[3] for row in view.body] == ["not clear", "clear"]


def test_dots_at_both_ends_are_shown_and_the_middle_is_in_the_file() -> None:
    view = card("tags", effects())
    assert len(view.body) == 14
    assert "These are the first 7 and the last 7 of 18; the CSV has all." in view.reading
    assert len(view.csv.splitlines()) == 19


def kinds_with(tmp_path: Path, before: str, after: str, chart: str, rows: Rows) -> ChartView:
    """A chart of the fixture whose spec says something else."""
    from mesh.dashboards.preview.present import ChartData, _card

    (loaded,) = load_dashboards(specs_with(tmp_path, before, after))
    board = loaded.dashboard
    found = next(one for one in board.charts if one.id == chart)
    product = board.sources[found.source].product
    names = [*found.columns_read(board), *found.metric_names]
    whole = tuple(dict.fromkeys(names) | {"as_of": date(2018, 9, 24)} | row for row in rows)
    return _card(board, found, ChartData(whole), load_contracts(CONTRACTS)[product], True)


def test_the_reference_can_be_the_row_of_all(tmp_path: Path) -> None:
    rows = [effect("all", 0.2), effect("a", 0.4), effect("b", 0.25)]
    before = "reference: {value: 0, label: no difference}"
    after = "reference: {of: all, label: all tags}"
    view = kinds_with(tmp_path, before, after, "tags", rows)
    assert [(row[0], row[3]) for row in view.body] == [("a", "clear"), ("b", "not clear")]


def test_the_verdict_of_the_product_decides_where_it_has_one(tmp_path: Path) -> None:
    rows = [effect("a", 0.4, verdict="praise"), effect("b", 0.4, verdict="neither")]
    before = "    most: 14\n"
    after = "    verdict: {field: verdict, clear: [praise, complaint]}\n    most: 14\n"
    view = kinds_with(tmp_path, before, after, "tags", rows)
    assert [row[3] for row in view.body] == ["clear", "not clear"]
    assert view.seen == "a with +0.40 (+0.30 to +0.50) is surely above “no difference”."


def test_where_values_are_withheld_a_sentence_says_of_how_many_it_speaks(tmp_path: Path) -> None:
    """A reader takes the first of two for the first of all."""
    rows = [effect("a", 0.4), effect("b", 0.6)]
    before, after = "    most: 14\n", "    incomplete: true\n    most: 14\n"
    assert kinds_with(tmp_path, before, after, "tags", rows).seen == (
        "Of the 2 that can be shown, a and b are surely above “no difference”; others may be "
        "further."
    )
    more = [effect(name, 0.5) for name in "cde"]
    (tmp_path / "more").mkdir()
    assert kinds_with(tmp_path / "more", before, after, "tags", [*rows, *more]).seen == (
        "Of the 5 that can be shown, 5 are surely above “no difference”; others may be further."
    )
    (tmp_path / "one").mkdir()
    assert kinds_with(tmp_path / "one", before, after, "tags", rows[:1]).seen == (
        "Only one can be shown: a with +0.40 (+0.30 to +0.50) is surely above “no difference”; "
        "others may be further."
    )


def test_that_all_dots_are_clear_is_no_finding_where_a_chart_has_no_others(tmp_path: Path) -> None:
    before = "    most: 14\n"
    after = (
        "    verdict: {field: verdict, clear: [praise, complaint]}\n    most: 14\n"
        "    filters: [{field: verdict, one_of: [praise, complaint]}]\n"
    )
    rows = [effect("a", 0.4, verdict="praise"), effect("b", 0.39, verdict="praise")]
    (tmp_path / "alike").mkdir()
    assert kinds_with(tmp_path / "alike", before, after, "tags", rows).seen == ""
    rows.append(effect("c", 0.9, verdict="praise"))
    assert kinds_with(tmp_path, before, after, "tags", rows).seen == (
        "The furthest from “no difference” is c with +0.90 (+0.80 to +1.00)."
    )


def test_what_stands_out_of_a_scatter_is_told_with_both_numbers() -> None:
    rows = [
        effect(f"tag {i}", 0.1, offered=i / 50, asked=i / 50 + 0.002 * (i % 3)) for i in range(10)
    ]
    assert card("demand", rows).seen == ""
    rows[4]["asked"] = 0.3
    assert card("demand", rows).seen == (
        "tag 4 stands out: share of plays 30.0% at share of the catalogue 8.0%, more than the "
        "rest let one expect."
    )
    assert card("demand", rows[:6]).seen == ""


def test_a_small_share_stands_out_as_a_large_one_does() -> None:
    sizes = (0.45, 0.38, 0.2, 0.19, 0.12, 0.1, 0.07, 0.05, 0.04, 0.03)
    rows = [
        effect(f"tag {i}", 0.1, offered=size, asked=size * (0.9 + i % 3 / 10))
        for i, size in enumerate(sizes)
    ]
    assert card("demand", rows).seen == ""
    rows[8]["asked"] = 0.01
    assert card("demand", rows).seen.startswith("tag 8 stands out: share of plays 1.0% at")


def test_a_scatter_of_equal_values_is_drawn() -> None:
    view = card("demand", [effect("a", 0.1), effect("b", 0.1)])
    assert view.vega and view.seen == ""


def test_names_that_try_to_break_out_stay_text_in_every_kind() -> None:
    rows = all_rows()
    for row in rows["genre_lines"] + rows["panels"]:
        row["genre"] = {"Drama": HOSTILE, "Comedy": RIGHT_TO_LEFT}.get(row["genre"], row["genre"])
    rows["tags"][0]["tag"] = rows["demand"][0]["tag"] = HOSTILE
    view = page(**rows)
    text = page_html(view, [view], PROJECT)
    assert "<script>window.hacked" not in text
    assert "<img src=x" not in text
    assert len(text.encode()) < 2_000_000


def test_no_colour_of_a_theme_is_left_without_its_value() -> None:
    for one in page(**all_rows()).charts:
        # A kind with a template of its own need have no picture.
        assert one.vega or one.content
        for theme in THEMES:
            assert '"@' not in repr(themed(one.vega or {}, theme)).replace("'", '"')


def test_two_numbers_are_apart_only_beyond_chance() -> None:
    assert apart(counted(1400), counted(1000))
    assert not apart(counted(1040), counted(1000))
    assert not apart(share(0.5, 20), share(0.4, 20))
    assert apart(Estimate(0.5, 0.49, 0.51), Estimate(0.4, 0.39, 0.41))
    # Of many comparisons some lie so far apart by chance.
    one, other = Estimate(0.53, 0.5, 0.56), Estimate(0.46, 0.43, 0.49)
    assert apart(one, other) and not apart(one, other, pairs(20))


def test_the_interval_of_a_share_is_wilsons() -> None:
    # 10 of 50, from the published formula by hand.
    one = share(0.2, 50)
    assert (round(one.low, 4), round(one.high, 4)) == (0.1124, 0.3304)


def test_the_numbers_beside_small_pictures_are_of_one_month_or_say_of_which() -> None:
    rows = shares("Drama", 0.2, 0.2) + shares("War", 0.1, 0.1, months=55)
    view = card("panels", rows)
    told = [(panel["name"], panel["last"]) for panel in view.content["panels"]]
    assert told == [("Drama", "20.0%"), ("War", "10.0% in Jul 2018")]
    assert view.reading[0] == (
        "The number beside each name is of Sep 2018 (the last 12 months), or of the month that "
        "it names."
    )


@pytest.mark.parametrize(
    ("values", "form", "ticks", "ends"),
    [
        # Numbers stand at 0, 20, 40 and 60%: a point at 65.5% would lie above the last.
        ([0.05, 0.655], "percent", 3, (0.0, 0.8)),
        ([3.0, 42.2], "count", 3, (0.0, 60.0)),
        ([7], "count", 5, (0.0, 7.0)),
        ([3.31, 4.12], "decimal", 5, (3.2, 4.2)),
        ([1.0, 0.4], "percent", 5, (0.0, 1.0)),
    ],
)
def test_an_axis_ends_at_a_number_that_stands_at_it(
    values: list[float], form: str, ticks: int, ends: tuple[float, float]
) -> None:
    assert lines.domain(values, form, ticks) == ends


def test_a_line_that_ended_long_ago_has_no_number_of_today_and_comes_last() -> None:
    rows = shares("Musical", 0.5, 0.5, months=40) + shares("Drama", 0.2, 0.2)
    view = card("panels", rows)
    told = [(panel["name"], panel["last"]) for panel in view.content["panels"]]
    assert told == [("Drama", "20.0%"), ("Musical", "–")]
    assert "A – stands where no month of the last year can be shown." in view.reading
    assert not any("A –" in said for said in card("panels", rows[40:]).reading)


def test_values_without_a_picture_are_named() -> None:
    rows = shares("Drama", 0.2, 0.2) + shares("War", 0.1, 0.1, users=3)
    said = "Without a picture, as fewer than two months of it can be shown: War."
    assert said in card("panels", rows).reading
    assert not any("Without" in said for said in card("panels", rows[:57]).reading)


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


@pytest.mark.parametrize(("months", "step"), [(1, 1), (6, 1), (12, 2), (23, 4), (30, 6)])
def test_an_axis_of_few_months_names_each_of_them_once(months: int, step: int) -> None:
    axis = lines.time_axis(month(0), month(months)).to_dict()
    assert axis["tickCount"] == {"interval": "month", "step": step} and axis["format"] == "%b %Y"


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
