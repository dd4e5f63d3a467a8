"""What the same words of GoogleSQL mean on BigQuery and, as SQLGlot writes them, on DuckDB.

Neither engine says a word where they give other numbers, and a test on one of them sees nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

_WEEK_OF_SUNDAYS = "begins weeks on Sunday, DuckDB on Monday"
_WITHOUT_SECONDS = "leaves the whole seconds out, DuckDB does not"
_PARTS = {
    "DAYOFWEEK": (
        "counts Sunday as 1, DuckDB as 0",
        "`DATE_DIFF(day, DATE_TRUNC(day, WEEK(MONDAY)), DAY)` is 0 on Monday on both",
    ),
    "WEEK": (
        _WEEK_OF_SUNDAYS,
        "`DATE_DIFF(day, DATE_TRUNC(day, YEAR), WEEK(MONDAY))` counts the weeks since that of "
        "January 1 on both",
    ),
    "MILLISECOND": (
        _WITHOUT_SECONDS,
        "take `DIV(MOD(UNIX_MICROS(moment), 1000000), 1000)`",
    ),
    "MICROSECOND": (_WITHOUT_SECONDS, "take `MOD(UNIX_MICROS(moment), 1000000)`"),
}
_MICROS = {
    "MILLISECOND": "1000",
    "SECOND": "1000000",
    "MINUTE": "60000000",
    "HOUR": "3600000000",
    "DAY": "86400000000",
}
_TO_WEEKS = "truncate to a week whose first day is named, as `DATE_TRUNC({day}, WEEK(MONDAY))`"
_TRUNCATIONS = (exp.DateTrunc, exp.DatetimeTrunc, exp.TimestampTrunc)
# Of what is cast or compared with nothing, no match is NULL in the end.
_TAKES_NOTHING = (exp.Nullif, exp.TryCast)


@dataclass(frozen=True)
class Difference:
    """part: of a query; how: the engines understand it otherwise.

    instead: what to write; SQL in it stands in backticks, and both engines run it the same.
    """

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
            # Of a moment SQLGlot writes no such week for DuckDB.
            day = "day" if isinstance(node, exp.DateTrunc) else "DATE(moment)"
            yield Difference(node, _WEEK_OF_SUNDAYS, _TO_WEEKS.format(day=day))
        elif isinstance(node, exp.TimestampDiff) and name in _MICROS:
            how = f"counts whole {name.lower()}s, DuckDB the borders that are crossed"
            difference = "UNIX_MICROS(later) - UNIX_MICROS(earlier)"
            instead = f"take `DIV({difference}, {_MICROS[name]})`"
            yield Difference(node, how, instead)
        elif isinstance(node, exp.RegexpExtract) and not isinstance(node.parent, _TAKES_NOTHING):
            how = "gives NULL where nothing matches, DuckDB an empty text"
            yield Difference(node, how, "take `NULLIF(REGEXP_EXTRACT(text, 'pattern'), '')`")
