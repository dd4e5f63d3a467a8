"""Pages from data made by hand: what is escaped, what is said when there is nothing to draw."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html import unescape
from io import StringIO
from typing import Any

import pytest

from mesh.dashboards import load_dashboards
from mesh.dashboards.csv_file import cell, csv_text
from mesh.dashboards.data import _plain
from mesh.dashboards.drawing.formats import number, percent, span
from mesh.dashboards.drawing.palette import colour, contrast, ink_on
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.kinds.pie import label_place, slice_label
from mesh.dashboards.kinds.seen import named
from mesh.dashboards.preview.bundle import vega_script
from mesh.dashboards.preview.page import index_html, page_html
from mesh.dashboards.preview.present import PageView
from tests.dashboards_data import HOSTILE, RIGHT_TO_LEFT, dashboard, empty, filled, genre, movie
from tests.dashboards_data import presented as page
from tests.project_copy import PROJECT

MAX_BYTES = 2_000_000
BOARDS = [loaded.dashboard.id for loaded in load_dashboards(PROJECT.dashboards)]


def html(view: PageView) -> str:
    return page_html(view, [view], PROJECT)


@pytest.mark.parametrize("name", ["user_360", "movie_trends", "cohorts_and_churn"])
def test_a_dashboard_without_data_says_so_in_every_card(name: str) -> None:
    view = page(name, empty(name))
    text = html(view)
    assert text.count("Not enough data: there is none yet.") == len(view.charts)
    assert 'class="vega"' not in text


def test_a_group_that_is_too_small_is_said_to_be_held_back_beside_those_that_are_shown() -> None:
    users = [{"user_group": "all_users", "membership": "members", "group_users": 14}]
    text = html(page("user_360", filled("user_360", all_users=users)))
    said = (
        "Not enough data, or none that may be shown. Numbers that stand for fewer than five users, "
        "or would tell of so few beside the others, are not shown."
    )
    assert text.count(said) == len(dashboard("user_360").charts) - 1
    assert "there is none yet" not in text
    assert ">14<" in text


def test_a_product_that_an_environment_does_not_have_is_named() -> None:
    text = html(page("movie_trends", empty("movie_trends", "dev has no engagement.x yet.")))
    assert "dev has no engagement.x yet." in text
    assert "not there yet" in text


def test_generated_data_is_called_a_sample_on_every_page_and_real_data_is_not() -> None:
    data = filled("user_360", all_users=[{"group_users": 14}])
    for generated in (True, False):
        view = page("user_360", replace(data, generated=generated))
        for text in (html(view), index_html([view], PROJECT)):
            assert ("Sample: generated data, nobody is real" in text) is generated


def test_the_index_has_the_newest_day_of_all_pages_and_a_page_without_data_says_so() -> None:
    users = filled("user_360", all_users=[{"group_users": 14}])
    pages = [
        page("cohorts_and_churn", empty("cohorts_and_churn")),
        page("movie_trends", replace(filled("movie_trends"), as_of=date(2018, 9, 1))),
        page("user_360", users),
    ]
    assert "Data up to 24 Sep 2018" in index_html(pages, PROJECT)
    said = [re.findall(r"Data up to [^<]*|No data yet", html(one)) for one in pages]
    assert said == [["No data yet"], ["Data up to 1 Sep 2018"], ["Data up to 24 Sep 2018"]]
    assert "No data yet" in index_html(pages[:1], PROJECT)


def test_hostile_text_is_escaped_wherever_it_stands() -> None:
    rows = [movie(1, HOSTILE, genres=HOSTILE)]
    slices = [genre(1, HOSTILE, 9, 0.5), genre(10, "Others", 5, 0.2, True)]
    view = page(
        "movie_trends",
        filled("movie_trends", most_rated_movies=rows, half_year_genres_rated=slices),
    )
    text = html(view)
    assert "<script>window.hacked" not in text
    assert "<img src=x" not in text
    assert text.count("</script>") == len(re.findall(r"<script[ >]", text))
    assert "<script>window.hacked" not in index_html([view], PROJECT)


def test_a_page_is_self_contained_and_small() -> None:
    rows = [movie(rank, f"A title of usual length {rank}") for rank in range(1, 1001)]
    rows += [movie(rank, f"Another {rank}", period="last_30_days") for rank in range(1, 1001)]
    text = html(page("movie_trends", filled("movie_trends", most_rated_movies=rows)))
    assert len(text.encode()) < MAX_BYTES
    ours = text.replace(vega_script(PROJECT), "")
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:,|[a-z_0-9]+\.html)""", ours)
    assert "connect-src 'none'" in unescape(ours)


