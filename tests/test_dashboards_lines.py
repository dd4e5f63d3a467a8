"""Lines over time, in one picture or in small ones: what they draw and what they say of it."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from mesh.dashboards.check import check
from mesh.dashboards.drawing import lines
from mesh.dashboards.drawing.evidence import apart, counted
from mesh.dashboards.drawing.palette import colours
from tests.kinds_data import (
    CONTRACTS,
    GENRES,
    all_rows,
    card,
    drawn,
    kinds_with,
    month,
    of_each,
    plays,
    shares,
)

# Half a year as always.
USUAL = [300, 310] * 3


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


def test_without_a_change_the_highest_and_the_lowest_month_are_told() -> None:
    assert card("one_line", plays([*USUAL, 900, 300, 100])).seen == (
        "The highest is Jul 2014 with 900 plays; the lowest is Sep 2014 with 100 plays."
    )


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


@pytest.mark.parametrize(("months", "step"), [(1, 1), (6, 1), (12, 2), (23, 4), (30, 6)])
def test_an_axis_of_few_months_names_each_of_them_once(months: int, step: int) -> None:
    axis = lines.time_axis(month(0), month(months)).to_dict()
    assert axis["tickCount"] == {"interval": "month", "step": step} and axis["format"] == "%b %Y"
