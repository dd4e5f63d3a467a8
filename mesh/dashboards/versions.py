"""Ranges of contract versions, as a dashboard names them."""

from __future__ import annotations

import re

from mesh.contracts import Version

_RANGE = re.compile(r"(>=|<=|<|>|=)?\s*(\d+)\.(\d+)\.(\d+)")


def in_range(version: Version, text: str) -> bool | None:
    """Whether a version is in a range such as `>=1.0.0 <2.0.0`; None when that is no range."""
    if not re.fullmatch(rf"{_RANGE.pattern}(?:[\s,]+{_RANGE.pattern})*", text.strip()):
        return None
    verdicts = []
    for sign, *numbers in _RANGE.findall(text):
        other = Version(*map(int, numbers))
        verdicts.append(
            {
                ">=": version >= other,
                "<=": version <= other,
                ">": version > other,
                "<": version < other,
            }.get(sign, version == other)
        )
    return all(verdicts)
