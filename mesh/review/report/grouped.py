"""Findings as a reader wants them: what one edit made of several columns is told once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from mesh.review.contracts.words import listed
from mesh.review.rules import Finding, Level

MOST_NAMES = 5


def grouped(findings: Iterable[Finding]) -> list[Finding]:
    """What says the same of columns of one product, at one place, names them in one finding."""
    alike: dict[object, list[Finding]] = {}
    for one in findings:
        key: object = id(one)
        if one.column:
            words = re.sub(rf"(?<!\w){re.escape(one.column)}(?!\w)", "…", one.message)
            key = (one.rule, one.level, one.product, one.where, words, one.before, one.after)
        alike.setdefault(key, []).append(one)
    return [_together(same) for same in alike.values()]


def counted(findings: Iterable[Finding], level: Level) -> int:
    """How many of a level a report shows."""
    return len(grouped(one for one in findings if one.level is level))


def _together(same: list[Finding]) -> Finding:
    first, *others = same
    if not others:
        return first
    names = [str(one.column) for one in others]
    columns = " columns" if len(names) > MOST_NAMES else ""
    told = f"The same of {listed(names, MOST_NAMES)}{columns}."
    return replace(first, message=f"{first.message} {told}")