def test_the_table_falls_back_to_a_period_that_has_movies_and_says_so() -> None:
    rows = [movie(1, "Heat", period="last_30_days")]
    view = page("movie_trends", filled("movie_trends", most_rated_movies=rows))
    table = next(chart.content for chart in view.charts if chart.spec.kind == "table")
    assert table["start"] == "last_30_days"
    assert table["notice"] == (
        "This is the last 30 days. No movie was rated by five users or more in the last half year "
        "up to 24 Sep 2018."
    )


def test_a_movie_without_ratings_before_has_none_and_one_with_few_is_not_compared() -> None:
    nothing = {"movie_ratings_change": None, "movie_median_change": None} | before(None)
    rows = [
        movie(1, "New", comparison="new", **nothing),
        movie(2, "Few", comparison="few_before", **nothing),
        movie(
            3,
            "More",
            movie_ratings=60,
            movie_ratings_change=9.0,
            movie_median_change=0.5,
            **before(6),
        ),
        movie(4, "Less", movie_ratings=14, movie_ratings_change=-0.125, **before(16)),
        movie(5, "Far less", movie_ratings=5, movie_ratings_change=-0.9, **before(50)),
    ]
    view = page("movie_trends", filled("movie_trends", most_rated_movies=rows))
    table = next(chart.content for chart in view.charts if chart.spec.kind == "table")
    (found,) = (choice["rows"] for choice in table["choices"] if choice["rows"])
    changes = [row[4] for row in found]
    assert changes == [
        [None, "none before", "new", ""],
        [None, "few before", "hidden", ""],
        [9.0, "+900%", "up", "from 6"],
        # 14 after 16 is chance, and so has no colour.
        [-0.125, "−12.5%", "same", "from 16"],
        [-0.9, "−90.0%", "down", "from 50"],
    ]
    assert found[2][6] == [0.5, "+0.50", "same", ""]
    empty, full = table["choices"]
    days = "24 Sep – 24 Sep 2018"
    assert full["against"] == (
        f"Changes are against {days}, a span of as many days. “None before” means nothing in "
        "those days."
    )
    assert full["told"] == {
        "new": f"Nothing in {days}",
        "hidden": f"Too little in {days} to be shown",
    }
    assert (empty["against"], empty["told"], empty["seen"]) == ("", {}, "")


def test_a_choice_without_rows_is_called_by_its_name_since_its_days_are_not_known() -> None:
    rows = [movie(1, "Heat", window_start=date(2018, 3, 27))]
    view = card("movie_trends", "most_rated_movies", rows)
    assert [one["window"] for one in view.content["choices"]] == [
        "Last 30 days up to 24 Sep 2018",
        "27 Mar – 24 Sep 2018",
    ]
    assert view.window == "27 Mar – 24 Sep 2018"


def test_no_change_is_told_where_the_data_do_not_reach_back_to_what_it_would_be_against() -> None:
    nothing = {"movie_ratings_change": None, "movie_median_change": None} | before(None)
    rows = [movie(i, "Heat", comparison="few_before", **nothing) for i in (1, 2)]
    view = card("movie_trends", "most_rated_movies", rows)
    shown = next(one for one in view.content["choices"] if one["rows"])
    assert shown["against"] == (
        "Nothing can be compared with 24 Sep – 24 Sep 2018: the data do not reach back so far, or "
        "hold too little of that time."
    )
    assert [row[4] for row in shown["rows"]] == [[None, "–", "hidden", ""]] * 2
    assert shown["told"] == {} and view.reading == []


def before(count: int | None) -> dict[str, int | None]:
    return {"movie_ratings_before": count}


def test_a_share_stands_beside_how_many_it_is_of() -> None:
    rows = [
        {"genre": "War", "liking_share": 75 / 277, "asked_users": 277},
        {"genre": "Drama", "liking_share": 118 / 604, "asked_users": 604},
    ]
    view = page("user_360", filled("user_360", genres_like_share=rows))
    chart = next(chart for chart in view.charts if chart.spec.id == "genres_like_share")
    assert chart.body == [["War", "27.1%", "277"], ["Drama", "19.5%", "604"]]
    assert "27.1% of 277" in str(chart.vega)


