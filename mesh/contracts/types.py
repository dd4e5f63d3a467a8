"""Which types belong together: logical, on BigQuery and on DuckDB; and values of these types."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

Value = str | int | float | bool

DUCKDB_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "INT64": "BIGINT",
        "FLOAT64": "DOUBLE",
        "NUMERIC": "DECIMAL(38, 9)",
        "STRING": "VARCHAR",
        "BOOL": "BOOLEAN",
        "DATE": "DATE",
        "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
    }
)
"""The DuckDB type that holds exactly what the BigQuery type holds."""

DUCKDB_TYPE = "duckdbType"
"""The custom property of a column that is kept in a narrower type on DuckDB."""

NARROWER: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"INT64": ("INTEGER", "SMALLINT", "TINYINT"), "FLOAT64": ("FLOAT",)}
)
"""DuckDB types whose values the BigQuery type holds, and others."""

LOGICAL_TYPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "integer": ("INT64",),
        "number": ("FLOAT64", "NUMERIC"),
        "string": ("STRING",),
        "boolean": ("BOOL",),
        "date": ("DATE",),
        "timestamp": ("TIMESTAMP",),
    }
)
"""The BigQuery types of a logical type. No arrays and structs: BI tools cannot read them."""

TIME_UNITS: Mapping[str, tuple[float, tuple[str, ...]]] = MappingProxyType(
    {
        "min": (1 / 1440, ("mins", "minute", "minutes")),
        "h": (1 / 24, ("hr", "hrs", "hour", "hours")),
        "d": (1, ("day", "days")),
        "w": (7, ("wk", "wks", "week", "weeks")),
        "month": (31, ("mo", "months")),
        "y": (366, ("yr", "yrs", "year", "years")),
    }
)
"""Units of time: the days that one has at the most, and how else the standard's users write it."""

_ISO_UNITS = {"Y": "y", "M": "month", "W": "w", "D": "d", "TH": "h", "TM": "min"}
NUMERIC_TYPES = frozenset({"integer", "number"})
TIME_TYPES = frozenset({"date", "timestamp"})
TEXT_TYPES = frozenset({"string"})
CLASSIFICATIONS = ("public", "internal", "confidential", "personal")
PERSONAL = "personal"

HOW = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "text",
    "date": "a date as text, such as '2018-09-01'",
    "timestamp": "a moment with its offset as text, such as '2018-09-24T14:27:30+00:00'",
}
"""How to write a value of a logical type."""


def span(value: Value | None, unit: str | None) -> tuple[Value | None, str | None]:
    """A span of time as a number and one of the units: `1` `day` is 1 d, `P1Y` is 1 y.

    What is none stays as it is.
    """
    iso = re.fullmatch(r"P(T?)(\d+)([YMWDH])", value if isinstance(value, str) else "")
    if iso and unit is None and iso[1] + iso[3] in _ISO_UNITS:
        return int(iso[2]), _ISO_UNITS[iso[1] + iso[3]]
    word = (unit or "").lower()
    known = (one for one, (_, words) in TIME_UNITS.items() if word in (one, *words))
    return value, next(known, unit)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def comparable(logical_type: str, value: Any) -> Any:
    """The value as something that can be compared with others of its type, or None."""
    if logical_type == "integer":
        return value if isinstance(value, int) and not isinstance(value, bool) else None
    if logical_type == "number":
        return value if is_number(value) else None
    if logical_type == "boolean":
        return value if isinstance(value, bool) else None
    if not isinstance(value, str):
        return None
    if logical_type == "string":
        return value
    try:
        if logical_type == "date":
            return datetime.date.fromisoformat(value) if len(value) == 10 else None
        if logical_type == "timestamp":
            moment = datetime.datetime.fromisoformat(value)
            return moment if moment.tzinfo and len(value) > 10 else None
    except ValueError:
        return None
    return None
