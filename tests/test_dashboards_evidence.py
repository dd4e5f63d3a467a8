"""What may be chance: how far apart two numbers have to be before a chart tells of it."""

from __future__ import annotations

import pytest

from mesh.dashboards.drawing import evidence
from mesh.dashboards.drawing.evidence import Estimate, apart, counted, pairs, share
from tests.kinds_data import card, effect, plays, shares, survival_rows


def test_what_may_be_chance_is_not_told() -> None:
    assert card("one_line", plays([1000, 1010, 990, 1020, 1000])).seen == ""
    assert card("genre_lines", shares("Drama", 0.25, 0.245) + shares("War", 0.2, 0.205)).seen == ""
    none = card("tags", [effect("slow", 0.1, 0.2), effect("dark", -0.1, 0.2)]).seen
    assert none == "None of the 2 surely differs from “no difference”."
    alike = survival_rows(y2015=0.1, y2016=0.101)
    assert card("survival", alike).seen == ""


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
