"""Which columns lead to a person: those of a name that some contract classifies so."""

from __future__ import annotations

from collections.abc import Iterable

from mesh.contracts.types import PERSONAL
from mesh.errors import Location

NOT_PERSONAL = "not_personal"
"""The tag of a column that shares its name with one that leads to a person, and does not."""


def person(name: str) -> str:
    """A column's name however it is spelt: `customerId` and `customer_id` are one."""
    return name.lower().replace("_", "")


def evidence(columns: Iterable[tuple[str, str | None, Location]]) -> dict[str, Location]:
    """By such a name the place that classifies it as personal.

    columns: of each column name, classification and where that stands.
    """
    return {person(name): place for name, classified, place in columns if classified == PERSONAL}
