"""Texts of others as they are printed: what steers a terminal or a CI's log is seen instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.errors import Location
from mesh.plain import harmless, one_line


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[2J\x1b]0;title\x07", "␛[2J␛]0;title␇"),
        ("one\rtwo\x7f\0", "one␍two␡␀"),
        ("\x9b31m", "�31m"),
        ("user\u202etxt.exe\u2069", "user�txt.exe�"),
        ("a\u2028b\u200bc\ufeff", "a�b�c�"),
        ("half \ud83d", "half �"),
        ("::error::no", ": :error::no"),
        ("fine\n \t::add-mask::x", "fine\n \t: :add-mask::x"),
        ("a ##[error]b ##vso[task.complete]", "a # #[error]b # #vso[task.complete]"),
    ],
)
def test_what_would_steer_is_seen(text: str, seen: str) -> None:
    assert harmless(text) == seen


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines\tand a tab",
        "👩‍🚀 🏳️‍🌈 🏴󠁧󠁢󠁥󠁮󠁧󠁿 e\u0301 नमस्ते می‌خواهم",
        "rating::FLOAT64, tests/test_x.yaml::test_a",
        "## A heading [with a link]",
    ],
)
def test_what_is_only_read_stays(text: str) -> None:
    assert harmless(text) == text


def test_within_a_line_colons_stay() -> None:
    assert harmless("::INT64\n::notice::x", begins=False) == "::INT64\n: :notice::x"


def test_a_place_in_a_file_is_one_line() -> None:
    place = Location(Path("looker/x\x1b[2J\n::error::file.yaml"), 3)
    assert str(place) == "looker/x␛[2J␊::error::file.yaml:3"
    assert one_line("two  blanks\tand a tab") == "two  blanks␉and a tab"
