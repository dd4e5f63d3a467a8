"""Counts and names within a sentence."""

from __future__ import annotations

from collections.abc import Sequence


def many(count: int, noun: str) -> str:
    """`1 month`, `2 months`, `1,200 months`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def joined(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def listed(names: Sequence[str], most: int) -> str:
    """Of more than `most` names the first, and how many more."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")
