"""Findings in words, as people read them in a table, in CI and in an error."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from mesh.contracts.constraints import counted
from mesh.files.problems import shown
from mesh.verify.report import Outcome


def finding(outcome: Outcome) -> str:
    """What was found, in one line; empty when there is nothing to say."""
    if outcome.message:
        return outcome.message
    if not outcome.failing:
        return ""
    what = counted(outcome.kind)
    return f"{outcome.failing:,} {what}" if what else sample_text(outcome.sample[0])


def sample_text(row: Mapping[str, object]) -> str:
    """A row as `id=1, price=7.0`."""
    return ", ".join(f"{name}={value_text(value)}" for name, value in row.items())


def value_text(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return shown(repr(value) if isinstance(value, str) else value, 40)
