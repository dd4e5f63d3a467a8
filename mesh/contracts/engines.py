"""What the same words of GoogleSQL mean on BigQuery and, as SQLGlot writes them, on DuckDB.

Neither engine says a word where they give other numbers, and a test on one of them sees nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

_WEEK_OF_SUNDAYS = "begins weeks on Sunday, DuckDB on Monday"
_PARTS = {
    "DAYOFWEEK": (
        "counts Sunday as 1, DuckDB as 0",
        "`DATE_DIFF(day, DATE_TRUNC(day, WEEK(MONDAY)), DAY)` is 0 on Monday on both",
    ),
    "WEEK": (_WEEK_OF_SUNDAYS, "count days from a DATE_TRUNC to WEEK(MONDAY)"),
    "MILLISECOND": ("leaves the whole seconds out, DuckDB does not", "take UNIX_MICROS and MOD"),
    "MICROSECOND": ("leaves the whole seconds out, DuckDB does not", "take UNIX_MICROS and MOD"),
}
_TRUNCATIONS = (exp.DateTrunc, exp.DatetimeTrunc, exp.TimestampTrunc)
# Of what is cast or compared with nothing, no match is NULL in the end.
_TAKES_NOTHING = (exp.Nullif, exp.TryCast)


@dataclass(frozen=True)
class Difference:
    """part: of a query; how: the engines understand it otherwise; instead: what to write."""

    part: exp.Expr
    how: str
    instead: str

    @property
    def text(self) -> str:
        """The part as BigQuery writes it."""
        return self.part.sql("bigquery", comments=False)

    def __str__(self) -> str:
        return f"Of `{self.text[:80]}` BigQuery {self.how}: {self.instead}."


def told_apart(query: exp.Expr) -> Iterator[Difference]:
    """What the engines understand otherwise in a query."""
    for node in query.walk():
        unit = node.args.get("unit")
        name = unit.name.upper() if isinstance(unit, (exp.Var, exp.Literal)) else ""
        if isinstance(node, exp.Extract) and (said := _PARTS.get(node.name.upper())):
            yield Difference(node, *said)
        elif isinstance(node, _TRUNCATIONS) and name == "WEEK":
            yield Difference(node, _WEEK_OF_SUNDAYS, "name the day, as WEEK(MONDAY)")
        elif isinstance(node, exp.TimestampDiff) and name not in ("", "MICROSECOND"):
            how = f"counts whole {name.lower()}s, DuckDB the borders that are crossed"
            yield Difference(node, how, "take a difference of UNIX_MICROS and DIV")
        elif isinstance(node, exp.RegexpExtract) and not isinstance(node.parent, _TAKES_NOTHING):
            how = "gives NULL where nothing matches, DuckDB an empty text"
            yield Difference(node, how, "put NULLIF(…, '') around it")
