"""What a contract says, as frozen objects: the interface of all gates to the contracts."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.contracts.types import PERSONAL
from mesh.errors import Location
from mesh.project import display

if TYPE_CHECKING:
    from mesh.contracts.rules import RowRule, TableRule

Value = str | int | float | bool


@dataclass(frozen=True, order=True)
class Version:
    """A semantic version."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True)
class AllowedValue:
    """One value of an enum; line: where it stands."""

    value: Value
    description: str
    line: int


@dataclass(frozen=True)
class Column:
    """A column and all that is promised of its values.

    bigquery_type, duckdb_type: as in DDL, in upper case, such as INT64 and BIGINT.
    grain_position: from 1 for the columns of the grain, else None.
    minimum … exclusive_maximum: numbers, or ISO text for dates and timestamps.
    lines: where each key of the column stands; `line_of` finds them.
    """

    id: str
    name: str
    logical_type: str
    bigquery_type: str
    duckdb_type: str
    description: str
    classification: str
    required: bool
    unique: bool = False
    grain_position: int | None = None
    deprecated: bool = False
    tags: tuple[str, ...] = ()
    enum: tuple[AllowedValue, ...] = ()
    minimum: int | float | str | None = None
    maximum: int | float | str | None = None
    exclusive_minimum: int | float | str | None = None
    exclusive_maximum: int | float | str | None = None
    multiple_of: int | float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    examples: tuple[Value, ...] = ()
    line: int = 1
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def personal(self) -> bool:
        """Whether the values lead to a person."""
        return self.classification == PERSONAL

    def type_on(self, engine: str) -> str:
        """The type on `bigquery` or `duckdb`."""
        return {"bigquery": self.bigquery_type, "duckdb": self.duckdb_type}[engine]

    def line_of(self, key: str) -> int:
        """The line of a key of this column, or of the column when the key is not there."""
        return self.lines.get(key, self.line)


@dataclass(frozen=True)
class StatedRule:
    """A rule as it stands under `quality`, not parsed yet.

    metric: rowCount or duplicateValues, or None for a rule of type `sql`, which has a query.
    minimum, maximum: bounds of a row count; columns: those of duplicateValues.
    line: of the rule; query_line: of its query.
    """

    id: str
    name: str
    description: str
    dimension: str
    severity: str
    metric: str | None = None
    query: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    columns: tuple[str, ...] = ()
    line: int = 1
    query_line: int = 1


@dataclass(frozen=True)
class ServiceLevel:
    """A promise about delivery, such as freshness: 62 days.

    element: the column it is measured on. measured_by: for completeness, the id of the table rule
    that measures it, of this contract or as `<domain>.<product>/<rule>`.
    """

    id: str
    property: str
    value: Value
    unit: str | None = None
    element: str | None = None
    description: str = ""
    measured_by: str | None = None
    line: int = 1

    @property
    def days(self) -> float | None:
        """The value in days, for units of time; a month has 31 days, a year 366."""
        factor = {"h": 1 / 24, "d": 1, "w": 7, "month": 31, "y": 366}.get(self.unit or "")
        if factor is None or isinstance(self.value, str | bool):
            return None
        return self.value * factor


@dataclass(frozen=True)
class Role:
    """Who may read the product."""

    name: str
    access: str
    description: str
    line: int = 1


@dataclass(frozen=True)
class SupportChannel:
    """Where to ask."""

    channel: str
    tool: str | None
    url: str | None
    description: str
    line: int = 1


@dataclass(frozen=True)
class Server:
    """Where the product lies on an engine (`duckdb` or `bigquery`) in prod."""

    name: str
    type: str
    schema: str
    line: int = 1


@dataclass(frozen=True)
class Contract:
    """One contract: what a data product, or an operational table, promises.

    product: `<domain>.<name>`, which is the name of its model (or of its operational table).
    rules: as stated; `row_rules()` and `table_rules()` give all that the contract asks for.
    end_of_life: the last day on which a deprecated version is there.
    """

    path: Path
    line: int
    domain: str
    name: str
    id: str
    version: Version
    status: str
    kind: str
    purpose: str
    usage: str
    limitations: str
    grain_label: str
    tags: tuple[str, ...]
    columns: tuple[Column, ...]
    rules: tuple[StatedRule, ...]
    service_levels: tuple[ServiceLevel, ...]
    owner: str
    owner_description: str
    support: tuple[SupportChannel, ...]
    roles: tuple[Role, ...]
    servers: tuple[Server, ...]
    end_of_life: datetime.date | None = None
    properties: Mapping[str, object] = field(default_factory=dict, compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def product(self) -> str:
        return f"{self.domain}.{self.name}"

    @property
    def base_name(self) -> str:
        """The name without the suffix of its major version."""
        suffix = f"_v{self.version.major}"
        return self.name.removesuffix(suffix) if self.version.major > 1 else self.name

    @property
    def deprecated(self) -> bool:
        return self.status == "deprecated"

    @property
    def description(self) -> str:
        """Purpose, usage and limits as one text."""
        return " ".join(text for text in (self.purpose, self.usage, self.limitations) if text)

    @cached_property
    def grain(self) -> tuple[str, ...]:
        """The names of the columns that identify a row, in order."""
        keys = [c for c in self.columns if c.grain_position is not None]
        return tuple(c.name for c in sorted(keys, key=lambda c: c.grain_position or 0))

    @property
    def personal_columns(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.personal)

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)

    def service_level(self, kind: str) -> ServiceLevel | None:
        """The service level of a property, such as `freshness`."""
        return next((s for s in self.service_levels if s.property == kind), None)

    def line_of(self, key: str) -> int:
        """The line of a top-level key, or 1."""
        return self.lines.get(key, self.line)

    def location(self, line: int | None = None) -> Location:
        """A place in the contract's file, for messages."""
        return Location(display(self.path), line or self.line)

    def row_rules(self) -> tuple[RowRule, ...]:
        """What must hold for each row: derived from the columns, then stated.

        Raises ContractInvalid when the SQL of a stated rule cannot be used.
        """
        return self._all_rules[0]

    def table_rules(self) -> tuple[TableRule, ...]:
        """What must hold for the table as a whole: unique grain, row count, stated queries.

        Raises ContractInvalid when the SQL of a stated rule cannot be used.
        """
        return self._all_rules[1]

    @cached_property
    def _all_rules(self) -> tuple[tuple[RowRule, ...], tuple[TableRule, ...]]:
        from mesh.contracts.rules import rules_of

        return rules_of(self)
