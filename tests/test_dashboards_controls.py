"""What a page is picked from: faults in specs, and what is drawn for each option."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlglot import exp

from mesh.dashboards import load_dashboards
from mesh.dashboards.chart_queries import chart_query, option_query
from mesh.dashboards.check import check
from mesh.dashboards.controls import MOST_DRAWN, LastMonths, OneOf
from mesh.dashboards.drawing.view import Unmoved
from mesh.dashboards.looker.sheet import build_sheet
from mesh.dashboards.preview.page import index_html, page_html
from mesh.dashboards.usage import read_usage
from tests.dashboards_data import HOSTILE
from tests.picked_data import CONTRACTS, MONTHS, SPECS, TAGS, page, plays, tag
from tests.project_copy import PROJECT

# Text to replace (its first occurrence), other text, rule, part of the message or the fix.
CONTROL_FAULTS = {
    "the same months twice": (
        "    months: [12]",
        "    months: [12, 12]",
        "VALUE",
        "`12` stands twice in a list",
    ),
    "a control of no source": (
        "    sources: [months]\n    question",
        "    sources: [month]\n    question",
        "CONTROL_SOURCE",
        "There is no source `month`. Did you mean `months`?",
    ),
    "a control that no chart follows": (
        "    sources: [months]\n    months: [12]",
        "    sources: [months, effects]\n    months: [12]",
        "CONTROL_SOURCE",
        "No chart of `effects` follows `period`. A chart follows when it shows `month`",
    ),
    "a column that one of the sources does not have": (
        "    sources: [effects]\n    sort",
        "    sources: [effects, months]\n    sort",
        "FIELD_UNKNOWN",
        "club.months has no column `tag`",
    ),
    "months that are no days": (
        "    field: month\n    sources",
        "    field: genre\n    sources",
        "FIELD_TYPE",
        "`genre` is string; here it must be date",
    ),
    "a default of another type": (
        "    field: tag\n    sources: [effects]\n    sort: {field: users, order: descending}\n",
        "    field: users\n    sources: [effects, months]\n    default: boring\n",
        "FIELD_TYPE",
        "`boring` is not integer, as `users` is",
    ),
    "a column of another type in another source": (
        "    field: tag\n    sources: [effects]\n    sort: {field: users, order: descending}\n",
        "    field: device\n    sources: [effects, months]\n",
        "CONTROL_TYPE",
        "`device` is string in `months`, but boolean in `effects`",
    ),
    "a value that the column never has": (
        "    field: tag\n    sources: [effects]\n    sort",
        "    field: verdict\n    default: prase\n    sources: [effects]\n    sort",
        "VALUE_UNKNOWN",
        "`verdict` is never `prase`. Did you mean `praise`?",
    ),
    "fewer than there are": (
        "    field: tag\n    sources: [effects]\n    sort: {field: users, order: descending}\n"
        "    search: true\n    most: 6",
        "    field: verdict\n    sources: [effects]\n    most: 2",
        "CONTROL_MANY",
        "`verdict` has 3 values, of which 2 are offered. Write `most: 3`.",
    ),
    "rows that are added up though none need be picked": (
        "    question: How",
        "    all: All\n    question: How",
        "CONTROL_SUM",
        "adds up rows, and `genre` can leave `genre` open",
    ),
    "one name for two": ("  - id: tag\n", "  - id: tag_list\n", "CONTROL_ID", "stands twice"),
    "a question about nothing": (
        "How is {} doing?",
        "How is it doing?",
        "VALUE",
        "Write a question with `{}` once",
    ),
    "a fact that is nothing": (
        "      - {field: verdict, label: Verdict, labels: {praise: It praises}}",
        "      - {label: Verdict}",
        "FACT",
        "Name `metric` or `field`",
    ),
    "a text that is compared": (
        "labels: {praise: It praises}}",
        "against: offered}",
        "FACT",
        "`verdict` is no number that could be compared",
    ),
    "a change of nothing": (
        "      - {metric: tag_users}",
        "      - {metric: tag_users, change: difference}",
        "TABLE_COLUMN",
        "`difference` is a change, but nothing says against what",
    ),
}


def specs_with(folder: Path, *changes: tuple[str, str]) -> Path:
    text = (SPECS / "picked.yaml").read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    (folder / "picked.yaml").write_text(text, encoding="utf-8")
    return folder


def test_the_fixture_keeps_to_its_contracts() -> None:
    assert check(SPECS, CONTRACTS) == (1, [])


@pytest.mark.parametrize("fault", CONTROL_FAULTS)
def test_a_fault_of_a_control_is_found(fault: str, tmp_path: Path) -> None:
    before, after, rule, words = CONTROL_FAULTS[fault]
    changes = [(before, after)]
    if rule == "CONTROL_SUM":
        changes.append(("field: plays, aggregate: value", "field: plays, aggregate: sum"))
    problems = check(specs_with(tmp_path, *changes), CONTRACTS)[1]
    assert [p for p in problems if p.rule == rule and words in str(p)], problems


def test_a_page_that_would_hold_too_many_charts_is_told(tmp_path: Path) -> None:
    folder = specs_with(tmp_path, ("    question: How", "    most: 1000\n    question: How"),
                        ("    most: 6", "    most: 1000"))  # fmt: skip
    (problem,) = check(folder, CONTRACTS)[1]
    # 1,000 genres in two periods, the period of all of them, and two charts of 1,000 tags.
    assert problem.rule == "CONTROL_MANY" and "would hold 4,002 charts" in problem.message
    assert f"at most {MOST_DRAWN:,}" in problem.fix


def test_each_option_has_its_own_chart_with_its_own_sentence_and_numbers() -> None:
    shown = page()
    picked = shown.picked["genre_plays"]
    assert picked.controls == ["genre", "period"]
    assert len(picked.cards) == 3 * 2
    drama, drama_year, western = picked.cards[:3]
    assert "Drama" in drama.csv and "Western" not in drama.csv
    assert "Western" in western.csv and "Drama" not in western.csv
    assert "330" in drama.csv and drama.csv.count("Drama") == 24
    assert "9,600 in Aug 2018" in western.seen and "320 in Aug 2018" in drama.seen
    # 12 whole months, and the one under way.
    assert drama_year.csv.count("Drama") == 13
    assert shown.charts[0] == drama


def test_a_chart_that_filters_the_column_itself_stays_and_says_so() -> None:
    shown = {card.spec.id: card for card in page().charts}
    assert [(one.label, one.picked) for one in shown["all_plays"].unmoved] == [
        ("Genre", True), ("Tag", True),
    ]  # fmt: skip
    assert page().picked["all_plays"].controls == ["period"]


def test_a_chart_says_which_months_were_picked_and_which_choice_it_follows() -> None:
    shown = page()
    every, year = shown.picked["all_plays"].cards
    assert every.window == "All data up to 24 Sep 2018"
    assert year.window == "1 Sep 2017 – 24 Sep 2018"
    assert [one.text for one in every.unmoved] == [
        "Follows “Months shown”, not “Genre”.", "Follows “Months shown”, not “Tag”."
    ]  # fmt: skip
    (genre, *_) = next(one for one in shown.charts if one.spec.id == "tag_facts").unmoved
    assert genre.text == "Follows “Tag”, not “Genre”."
    assert Unmoved("genre", "Genre", True).text == "Does not follow “Genre”."
    # All that there is lies within the months that were picked: nothing was cut off.
    new = page(months=plays("all", 5000)[12:]).picked["all_plays"].cards
    assert [one.window for one in new] == [every.window] * 2


def test_a_source_of_months_says_of_which_months_its_charts_are(tmp_path: Path) -> None:
    before = "months: {product: club.months, version: '>=1.0.0 <2.0.0', as_of: as_of}"
    after = before.replace("as_of: as_of", "as_of: as_of, month: month")
    folder = specs_with(tmp_path, (before, after))
    assert check(folder, CONTRACTS)[1] == []
    every, year = page(folder).picked["all_plays"].cards
    assert every.window == "Oct 2016 – Sep 2018" and year.window == "Sep 2017 – Sep 2018"
    late = page(folder, months=[MONTHS[0] | {"genre": "all"}, *plays("all", 5000)[15:]])
    assert late.picked["all_plays"].cards[1].window == "Sep 2017 – Sep 2018"
    one = page(folder, months=plays("all", 5000, months=1)).picked["all_plays"].cards[0]
    assert one.empty == "Not enough data in Oct 2016. A line needs two months."


def test_the_first_by_their_order_are_offered_and_the_page_says_of_how_many() -> None:
    control = page().controls[2]
    assert [one.label for one in control.options][:3] == ["slow", "Amélie", HOSTILE]
    assert control.many == "The first 6 of 53"
    assert control.not_found == "Nothing found among the first 6 of 53 under “Tag”."
    few = page(tags=TAGS[:3]).controls[2]
    assert (few.many, few.not_found) == (
        "3 to pick from",
        "Nothing found among the 3 under “Tag”.",
    )


def test_a_page_without_data_offers_nothing_and_says_so() -> None:
    shown = page(tags=[], months=[])
    html = page_html(shown, [shown], PROJECT)
    assert html.count("Nothing to pick yet") == 2
    assert shown.picked.keys() == {"genre_plays", "all_plays"}


def test_two_values_of_one_name_are_told_apart() -> None:
    control = OneOf.model_validate(
        {"id": "m", "kind": "one_of", "label": "M", "field": "id", "name": "title",
         "detail": "year", "sources": ["s"], "sort": {"field": "n", "order": "descending"}}
    )  # fmt: skip
    rows = [
        {"id": i, "title": "Emma", "year": year} for i, year in ((1, 1996), (2, 1996), (3, None))
    ]
    assert [one.label for one in control.options(rows, None, "All")] == [
        "Emma (1996), 1", "Emma (1996), 2", "Emma"
    ]  # fmt: skip


def test_all_of_them_stands_first_and_what_is_picked_at_first_is_what_the_spec_says() -> None:
    base = {"id": "g", "kind": "one_of", "label": "G", "field": "g", "sources": ["s"]}
    rows = [{"g": "b"}, {"g": "a"}, {"g": None}]
    every = OneOf.model_validate(base | {"all": "All of them"})
    assert [one.key for one in every.options(rows, None, "")] == ["", "a", "b"]
    assert every.options(rows, None, "")[0].wants("whatever") and not every.picks_one


def test_the_last_months_end_with_the_data() -> None:
    control = LastMonths.model_validate(
        {"id": "p", "kind": "last_months", "label": "P", "field": "m", "sources": ["s"],
         "months": [12, 36, 18]}
    )  # fmt: skip
    every, year, years, odd = control.options([], date(2018, 1, 31), "All data")
    assert [one.label for one in (every, year, years, odd)] == [
        "All data", "Last 12 months", "Last 3 years", "Last 18 months"
    ]  # fmt: skip
    # January is over: February 2017 is the first of twelve.
    assert year.since == date(2017, 2, 1) and years.since == date(2015, 2, 1)
    assert year.wants(date(2017, 2, 1)) and not year.wants(date(2017, 1, 31))
    # Of one that is under way nobody asked: twelve whole ones, and it.
    assert control.options([], date(2018, 1, 30), "All data")[1].since == date(2017, 1, 1)


def test_a_fact_stands_beside_what_it_is_compared_with() -> None:
    slow, unsure, praised = page().picked["tag_facts"].cards[:3]
    assert slow.seen == (
        "1 of 1 surely differs from the catalogue: share of plays 30.0% against 20.0%."
    )
    assert unsure.seen == ""
    fact = praised.content["lines"][1]
    assert fact["value"] == "30.0% of 70" and fact["against"] == "20.0%"
    assert fact["difference"] == "+0.40" and fact["ends"] == "(+0.30 to +0.50)"
    assert fact["sure"] == "up"
    assert praised.content["lines"][0]["value"] == "It praises"


def test_what_is_coloured_is_told_by_how_many_are_compared(tmp_path: Path) -> None:
    line = "      - {metric: asked, of: tag_users, against: offered, difference: difference, "
    line += "difference_interval: {low: low, high: high}}\n"
    board = specs_with(tmp_path, (line, line * 4))
    # Of four it takes 2.50 standard errors, not 1.96: 0.127 beside an interval of 0.1 to each side.
    tags = [tag("near", 90, 0.12), tag("far", 80, 0.13), tag("close", 70, 0.1002)]
    near, far, _ = page(board, tags).picked["tag_facts"].cards
    assert [one["sure"] for one in near.content["lines"][1:]] == [""] * 4 and near.seen == ""
    assert [one["sure"] for one in far.content["lines"][1:]] == ["up"] * 4
    assert near.reading == [
        "In brackets the 95% interval. Coloured is what would leave out 0 at 98.8% too, since 4 "
        "are compared: by chance one may at 95%."
    ]
    *_, alone = page(tags=tags).picked["tag_facts"].cards
    assert alone.reading == ["In brackets the 95% interval; coloured is what leaves out 0."]
    assert alone.content["lines"][1]["sure"] == "up"
    tags[0] |= {"low": None, "high": None}
    assert page(tags=tags).picked["tag_facts"].cards[0].reading == [
        "There are too few for an interval of the difference."
    ]


def test_a_fact_that_is_missing_says_why(tmp_path: Path) -> None:
    after = "    kind: facts\n    missing: fewer than five gave it\n"
    board = specs_with(tmp_path, ("    kind: facts\n", after))
    tags = [tag("slow", 90, 0.12) | {"asked": None, "difference": None}]
    card = next(one for one in page(board, tags).charts if one.spec.id == "tag_facts")
    assert card.content["lines"][1]["value"] == "–"
    assert card.reading == ["– stands where there is no number: fewer than five gave it."]


def test_a_table_without_a_choice_lists_the_rows_of_what_is_picked() -> None:
    card = page().picked["tag_list"].cards[1]
    (choice,) = card.content["choices"]
    assert [row[1][1] for row in choice["rows"]] == ["Amélie"]


def test_what_is_picked_is_read_as_bigquery_would_and_counts_as_read_by_its_charts() -> None:
    (loaded,) = load_dashboards(SPECS)
    board = loaded.dashboard
    control = board.controls[2]
    assert isinstance(control, OneOf)
    sql = option_query(control, exp.to_table("club.effects")).sql(dialect="bigquery")
    assert sql == "SELECT tag FROM club.effects GROUP BY tag ORDER BY MAX(users) DESC, tag"
    query = chart_query(board, board.charts[0], exp.to_table("club.months"))
    assert "genre" in query.named_selects
    charts = read_usage(SPECS).charts
    assert "genre" in charts["picked/genre_plays"].columns
    assert {"tag", "users"} <= charts["picked/tag_facts"].columns


def test_the_build_sheet_tells_how_to_make_a_control_and_whom_it_moves() -> None:
    sheet = build_sheet(SPECS, CONTRACTS)
    assert "#### Control: Genre (`genre`)" in sheet
    assert "| Control | Drop-down list, with the search box |" in sheet
    assert "| Control | Date range control: auto, which shows all |" in sheet
    assert "| Shorter ranges | 12 whole months of the data." in sheet
    assert "set a fixed range up to `as_of` (Max)" in sheet
    assert "| Charts that follow | `genre_plays`, `all_plays` |" in sheet
    assert "`all_plays`, `tag_facts`, `tag_list`: group the control" in sheet


def test_names_that_try_to_break_out_stay_text_and_the_index_says_what_there_is() -> None:
    shown = page(tags=[TAGS[2], *TAGS])
    assert HOSTILE not in page_html(shown, [shown], PROJECT)
    index = index_html([shown], PROJECT)
    assert "Genre: Drama, Western, all</p>" in index
    assert "and 50 more</p>" in index and HOSTILE not in index


def test_a_page_of_many_values_stays_small() -> None:
    names = [{"genre": f"G{i}"} for i in range(40)]
    shown = page(months=[row for n in names[:3] for row in plays(n["genre"], 50)])
    whole = len(page_html(shown, [shown], PROJECT))
    alone = len(page_html(replace(shown, picked={}, controls=[]), [shown], PROJECT))
    # Six pictures, twelve tables and what picks them.
    assert whole - alone < 40_000
