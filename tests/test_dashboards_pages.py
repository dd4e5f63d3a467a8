"""Pages from data made by hand: what is escaped, what is said when there is nothing to draw."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html import unescape

import pytest

from mesh.dashboards.data import _plain
from mesh.dashboards.drawing.palette import colour, contrast, ink_on
from mesh.dashboards.kinds.pie import label_place, slice_label
from mesh.dashboards.preview.bundle import vega_script
from mesh.dashboards.preview.page import index_html, page_html
from mesh.dashboards.preview.present import PageView
from tests.dashboards_data import HOSTILE, card, dashboard, empty, filled, genre, movie
from tests.dashboards_data import presented as page
from tests.project_copy import PROJECT

MAX_BYTES = 2_000_000


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


def test_the_decimals_of_a_column_have_as_many_digits_as_each_other() -> None:
    def medians(*values: float) -> list[str]:
        rows = [movie(i, "Heat", movie_median=value) for i, value in enumerate(values)]
        view = card("movie_trends", "most_rated_movies", rows)
        shown = next(one for one in view.content["choices"] if one["rows"])
        return [row[5][1] for row in shown["rows"]]

    assert medians(1.9, 1.94, 4.0) == ["1.90", "1.94", "4.00"]
    assert medians(3.5, 4.0) == ["3.5", "4.0"]


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
