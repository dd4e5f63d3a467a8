"""Dots as they are drawn, and what they are compared with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from mesh.dashboards.drawing.evidence import Estimate
from mesh.dashboards.kinds.base import Row
from mesh.dashboards.marks import IsValue
from mesh.dashboards.parts import Column, Scalar, Strict, Text


class Reference(Strict):
    """What the dots are compared with: a number, or the row of one value, such as all."""

    value: float | None = None
    of: str | None = Field(
        default=None, description="The value of the dimension whose own number is the reference."
    )
    label: Text


class Verdict(Strict):
    """What the product itself says of a row, after it allowed for comparing many."""

    field: Column
    clear: Annotated[
        list[Annotated[Scalar, IsValue()]],
        Field(min_length=1, description="Its values for a row that surely differs."),
    ]


@dataclass(frozen=True)
class Dot:
    name: str
    row: Row
    value: float
    low: float | None
    high: float | None
    clear: bool

    def distance(self, line: float, level: int) -> Estimate | None:
        """How far it is from the line, to whichever side."""
        if self.low is None or self.high is None:
            return None
        sides = [one - line for one in (self.value, self.low, self.high)]
        above = self.value > line
        value, low, high = sides if above else (-one for one in (sides[0], *sides[:0:-1]))
        return Estimate(value, low, high, level)


def missing_values(
    field: str,
    rows: Sequence[Row],
    every: Sequence[Row],
    picked: Mapping[str, tuple[Any, Collection[Any]]],
) -> list[Any]:
    """The values of a column that are not among these rows, but are with anything else picked.

    picked: by column what is picked, and of what. Where a column holds the same values as what is
    picked from, such as pairs of towns on a page of one town, all that can be picked are values of
    it, and the one that is picked is none that is missing: nothing is paired with itself.
    """
    known = {row[field] for row in rows}
    values = dict.fromkeys(row[field] for row in every)
    for name, (own, offered) in picked.items():
        if own is not None and values.keys() <= set(offered):
            values |= dict.fromkeys(offered)
        if not any(row[name] == row[field] for row in every):
            known.add(own)
    return [value for value in values if value is not None and value not in known]
