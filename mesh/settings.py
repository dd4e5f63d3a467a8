"""What a project states beside its models: its sources, and what the variable `mesh` tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TIME_TYPES = ("TIMESTAMP", "DATETIME", "DATE")


@dataclass(frozen=True)
class Source:
    """A table that models read and this project does not build: an external model of SQLMesh's.

    columns: BigQuery types by name, as far as they are stated.
    """

    schema: str
    name: str
    columns: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def product(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def time(self) -> str | None:
        """The first column that says when a row happened; None for what has no time."""
        return next((name for name, kind in self.columns.items() if kind in TIME_TYPES), None)


@dataclass(frozen=True)
class Settings:
    """What the variable `mesh` in SQLMesh's configuration tells.

    version: of what `mesh init` wrote. deliveries: the schema with the log of what was delivered
    to the sources in it, if there is one. growth: by key column the power with which the rows of a
    table grow when the largest source does. title, purpose: what the dashboards are about together,
    on the page that lists them. bite: the share, 0 to 1, of standard damages that each contract has
    to notice unless it says otherwise itself. as_of: the day of use of data that grows no more.
    """

    version: int | None = None
    deliveries: str | None = None
    growth: Mapping[str, float] = field(default_factory=dict)
    title: str | None = None
    purpose: str | None = None
    bite: float | None = None
    as_of: str | None = None