def test_a_group_says_how_many_are_still_active_and_is_silent_where_that_is_held_back() -> None:
    raters = [{"group_users": 245, "group_share": 0.4, "group_active": 35}]
    taggers = [{"group_users": 18, "group_share": 0.03, "group_active": None}]
    text = html(page("user_360", filled("user_360", raters_count=raters, taggers_count=taggers)))
    assert re.findall(r"(\w+) active in the last 12 months", text) == ["35"]
    groups = [{"user_group": "taggers", "users_ever": 18, "active_users": None}]
    view = page("user_360", filled("user_360", group_activity=groups))
    assert next(chart.body for chart in view.charts if chart.body) == [["Taggers", "18", "–"]]


def test_a_scorecard_has_the_colour_that_its_dashboard_gives_its_title() -> None:
    row = [{"group_users": 18, "group_share": 0.25}]
    charts = {"active_users": [], "taggers_count": row, "sleepers": row}
    text = html(page("user_360", filled("user_360", **charts)))
    found = re.findall(r'<i style="width: 25.0%; background: ([^"]+)"', text)
    stated = dashboard("user_360").colours
    assert found == [stated["Taggers"], stated["Sleepers"]]


def test_active_users_are_the_first_number_and_say_since_when() -> None:
    active = [{"active_users": 59, "active_share": 0.0967, "active_from": date(2017, 10, 1)}]
    view = page("user_360", filled("user_360", active_users=active))
    assert (view.charts[0].spec.title, view.charts[0].number) == ("Active users", "59")
    assert "1 Oct 2017 – 24 Sep 2018" in html(view)


def test_a_legend_and_a_data_table_stand_beside_every_pie() -> None:
    slices = [genre(1, "Drama", 610, 1.0), genre(10, "Others", 200, 0.33, True)]
    view = page("user_360", filled("user_360", genres_rated=slices))
    chart = next(chart for chart in view.charts if chart.spec.id == "genres_rated")
    assert [(entry.name, entry.facts) for entry in chart.legend] == [
        ("Drama", ["610", "100%"]),
        ("Others", ["200", "33.0%"]),
    ]
    assert chart.body == [["Drama", "610", "100%", "75.3%"], ["Others", "200", "33.0%", "24.7%"]]
    assert "Drama, 610, 100%" in chart.summary


def test_a_genre_keeps_its_colour_on_every_chart_and_others_is_grey() -> None:
    one = [genre(1, "Drama", 9, 0.5), genre(2, "Unheard", 8, 0.5), genre(3, "War", 7, 0.4)]
    other = list(reversed(one))
    view = page("user_360", filled("user_360", genres_rated=one, genres_liked=other))
    colours = [
        {entry.name: entry.colour for entry in chart.legend}
        for chart in view.charts
        if chart.spec.id in ("genres_rated", "genres_liked")
    ]
    assert colours[0] == colours[1]
    assert colours[0]["Drama"] == dashboard("user_360").colours["Drama"]


def test_labels_in_slices_can_be_read_on_every_colour() -> None:
    stated = dashboard("user_360").colours
    for name in (*stated, *map(str, range(40))):
        assert contrast(ink_on(colour(name, stated)), colour(name, stated)) >= 4.5, name


def test_a_value_has_one_colour_on_all_dashboards() -> None:
    one, other = (dashboard(name).colours for name in ("user_360", "movie_trends"))
    assert {"Drama", "Western"} <= one.keys() & other.keys()
    assert all(one[name] == other[name] for name in one.keys() & other.keys())


def test_a_label_is_left_out_where_it_does_not_fit() -> None:
    inside = {"start": 0.0, "hole": False}
    assert slice_label("Drama", "610", "50%", part=0.5, **inside) == ["Drama", "610"]
    assert slice_label("Documentary", "610", "5%", part=0.05, **inside) == []
    assert slice_label("Drama", "610,000", "1%", part=0.01, **inside) == []
    assert slice_label("Tags", "3", "3%", start=0, part=0.03, hole=True) == []
    # Beside its legend a pie is smaller: what fits on a phone need not fit there.
    parts = [118, 111, 88, 84, 75, 72, 71, 71, 70, 193]
    names = ["Drama", "Crime", "Adventure", "Thriller", "War", "Action", "Comedy", "Romance"]
    least = {
        name: label_place([name, str(own)], sum(parts[:i]) / sum(parts), own / sum(parts))[1]
        for i, (name, own) in enumerate(zip(names, parts, strict=False))
    }
    assert least["Drama"] < 97 < least["Thriller"] < 150
    # A wide letter needs room.
    assert label_place(["mmmm"], 0.4, 0.1)[1] > label_place(["iiii"], 0.4, 0.1)[1]


