"""How numbers, days and what is no number read on a page."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mesh.dashboards.drawing.formats import number, percent, span
from tests.kinds_data import card, effect


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("percent", 2.844, "284.4%"),
        ("percent", 12.5, "1,250.0%"),
        ("percent", 1.0, "100%"),
        ("percent", 1.0 + 1e-12, "100%"),
        ("percent", 0.9999, ">99.9%"),
        ("percent", 0.9994, "99.9%"),
        ("percent", 0.0004, "<0.1%"),
        ("percent", 0.0, "0.0%"),
        ("percent", -0.0004, ">−0.1%"),
        ("percent", -0.256, "−25.6%"),
        ("count", -1234, "−1,234"),
        ("count", -0.4, "0"),
        ("decimal", -3.5, "−3.50"),
        ("decimal", -0.001, "0.00"),
        ("change_percent", -1.5, "−150%"),
        ("change_percent", 0.00001, "0%"),
        ("change_points", -0.0004, "0 pp"),
        ("change_decimal", 12345.678, "+12,345.68"),
        ("count", None, ""),
    ],
)
def test_a_number_reads_as_it_is(form: Any, value: float | None, text: str) -> None:
    assert number(value, form) == text


def test_a_share_of_more_than_all_is_told_on_cards_and_in_pictures() -> None:
    view = card("one_number", [effect("quirky", 0.2, asked=2.844)])
    assert view.number == "284.4%"
    rows = [effect(name, 0.2, asked=asked) for name, asked in (("a", 2.844), ("b", -0.0004))]
    found = {row[0]: row[2] for row in card("demand", rows).body}
    assert found == {"a": "284.4%", "b": ">−0.1%"}


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
