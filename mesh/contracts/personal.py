"""Which columns lead to a person: those of a name that some contract classifies so."""

from __future__ import annotations

NOT_PERSONAL = "not_personal"
"""The tag of a column that shares its name with one that leads to a person, and does not."""


def person(name: str) -> str:
    """A column's name however it is spelt: `customerId` and `customer_id` are one."""
    return name.lower().replace("_", "")