def card(name: str, chart: str, rows: list[dict[str, Any]]) -> ChartView:
    """One chart of a dashboard with these rows."""
    view = page(name, filled(name, **{chart: rows}))
    return next(one for one in view.charts if one.spec.id == chart)


def test_the_largest_part_of_a_pie_is_told_if_it_surely_is() -> None:
    sides = [
        {"membership": "members", "group_users": 245, "group_share": 0.4},
        {"membership": "others", "group_users": 365, "group_share": 0.6},
    ]
    told = "The largest part is All other users with 365, 59.8% of the whole."
    assert card("user_360", "raters", sides).seen == told
    alike = [genre(1, "Drama", 610, 1.0), genre(2, "Comedy", 609, 0.99)]
    assert card("user_360", "genres_rated", alike).seen == ""
    # All the others together are no part that leads.
    rest = [genre(1, "Drama", 20, 1.0), genre(10, "Others", 900, 0.99, True)]
    assert card("user_360", "genres_rated", rest).seen == ""


def test_the_highest_and_the_lowest_bar_are_told_if_they_surely_differ() -> None:
    users = [{"genre": name, "genre_users": count} for name, count in (("Drama", 610), ("War", 9))]
    seen = card("user_360", "genres_reach", users).seen
    assert seen == "The highest is Drama with 610 users; the lowest is War with 9 users."
    asked = [
        {"genre": "War", "liking_share": 0.3, "asked_users": 277},
        {"genre": "IMAX", "liking_share": 0.1, "asked_users": 201},
    ]
    seen = card("user_360", "genres_like_share", asked).seen
    assert seen == "The highest is War with 30.0% of 277; the lowest is IMAX with 10.0% of 201."
    # As of the decades of ml-latest-small: of 32 who were asked one more or less is 3 points.
    third = {"genre": "Drama", "liking_share": 0.299, "asked_users": 32}
    assert card("user_360", "genres_like_share", [*asked, third]).seen == (
        "The highest is War with 30.0% of 277, though Drama, a rough 29.9% of 32, cannot be told "
        "apart from it; the lowest is IMAX with 10.0% of 201."
    )
    users.insert(1, {"genre": "Comedy", "genre_users": 609})
    assert card("user_360", "genres_reach", users).seen == (
        "The highest is Drama with 610 users, which may be chance against Comedy; the lowest is "
        "War with 9 users."
    )
    # Of 610 users 609 are surely more than 554, and 610 are not surely more than 609.
    reach = [
        {"genre": name, "genre_users": count, "genre_share": count / 610}
        for name, count in (("Drama", 609), ("War", 554), ("IMAX", 40))
    ]
    assert card("user_360", "genres_reach", reach).seen == (
        "The highest is Drama with 609 users; the lowest is IMAX with 40 users."
    )
    reach[1] |= {"genre_users": 608, "genre_share": 608 / 610}
    assert "which may be chance against War" in card("user_360", "genres_reach", reach).seen
    few = [row | {"asked_users": 9} for row in asked]
    assert card("user_360", "genres_like_share", few).seen == ""
    equal = [{"genre": name, "genre_users": 300} for name in ("Drama", "War")]
    assert card("user_360", "genres_reach", equal).seen == ""


def test_two_shares_that_lie_far_apart_are_told() -> None:
    rows = [
        {"segment": "raters_only", "segment_share": 0.402, "segment_action_share": 0.836},
        {"segment": "sleepers", "segment_share": 0.592, "segment_action_share": 0.16},
        {"segment": "all_taggers", "segment_share": 0.03, "segment_action_share": None},
    ]
    assert card("user_360", "group_weight", rows).seen == (
        "Raters only: share of all users 40.2%, share of all actions 83.6%."
    )


