"""Words of descriptions: which units they speak of, and as much of them as a report shows."""

from __future__ import annotations

import re
from itertools import takewhile

_UNITS = {
    "stars": r"(?<!half-)(?<!half )stars",
    "half-stars": r"half[- ]stars",
    "percent": r"percent|per cent|%",
    "a share": r"shares?|fraction",
    "milliseconds": r"milliseconds?|ms",
    "microseconds": r"microseconds?",
    "seconds": r"seconds?",
    "minutes": r"minutes?",
    "hours": r"hours?",
    "days": r"days",
    "weeks": r"weeks",
    "years": r"years",
    "UTC": r"UTC",
    "local time": r"local time|CET|CEST|EST|PST",
    "euros": r"euros?|EUR|€",
    "dollars": r"dollars?|USD|\$",
    "cents": r"(?<!per )cents",
    "bytes": r"bytes",
    "kilobytes": r"kilobytes|kB|KB",
    "megabytes": r"megabytes|MB",
    "thousands": r"thousands?",
    "millions": r"millions?",
}
_PATTERNS = {
    unit: re.compile(rf"(?<![\w-])(?:{pattern})(?!\w)") for unit, pattern in _UNITS.items()
}


def units(text: str) -> set[str]:
    """The units of measurement that a description names."""
    return {unit for unit, pattern in _PATTERNS.items() if pattern.search(text)}


def shortened(text: str, limit: int = 200) -> str:
    """A text for a report: not too long."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def both_shortened(before: str, after: str, limit: int = 200) -> tuple[str, str]:
    """Two texts for a report: not too long, and where they differ is seen."""
    alike = len([*takewhile(lambda both: both[0] == both[1], zip(before, after, strict=False))])
    if max(len(before), len(after)) > limit and alike > limit // 2:
        # What stands just before is where it is.
        cut = alike - limit // 4
        before, after = "…" + before[cut:], "…" + after[cut:]
    return shortened(before, limit), shortened(after, limit)
