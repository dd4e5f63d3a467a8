"""Which types belong together: logical, on BigQuery and on DuckDB; and values of these types."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlmesh.core.model import Model

Value = str | int | float | bool

DUCKDB_TYPES: Mapping[str, str] = {
    "INT64": "BIGINT",
    "FLOAT64": "DOUBLE",
    "NUMERIC": "DECIMAL(38, 9)",
    "STRING": "VARCHAR",
    "BOOL": "BOOLEAN",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
    "DATETIME": "TIMESTAMP",
}
"""The DuckDB type that holds exactly what the BigQuery type holds."""

DUCKDB_TYPE = "duckdbType"
"""The custom property of a column that is kept in a narrower type on DuckDB."""

NARROWER: Mapping[str, tuple[str, ...]] = {
    "INT64": ("INTEGER", "SMALLINT", "TINYINT"),
    "FLOAT64": ("FLOAT",),
}
"""DuckDB types whose values the BigQuery type holds, and others; `narrower` knows decimals too."""

_DECIMAL = re.compile(r"DECIMAL\((\d+)(?:, ?(\d+))?\)")
_WHOLE_DIGITS, _DECIMAL_PLACES = 29, 9
"""Of a NUMERIC on BigQuery."""

LOGICAL_TYPES: Mapping[str, tuple[str, ...]] = {
    "integer": ("INT64",),
    "number": ("FLOAT64", "NUMERIC"),
    "string": ("STRING",),
    "boolean": ("BOOL",),
    "date": ("DATE",),
    "timestamp": ("TIMESTAMP", "DATETIME"),
}
"""The BigQuery types of a logical type. No arrays and structs: BI tools cannot read them."""

LOGICAL: Mapping[str, str] = {
    kind: logical for logical, kinds in LOGICAL_TYPES.items() for kind in kinds
}
"""The logical type of a BigQuery type."""

DATETIME = "datetime"
"""The standard's timestamp where it is kept without a time zone: what its values are like."""

TIME_UNITS: Mapping[str, tuple[float, tuple[str, ...]]] = {
    "min": (1 / 1440, ("mins", "minute", "minutes")),
    "h": (1 / 24, ("hr", "hrs", "hour", "hours")),
    "d": (1, ("day", "days")),
    "w": (7, ("wk", "wks", "week", "weeks")),
    "month": (31, ("mo", "months")),
    "y": (366, ("yr", "yrs", "year", "years")),
}
"""Units of time: the days that one has at the most, and how else the standard's users write it."""

_ISO_UNITS = {"Y": "y", "M": "month", "W": "w", "D": "d", "TH": "h", "TM": "min"}
NUMERIC_TYPES = frozenset({"integer", "number"})
TIMED = ("DATE", "DATETIME", "TIMESTAMP")
"""Types of BigQuery that say when."""
TIME_TYPES = frozenset({"date", "timestamp", DATETIME})
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
    DATETIME: "a day and time without an offset as text, such as '2018-09-24T14:27:30'",
}
"""How to write a value of a logical type."""


def value_type(logical: str, physical: str | None) -> str:
    """What the values of a column are like: its logical type, but for times without a zone."""
    return DATETIME if (logical, physical) == ("timestamp", "DATETIME") else logical


def stored_types(model: Model) -> dict[str, exp.DataType]:
    """The types of a model's columns in its table: of a history by time SQLMesh keeps the time of
    the change as one of its own times, whatever the query casts it to."""
    types = dict(model.columns_to_types or {})
    if model.kind.is_scd_type_2_by_time:
        changed = model.kind.updated_at_name.name  # type: ignore[union-attr]
        types |= {changed: model.kind.time_data_type} if changed in types else {}  # type: ignore[union-attr]
    return types


def bigquery_type(kind: exp.DataType) -> str:
    """A type as contracts state it: without the length of a text, the six digits of a second, and
    the size of a number that fits into NUMERIC. BigQuery keeps none of them of what a query makes.
    """
    text, on_duckdb = kind.sql(dialect="bigquery"), kind.sql(dialect="duckdb")
    plain, _, size = text.partition("(")
    sized = {"NUMERIC": _places(on_duckdb) is not None, "STRING": True}
    return plain if sized.get(plain, plain in TIMED and size == "6)") else text


def is_statable(kind: exp.DataType) -> bool:
    """Whether a contract can state the type of a column: no lists, records and the like."""
    return bigquery_type(kind) in LOGICAL


def narrower(physical: str, on_duckdb: str) -> bool:
    """Whether a BigQuery type holds all values of a type on DuckDB, and others."""
    if physical == "NUMERIC":
        return _places(on_duckdb) not in (None, (_WHOLE_DIGITS, _DECIMAL_PLACES))
    return on_duckdb in NARROWER.get(physical, ())


def _places(on_duckdb: str) -> tuple[int, int] | None:
    """The digits before and after the point of a decimal that NUMERIC holds, else None."""
    decimal = _DECIMAL.fullmatch(on_duckdb)
    if decimal is None:
        return None
    after = int(decimal[2] or 0)
    before = int(decimal[1]) - after
    held = 0 <= before <= _WHOLE_DIGITS and after <= _DECIMAL_PLACES and before + after > 0
    return (before, after) if held else None


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


def today() -> datetime.date:
    """The day in UTC, as ends of life are meant."""
    return datetime.datetime.now(datetime.UTC).date()


_PLAIN = {"integer": int, "number": int | float, "boolean": bool, "string": str}


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def comparable(logical_type: str, value: Any) -> Any:
    """The value as something that can be compared with others of its type, or None."""
    if logical_type in _PLAIN:
        # Python counts true and false as whole numbers.
        right = isinstance(value, bool) == (logical_type == "boolean")
        return value if right and isinstance(value, _PLAIN[logical_type]) else None
    if not isinstance(value, str):
        return None
    try:
        if logical_type == "date":
            return datetime.date.fromisoformat(value) if len(value) == 10 else None
        if logical_type in ("timestamp", DATETIME):
            moment = datetime.datetime.fromisoformat(value)
            zoned = moment.tzinfo is not None
            return moment if zoned == (logical_type != DATETIME) and len(value) > 10 else None
    except ValueError:
        return None
    return None