def test_how_many_of_the_table_surely_changed_is_told_with_one_of_them() -> None:
    rows = [
        # Twice as many, but of so few that it may be chance.
        movie(1, "Small", movie_ratings=6, movie_ratings_before=3, movie_ratings_change=1.0),
        movie(2, "Heat", movie_ratings=90, movie_ratings_before=50, movie_ratings_change=0.8),
        movie(3, "Jaws", movie_ratings=200, movie_ratings_before=140, movie_ratings_change=0.43),
    ]
    told = (
        "Last half year: 2 of 3 movies surely changed, such as Heat, 90 ratings after 50 (+80.0%)."
    )
    assert card("movie_trends", "most_rated_movies", rows).seen == told
    assert card("movie_trends", "most_rated_movies", rows[:1]).seen == ""


def test_the_decimals_of_a_column_have_as_many_digits_as_each_other() -> None:
    def medians(*values: float) -> list[str]:
        rows = [movie(i, "Heat", movie_median=value) for i, value in enumerate(values)]
        view = card("movie_trends", "most_rated_movies", rows)
        shown = next(one for one in view.content["choices"] if one["rows"])
        return [row[5][1] for row in shown["rows"]]

    assert medians(1.9, 1.94, 4.0) == ["1.90", "1.94", "4.00"]
    assert medians(3.5, 4.0) == ["3.5", "4.0"]


def test_what_is_seen_is_text_whatever_a_name_tries() -> None:
    rows = [{"genre": name, "genre_users": users} for name, users in ((HOSTILE, 610), ("War", 9))]
    text = html(page("user_360", filled("user_360", genres_reach=rows)))
    assert '<p class="seen">The highest is \u2068&lt;script&gt;' in text
    assert "<script>window.hacked" not in text
    # Its own direction does not turn round the sentence about it.
    assert named(RIGHT_TO_LEFT) == f"\u2068{RIGHT_TO_LEFT}\u2069"
    assert named("W" * 200) == f"\u2068{'W' * 59}…\u2069"


def test_a_pie_of_nothing_and_bars_of_nothing_are_no_empty_boxes() -> None:
    nothing = [genre(1, "Drama", 0, 0.0), genre(2, "War", 0, 0.0)]
    pie = card("user_360", "genres_rated", nothing)
    why = "Not enough data in 24 Sep – 24 Sep 2018. There are no users."
    assert (pie.empty, pie.vega) == (why, None)
    bars = card("user_360", "genres_reach", [{"genre": "War", "genre_users": 0}])
    assert bars.vega and "NaN" not in str(bars.vega)
    assert (bars.vega["scales"][0]["name"], bars.vega["scales"][0]["domainMax"]) == ("x", 1)


def test_numbers_that_are_none_are_held_to_be_missing() -> None:
    assert [_plain(float(text)) for text in ("nan", "inf", "-inf")] == [None, None, None]
    assert _plain(Decimal("NaN")) is None
    assert _plain(Decimal("0.25")) == 0.25


def test_every_chart_with_rows_has_its_numbers_as_a_file_and_a_link_to_itself() -> None:
    view = page("user_360", filled("user_360", genres_like_share=[{"genre": "War"}]))
    text = html(view)
    for chart in view.charts:
        assert f'href="#{chart.spec.id}"' in text
        assert (f'data-file="{chart.spec.id}"' in text) is bool(chart.csv)
    packed = json.loads(unescape(re.findall(r'id="data">(.*?)</script>', text)[0]))["files"]
    assert list(packed) == ["genres_like_share"]
    file = gzip.decompress(base64.b64decode(packed["genres_like_share"])).decode()
    heads, line = file.removeprefix("\ufeff").splitlines()
    assert heads.startswith(
        "genre,share_rank,window_start,as_of,period,Share of those who rated it often,"
    )
    assert line == "War,1,2018-09-24,2018-09-24,1,1,1"


def heads(name: str, chart: str) -> list[str]:
    """The heads of a chart's numbers, without the columns that are none."""
    board = dashboard(name)
    (spec,) = (one for one in board.charts if one.id == chart)
    (read,) = csv.reader(StringIO(csv_text(board, spec, []).removeprefix("\ufeff")))
    return read[len(spec.columns_read(board)) :]


def test_a_count_that_is_rounded_down_says_so_in_the_file() -> None:
    assert heads("movie_report", "years") == ["Ratings (rounded down to 5s)"]
    assert heads("movie_trends", "praise_and_complaint")[-1] == "Users (rounded down to 5s)"


