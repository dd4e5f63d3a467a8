"""The words of a review: what they show of long texts."""

from __future__ import annotations

from mesh.review.contracts.words import both_shortened


def test_of_two_long_texts_the_place_where_they_differ_is_seen() -> None:
    alike = "a" * 500
    before, after = both_shortened(f"{alike} > 5 {alike}", f"{alike} > 6 {alike}")
    assert " > 5 " in before and " > 6 " in after
    assert len(before) == len(after) == 200 and before[0] == before[-1] == "…"
    assert both_shortened("few", "words") == ("few", "words")
    assert both_shortened(alike, "other") == ("a" * 199 + "…", "other")
