"""Heat maps and curves: how many of each cohort come back, and how many are left."""

from __future__ import annotations

from mesh.dashboards.drawing.palette import contrast
from mesh.dashboards.drawing.vega import STEPS, THEMES
from tests.kinds_data import Rows, card, drawn, month, survival_rows


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