def test_the_end_of_an_interval_says_of_what_it_is_where_its_label_does_not() -> None:
    assert heads("cohorts_and_churn", "survival")[1:3] == [
        "Lower end of share that is still there",
        "Upper end of share that is still there",
    ]
    change = "change of the share of all ratings"
    assert heads("movie_trends", "genre_changes")[1:3] == [
        f"Lower end of {change}",
        f"Upper end of {change}",
    ]
    assert "Lower end of late above early" in heads("movie_report", "opinion")


@pytest.mark.parametrize("name", BOARDS)
def test_no_two_columns_of_a_file_have_one_head(name: str) -> None:
    board = dashboard(name)
    for chart in board.charts:
        told = [*chart.columns_read(board), *heads(name, chart.id)]
        assert len({text.lower() for text in told}) == len(told), chart.id


def test_facts_with_the_same_words_for_their_ends_have_heads_of_their_own() -> None:
    board = dashboard("genre_report")
    alike = {
        name: metric.model_copy(update={"label": f"{end} end"})
        for name, metric in board.metrics.items()
        for end in ("Lower", "Upper")
        if metric.label.startswith(f"{end} end")
    }
    board = board.model_copy(update={"metrics": {**board.metrics, **alike}})
    (chart,) = (one for one in board.charts if one.id == "against_comparable")
    (read,) = csv.reader(StringIO(csv_text(board, chart, []).removeprefix("\ufeff")))
    assert len(set(read)) == len(read)
    assert "Lower end of ratings of a typical rated movie" in read
    assert "Upper end of difference of unrated movies" in read


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-30-", "'-30-"),
        ("@import", "'@import"),
        ("\t=1", "'\t=1"),
        ("\rx", "'\rx"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("Drama", "Drama"),
        ("8½", "8½"),
        (-0.25, "-0.25"),
        (0.1 + 0.2, "0.3"),
        (104519, 104519),
        (True, "true"),
        (None, None),
    ],
)
def test_no_text_of_a_file_is_run_by_a_spreadsheet(value: Any, written: Any) -> None:
    assert cell(value) == written


def test_a_file_has_all_periods_of_the_table_and_one_heading_per_column() -> None:
    rows = [movie(1, "=HYPERLINK(1)"), movie(1, "Heat, “the”", period="last_30_days")]
    file = card("movie_trends", "most_rated_movies", rows).csv.removeprefix("\ufeff")
    read = list(csv.DictReader(StringIO(file)))
    assert [row["title"] for row in read] == ["'=HYPERLINK(1)", "Heat, “the”"]
    assert [row["period"] for row in read] == ["last_182_days", "last_30_days"]
    assert len(set(read[0])) == len(file.splitlines()[0].split(","))


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (104519, "count", "104,519"),
        (0.4016, "percent", "40.2%"),
        (1.0, "percent", "100%"),
        (0.0001, "percent", "<0.1%"),
        (4.0, "decimal", "4.00"),
        (5243.656, "decimal", "5,243.66"),
        (5065.0, "decimal", "5,065.00"),
        (4.25, "decimal", "4.25"),
        (4.5, "decimal", "4.50"),
        (0.5, "change_percent", "+50.0%"),
        (12.0, "change_percent", "+1,200%"),
        (0.0, "change_percent", "0%"),
        (-0.0234, "change_points", "−2.3 pp"),
        (1.2, "change_points", "+120.0 pp"),
        (0.0, "change_points", "0 pp"),
        (-0.75, "change_decimal", "−0.75"),
        (None, "count", ""),
    ],
)
def test_numbers_read_well(value: float | None, form, text: str) -> None:
    assert number(value, form) == text


def test_a_share_just_below_all_is_not_all() -> None:
    assert percent(0.998) == "99.8%"
    assert percent(0.9996) == ">99.9%"
    assert percent(1.0) == "100%"


def test_a_window_says_its_days() -> None:
    end = date(2018, 9, 24)
    assert span(date(2018, 4, 1), end, "") == "1 Apr – 24 Sep 2018"
    assert span(date(2017, 12, 1), end, "") == "1 Dec 2017 – 24 Sep 2018"
    assert span(None, end, "All ratings") == "All ratings up to 24 Sep 2018"
