"""What SQLGlot writes for DuckDB in other words than BigQuery's mean.

BigQuery divides whole numbers by functions, DuckDB by signs, which bind as tightly as a product:
SQLGlot writes `DIV(a + b, c)` as `a + b // c` and `a * MOD(b, c)` as `a * b % c`, other numbers
without an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp, generator
from sqlglot.dialects import DuckDB


def install() -> None:
    """Keep together what stood within a function."""
    DuckDB.Generator.TRANSFORMS[exp.IntDiv] = _in_brackets("//")
    DuckDB.Generator.TRANSFORMS[exp.Mod] = _in_brackets("%")
    # It remembers from its first use what it can write.
    generator._DISPATCH_CACHE.clear()


def _in_brackets(sign: str) -> Callable[[Any, exp.Binary], str]:
    def written(writer: Any, division: exp.Binary) -> str:
        sides = (
            f"({writer.sql(side)})" if isinstance(side, exp.Binary) else writer.sql(side)
            for side in (division.this, division.expression)
        )
        return f"({f' {sign} '.join(sides)})"

    return written
