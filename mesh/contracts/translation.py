"""What SQLGlot writes for DuckDB in other words than BigQuery's mean.

BigQuery divides whole numbers by functions, DuckDB by signs, which bind as tightly as a product:
SQLGlot writes `DIV(a + b, c)` as `a + b // c` and `a * MOD(b, c)` as `a * b % c`, other numbers
without an error. TRIM takes blanks of every script from a text on BigQuery, and none but spaces on
DuckDB.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp, generator
from sqlglot.dialects import DuckDB

# What Unicode calls white space.
BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def say_blanks(node: exp.Expr) -> None:
    """Name what a TRIM of BigQuery's takes away, so that it takes the same on each engine."""
    for trim in node.find_all(exp.Trim):
        if not trim.expression:
            trim.set("expression", exp.Literal.string(BLANKS))


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
