"""Rows of the engine as Python holds them; a time that Python has no date for becomes its text.

Engines count further than Python's calendar, which knows the years 1 to 9999: DuckDB from
4714 BC to 294247, and both infinities. Such a time is most often the fault that is to be shown.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

# numpy's names for the units of Arrow's dates; its timestamps say theirs themselves.
_DATE_UNITS = {"date32[day]": "D", "date64[ms]": "ms"}


def python_rows(table: pa.Table) -> list[dict[str, Any]]:
    """All rows by column name."""
    columns = [_values(table.column(number)) for number in range(table.num_columns)]
    names = table.column_names
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: pa.ChunkedArray) -> list[Any]:
    try:
        return column.to_pylist()
    except (OverflowError, ValueError):
        return [_value(scalar) for scalar in column]


def _value(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        return _far_time(scalar)


def _far_time(scalar: pa.Scalar) -> str:
    """`infinity`, `-infinity` or ISO text with as many digits of the year as it takes."""
    count = scalar.value
    bits = 31 if pa.types.is_date32(scalar.type) else 63
    if abs(count) >= 2**bits - 1:
        return "infinity" if count > 0 else "-infinity"
    unit = _DATE_UNITS.get(str(scalar.type)) or scalar.type.unit
    moment: Any = np.datetime64
    text = str(moment(count, unit)).replace("T", " ")
    return f"{text}+00:00" if getattr(scalar.type, "tz", None) else text
