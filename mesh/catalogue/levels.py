"""The service levels of a drafted contract."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

from mesh.catalogue.found import Found
from mesh.contracts.checks.product import MOST_DAYS
from mesh.contracts.findings import TODO
from mesh.contracts.types import TIME_UNITS, TIMED

UNMEASURED = {"id": f"{TODO} the id of the rule that measures it"}


def levels(found: Found) -> list[dict[str, Any]]:
    """Levels that rows keep which go on coming as often as they are built."""
    every, time = found.every, _time(found)
    seen = found.seen.columns[time] if found.seen and time else None
    oldest = _age(seen.minimum, found.today) if seen else None
    newest = _age(seen.maximum, found.today) if seen else None
    element = {"element": time} if time else {}
    made: list[dict[str, Any]] = [
        {
            "id": "completeness",
            "property": "completeness",
            "value": 100,
            "unit": "percent",
            "customProperties": [
                {"property": "measuredBy", "value": next(iter(found.ties), UNMEASURED)["id"]}
            ],
            "description": f"{TODO} what is all there",
        },
        {
            "id": "retention",
            "property": "retention",
            "value": min(100, max(50, 10 * math.ceil((oldest or 0) / 3650))),
            "unit": "y",
            **(element if (oldest or 0) <= MOST_DAYS["retention"] else {}),
            "description": f"{TODO} how long it is kept, and why",
        },
    ]
    if every:
        value, unit = every
        often = {"id": "frequency", "property": "frequency", "value": value, "unit": unit}
        made.append({**often, "description": f"{TODO} when it is built again"})
    if time:
        # A build that came just before the end of its span, and the span until the next.
        days = 2 * round(every[0] * TIME_UNITS[every[1]][0]) if every else 62
        if time in found.first_days:
            days += 31
        told = f"{TODO} how late the newest rows may be"
        if newest is not None and newest > days:
            told += f"; the newest is {newest:,} days old, so state a day of use"
        fresh = {"id": "freshness", "property": "freshness", "value": days, "unit": "d", **element}
        made.insert(0, {**fresh, "description": told})
    return made


def _time(found: Found) -> str | None:
    """The column that says how new a row is: as the model says, one of the key, or the newest."""
    # What is known of a person says nothing of how new a row is, such as a day of birth.
    apart = {*found.written, *found.withheld}
    times = [c for c, kind in found.types.items() if kind in TIMED and c not in apart]
    by_time = found.model.time_column
    stated = by_time.column.name if by_time else None
    named = [c for c in times if c == stated] or [c for c in times if c in found.grain]
    seen = found.seen.columns if found.seen else {}
    ages = {c: _age(seen[c].maximum, found.today) for c in times if c in seen}
    past = {c: age for c, age in ages.items() if age is not None and age >= 0}
    # Of a history that has no other time, that since when a row is the current one.
    rest = next(iter((*times, *found.written)), None)
    newest = min(past, key=lambda c: past[c], default=rest)
    return named[0] if named else newest


def _age(moment: object, today: date) -> int | None:
    """In days; none of what is no moment."""
    if isinstance(moment, datetime):
        moment = (moment.astimezone(UTC) if moment.tzinfo else moment).date()
    return (today - moment).days if isinstance(moment, date) else None
