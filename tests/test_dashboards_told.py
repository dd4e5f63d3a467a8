"""What a page says of what it does not show: withheld, left out, cut off, or not there."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from vl_convert import vega_to_svg

from mesh.contracts import load_contracts
from mesh.dashboards import load_dashboards
from mesh.dashboards.data import ChartData, DashboardData, SourceState
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.kinds.pie import ANEW
from mesh.dashboards.preview.page import index_html, page_html
from mesh.dashboards.preview.present import PageView, present
from tests.dashboards_data import empty, filled, genre, presented
from tests.kinds_data import (
    AS_OF,
    CONTRACTS,
    SPECS,
    Rows,
    card,
    effect,
    effects,
    shares,
    survival_rows,
    themed,
)
from tests.project_copy import PROJECT
from tests.test_dashboards_rows import kinds_card

PICKED = """
controls:
  - {id: place, kind: one_of, label: Place, field: verdict, sources: [effects]}

metrics:
"""


def pairs_page(folder: Path, rows: Rows, places: list[str]) -> PageView:
    """A page of one place, with dots of the pairs that it is in; some pairs are withheld."""
    text = (SPECS / "kinds.yaml").read_text(encoding="utf-8")
    text = text.replace("\nmetrics:\n", PICKED).replace("    both_ends: true\n", "")
    text = text.replace("    most: 14\n", "    most: 14\n    incomplete: true\n")
    (folder / "kinds.yaml").write_text(text, encoding="utf-8")
    (loaded,) = load_dashboards(folder)
    board = loaded.dashboard
    found = {one.id: ChartData(()) for one in board.charts}
    found["tags"] = ChartData(tuple({"as_of": AS_OF} | row for row in rows))
    sources = tuple(SourceState(one.product, "dev", 9) for one in board.sources.values())
    options = {"place": [{"verdict": place} for place in places]}
    data = DashboardData("dev", found, sources, AS_OF, options=options)
    return present(board, data, load_contracts(CONTRACTS))


def test_of_pairs_that_are_withheld_it_is_told_how_many_the_picked_one_could_have(
    tmp_path: Path,
) -> None:
    """Two of four look like two of two: whoever is missing there has a row elsewhere."""
    rows = [
        effect(other, 0.4, verdict=own)
        for own, other in [("a", "b"), ("a", "c"), ("b", "a"), ("c", "a"), ("d", "b"), ("b", "d")]
    ]
    page = pairs_page(tmp_path, rows, list("abcde"))
    first, *_, none = page.picked["tags"].cards
    # With itself nothing is paired, and of e no pair at all can be shown.
    assert first.seen == (
        "2 of 4 can be shown: b and c are surely above “no difference”; others may be further."
    )
    told = "2 of 4 are missing, also in the CSV, since they would tell of too few users or of none"
    assert f"{told}; they may be further." in first.reading
    assert not any("the CSV has it" in one for one in first.reading)
    assert len(first.csv.splitlines()) == 3 and [row[0] for row in first.body] == ["b", "c"]
    one = page.picked["tags"].cards[2]
    assert one.seen.startswith("Only 1 of 4 can be shown: a with +0.40")
    assert none.empty.startswith("Not enough data")


def test_what_a_chart_drops_is_told_apart_from_what_has_no_number() -> None:
    rows = [effect("a", 0.4), effect("b", 0.3), effect("few", 0.2, tag_users=4)]
    none = effect("none", 0.0) | {"difference": None, "low": None, "high": None, "tag_users": 3}
    told = card("tags", [*rows, none]).reading
    assert "What rests on fewer than 5 users is left out (1 of 4); the CSV has it." in told
    assert "1 of 4 has no number, here or in the CSV." in told
    # Where nothing is dropped nothing is said of it.
    for name in ("tags", "demand"):
        assert not any("left out" in one and "CSV" in one for one in card(name, rows[:2]).reading)
    whole = card("genre_lines", shares("Drama", 0.2, 0.3)).reading
    assert not any("is left out" in one for one in whole)


def test_the_file_goes_on_only_where_a_curve_was_cut() -> None:
    goes_on = "A curve ends where fewer than 30 are left; the CSV goes on."
    rows = survival_rows(y2016=0.12)
    assert goes_on in card("survival", rows).reading
    assert goes_on not in card("survival", rows[:5]).reading


def test_rows_that_are_cut_within_a_tie_are_counted() -> None:
    users = [9, 8, 7, 6, 6, 6, 6, 5]
    rows = [effect(f"t{i}", 0.2, tag_users=count) for i, count in enumerate(users)]
    view = card("most_used", rows)
    assert view.reading == [
        "These are the first 5 of 8; the CSV has all.",
        "2 more are as high as the last of these.",
    ]
    assert len(card("most_used", [*rows[:5], rows[-1]]).reading) == 1


def test_of_two_ends_each_is_told_with_what_stands_at_its_edge() -> None:
    rows = effects()
    for row in rows[6:8]:
        row["difference"] = 0.0
    assert card("tags", rows).reading[-2:] == [
        "These are the first 7 and the last 7 of 18; the CSV has all.",
        "1 more is as high as one of these.",
    ]


def test_counts_that_are_alike_are_a_tie_and_no_uncertainty() -> None:
    def seen(*users: int) -> str:
        rows = [effect(name, 0.2, tag_users=n) for name, n in zip("abcde", users, strict=False)]
        return card("most_used", rows).seen

    assert seen(30, 0, 0, 0) == "The highest is a with 30 users; b, c and d have none."
    assert seen(90, 90, 20, 20) == (
        "The highest are a and b with 90 users each; the lowest are c and d with 20 users each."
    )
    assert seen(90, 20, 20, 19) == (
        "The highest is a with 90 users; the lowest is d with 19 users, which may be chance "
        "against b and c."
    )


@pytest.mark.parametrize(
    ("board", "chart"),
    [
        (one.dashboard.id, chart.id)
        for one in load_dashboards(PROJECT.dashboards)
        for chart in one.dashboard.charts
        if getattr(chart, "top", None)
    ],
)
def test_every_pie_with_others_says_that_they_are_counted_anew(board: str, chart: str) -> None:
    rows = [
        row | {"liking_users": row["genre_users"], "liking_share": row["genre_share"]}
        for row in (genre(1, "Drama", 30, 0.3), genre(10, "Others", 50, 0.5, True))
    ]
    for shown, told in ((rows, [ANEW]), (rows[:1], [])):
        page = presented(board, filled(board, **{chart: shown}))
        assert next(one for one in page.charts if one.spec.id == chart).reading == told


def test_a_table_that_is_empty_says_so_in_its_own_words() -> None:
    """That there are no data would be said of a movie with tags, none by five users."""
    rows = [{"movie_id": 1, "title": "Heat"}]
    page = presented("movie_report", filled("movie_report", life=rows))
    (tags,) = (one for one in page.charts if one.spec.id == "tags")
    assert tags.empty == "Not enough data. No tag was given by five users or more."
    page = presented("movie_trends", filled("movie_trends"))
    (rated,) = (one for one in page.charts if one.spec.id == "most_rated_movies")
    assert rated.empty == "Not enough data. No movie was rated by five users or more."


def test_products_that_withhold_all_they_have_are_not_called_without_data() -> None:
    nothing = empty("user_360")
    page = presented("user_360", replace(nothing, delivered=date(2022, 3, 1)))
    html = page_html(page, [page], PROJECT)
    assert "there is none yet" not in html and "No data yet" not in html
    assert "Data up to Mar 2022" in html and "Data up to Mar 2022" in index_html([page], PROJECT)
    assert html.count("Not enough data, or none that may be shown. Numbers that stand") == len(
        page.charts
    )
    # Another page knows the day.
    other = presented("movie_trends", replace(filled("movie_trends"), as_of=date(2022, 3, 30)))
    assert "Data up to 30 Mar 2022" in page_html(page, [page, other], PROJECT)
    assert "No data yet" in page_html(presented("user_360", nothing), [], PROJECT)


@pytest.mark.parametrize("shape", ["step-after", "linear"])
def test_a_curve_of_who_stays_falls_in_steps(shape: str, tmp_path: Path) -> None:
    """A share is known at its points: nothing must be read off between them."""
    rows = survival_rows(y2015=0.3, y2016=0.05)
    stepped = ("    metric: left\n", "    metric: left\n    stepped: true\n")
    view = kinds_card(tmp_path, "survival", rows, *([stepped] if "step" in shape else []))
    assert view.vega
    marks = [one for group in view.vega["marks"] for one in (group, *group.get("marks", ()))]
    drawn = [one for one in marks if one["type"] in ("line", "area")]
    shapes = {
        one["type"]: one["encode"]["update"].get("interpolate", {"value": "linear"})["value"]
        for one in drawn
    }
    assert shapes == {"area": shape, "line": shape}
    told = "What is left is known at the points, and drawn in steps between them."
    assert (told in view.reading) is (shape == "step-after")
    assert vega_to_svg(themed(view.vega, "light"))


def test_each_end_of_a_curve_is_told_with_its_month() -> None:
    rows = survival_rows(y2015=0.3, y2016=0.05)
    short = [row for row in rows if row["year"] != 2015 or row["months_since"] < 4]
    summary = card("survival", short).summary
    assert "2015 34.3% (" in summary and ") after 3 months; 2016 " in summary
    assert summary.endswith(" months.")


def test_the_last_year_is_named_at_the_axis_of_a_small_picture() -> None:
    """Of lines up to 2018 an axis that ends with 2012 tells the wrong years."""
    rows = []
    for year in range(1996, 2019):
        for one in shares("Drama", 0.2, 0.3)[:9]:
            day = one["month"].replace(year=year)
            rows.append(one | {"month": day})
    view = card("panels", rows)
    assert view.vega
    svg = vega_to_svg(themed(view.vega, "light"))
    assert re.findall(r">((?:19|20)\d\d)</text>", svg) == ["1997", "2004", "2011", "2018"]


def test_a_column_of_texts_is_laid_out_as_one_in_any_table() -> None:
    tag = {"tag": "fun", "spelling": "fun", "tag_rank": 1}
    page = presented("movie_report", filled("movie_report", tags=[tag]))
    (tags,) = (one for one in page.charts if one.spec.id == "tags")
    assert [one["type"] for one in tags.content["columns"]] == ["rank", "text", "number", "number"]
    near = {"neighbour_id": 2, "neighbour_rank": 1, "neighbour_title": "Heat"}
    page = presented("movie_report", filled("movie_report", neighbours=[near]))
    (beside,) = (one for one in page.charts if one.spec.id == "neighbours")
    # Years are numbers that are read as names, and stand in a column as numbers do.
    assert [one["type"] for one in beside.content["columns"]][:3] == ["rank", "text", "plain"]


def test_bars_say_of_which_values_no_number_can_be_shown() -> None:
    shown = card("most_used", [effect("slow", 0.1, tag_users=40), effect("dark", 0.1, tag_users=9)])
    assert "No number" not in " ".join(shown.reading)
    held = [effect(name, 0.1, tag_users=None) for name in ("quirky", "warm")]
    rows = [effect("slow", 0.1, tag_users=400), effect("dark", 0.1, tag_users=9), *held]
    told = card("most_used", rows)
    assert told.reading[-1] == "No number can be shown of quirky and warm."
    assert [row[0] for row in told.body] == ["slow", "dark"]
    # A count that is held back may be the lowest.
    assert told.seen.startswith("The highest is slow") and "lowest" not in told.seen
    many = card("most_used", rows + [effect(f"tag {n}", 0.1, tag_users=None) for n in range(9)])
    assert many.reading[-1].endswith("quirky, warm, tag 0, tag 1, tag 2 and 6 more.")


def test_bars_of_nothing_but_zeros_do_not_say_that_nobody_is_there() -> None:
    zero = [effect("slow", 0.1, tag_users=0), effect("dark", 0.1, tag_users=0)]
    assert card("most_used", zero).vega
    held = card("most_used", [*zero, effect("warm", 0.1, tag_users=None)])
    assert held.vega is None
    assert "All that can be shown is 0; no number can be shown of warm." in held.empty


def test_a_ring_says_of_which_parts_no_number_can_be_shown() -> None:
    rows = [
        {"membership": "members", "group_users": 400, "group_share": 1.0},
        {"membership": "others", "group_users": None, "group_share": None},
    ]

    def ring() -> ChartView:
        page = presented("user_360", filled("user_360", raters=rows))
        return next(one for one in page.charts if one.spec.id == "raters")

    assert ring().reading[-1] == "No number can be shown of All other users."
    assert len(ring().body) == 1
    rows[0]["group_users"] = 0
    said = "All that can be shown is 0; no number can be shown of All other users."
    assert said in ring().empty
