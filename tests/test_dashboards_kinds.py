"""The kinds of charts: faults in their specs, and what is promised of each of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from sqlglot import exp, parse_one

from mesh.dashboards import load_dashboards
from mesh.dashboards.chart_queries import chart_query
from mesh.dashboards.check import check
from mesh.dashboards.drawing.vega import THEMES
from mesh.dashboards.looker.sheet import build_sheet
from mesh.dashboards.preview.build import placed
from mesh.dashboards.preview.page import page_html
from mesh.errors import CheckFailed
from mesh.prove.planner import planner_limits
from tests.dashboards_data import HOSTILE, RIGHT_TO_LEFT
from tests.kinds_data import (
    CONTRACTS,
    FIXTURES,
    SPECS,
    Rows,
    all_rows,
    card,
    cohort_rows,
    effect,
    page,
    plays,
    shares,
    specs_with,
    survival_rows,
    themed,
)
from tests.project_copy import PROJECT

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
    assert "| Chart | Scatter chart |" in sheet
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
