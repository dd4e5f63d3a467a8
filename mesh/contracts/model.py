"""What a contract says, as frozen objects: the interface of all gates to the contracts."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mesh.contracts.constraints import Enum, Range, Required, Unique
from mesh.contracts.constraints.base import Named, TablePromise
from mesh.contracts.constraints.enum import AllowedValue
from mesh.contracts.constraints.sql import RULE_SQL
from mesh.contracts.constraints.unique import UniqueTogether, unique_rule
from mesh.contracts.findings import ContractInvalid
from mesh.contracts.rules import RowRule, Rule, TableRule
from mesh.contracts.sql import RuleSqlError
from mesh.contracts.types import DUCKDB_TYPES, PERSONAL, TIME_UNITS, Value
from mesh.errors import Location
from mesh.files.problems import Problem
from mesh.project import display, project_around


@dataclass(frozen=True, order=True)
class Version:
    """A semantic version."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, kw_only=True)
class Column(Named):
    """A column and all that is promised of its values.

    bigquery_type: as in DDL, in upper case, such as INT64. narrower: the type on DuckDB, where it
    is not the one that holds just the same.
    grain_position: from 1 for the columns of the grain, else None. partitioned: whether the table
    is stored by its days or months.
    lines: where each key of the column stands; `line_of` finds them.
    """

    bigquery_type: str
    description: str
    classification: str
    narrower: str | None = None
    grain_position: int | None = None
    deprecated: bool = False
    partitioned: bool = False
    tags: tuple[str, ...] = ()
    examples: tuple[Value, ...] = ()
    line: int = 1
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def required(self) -> bool:
        return self.promise(Required) is not None

    @property
    def enum(self) -> tuple[AllowedValue, ...]:
        """The values that are allowed; none where any is."""
        promise = self.promise(Enum)
        return promise.values if promise else ()

    @property
    def minimum(self) -> int | float | str | None:
        """The least value; ISO text for dates and timestamps."""
        promise = self.promise(Range)
        return promise.minimum if promise else None

    @property
    def maximum(self) -> int | float | str | None:
        """The greatest value; ISO text for dates and timestamps."""
        promise = self.promise(Range)
        return promise.maximum if promise else None

    @property
    def personal(self) -> bool:
        """Whether the values lead to a person."""
        return self.classification == PERSONAL

    @property
    def duckdb_type(self) -> str:
        return self.narrower or DUCKDB_TYPES.get(self.bigquery_type, self.bigquery_type)

    def type_on(self, engine: str) -> str:
        """The type on `bigquery` or `duckdb`."""
        return {"bigquery": self.bigquery_type, "duckdb": self.duckdb_type}[engine]

    def values_text(self) -> str:
        """What values there may be, in words."""
        told = [text for promise in self.promises if (text := promise.values_text())]
        return ", ".join(told) if self.enum else " ".join(told)

    def line_of(self, key: str) -> int:
        """The line of a key of this column, or of the column when the key is not there."""
        return self.lines.get(key, self.line)


@dataclass(frozen=True)
class StatedRule:
    """A rule as it stands under `quality`; the SQL of one of type `sql` is not parsed yet.

    line: of the rule; query_line: of its query, if it has one; sql_line: says where the SQL is that
    cannot be used, as lint does.
    """

    id: str
    name: str
    description: str
    dimension: str
    severity: str
    promise: TablePromise
    line: int = 1
    query_line: int = 1
    sql_line: Callable[[], int] | None = field(default=None, compare=False, repr=False)


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

    @cached_property
    def days(self) -> float | None:
        """The value in days, for units of time; a month has 31 days, a year 366."""
        if self.unit is None or self.unit not in TIME_UNITS or isinstance(self.value, str | bool):
            return None
        return self.value * TIME_UNITS[self.unit][0]


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
    """One contract: what a data product, or a table of a source, promises.

    product: `<domain>.<name>`, which is the name of its model (or of the table).
    rules: as stated; `row_rules()` and `table_rules()` give all that the contract asks for.
    end_of_life: the last day on which a deprecated version is there.
    """

    path: Path
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
    def ends(self) -> bool:
        """Whether a version is on its way out, or out."""
        return self.status in ("deprecated", "retired")

    def ended(self, today: datetime.date) -> bool:
        """Whether its last day is over; without one, whether it is called retired."""
        if self.end_of_life is None:
            return self.status == "retired"
        return self.ends and self.end_of_life < today

    @property
    def description(self) -> str:
        """Purpose, usage and limits as one text."""
        return " ".join(text for text in (self.purpose, self.usage, self.limitations) if text)

    @property
    def is_of_source(self) -> bool:
        """Whether the project that the file lies in reads this table and does not build it."""
        project = project_around(self.path)
        return project is not None and self.product in project.sources

    @cached_property
    def grain(self) -> tuple[str, ...]:
        """The names of the columns that identify a row, in order."""
        keys = [c for c in self.columns if c.grain_position is not None]
        return tuple(c.name for c in sorted(keys, key=lambda c: c.grain_position or 0))

    @cached_property
    def keys(self) -> tuple[frozenset[str], ...]:
        """Columns that name one row each, by a promise: the grain, and what else is unique."""
        alone = [(c.name,) for c in self.columns if c.promise(Unique)]
        stated = [rule.promise for rule in self.rules if rule.severity == "error"]
        together = [one.columns for one in stated if isinstance(one, UniqueTogether)]
        return tuple(map(frozenset, [self.grain, *alone, *together]))

    @property
    def personal_columns(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.personal)

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)

    def service_level(self, kind: str) -> ServiceLevel | None:
        """The service level of a property, such as `freshness`."""
        return next((s for s in self.service_levels if s.property == kind), None)

    def age(self, newest: datetime.datetime, as_of: datetime.datetime) -> float:
        """How old, in days, the newest value is on which freshness is measured: of a column of
        dates in whole ones, whatever the hour."""
        level = self.service_level("freshness")
        column = self.column(level.element or "") if level else None
        if column and column.bigquery_type == "DATE":
            return float((as_of.astimezone(datetime.UTC).date() - newest.date()).days)
        return (as_of - newest) / datetime.timedelta(days=1)

    def line_of(self, key: str) -> int:
        """The line of a top-level key, or 1."""
        return self.lines.get(key, 1)

    def location(self, line: int = 1) -> Location:
        """A place in the contract's file, for messages."""
        return Location(display(self.path), line)

    def row_rules(self) -> tuple[RowRule, ...]:
        """What must hold for each row: derived from the columns, then stated.

        Raises ContractInvalid when the SQL of a stated rule cannot be used.
        """
        return tuple(rule for rule in self._all_rules if isinstance(rule, RowRule))

    def table_rules(self) -> tuple[TableRule, ...]:
        """What must hold for the table as a whole: unique grain, row count, stated queries.

        Raises ContractInvalid when the SQL of a stated rule cannot be used.
        """
        return tuple(rule for rule in self._all_rules if isinstance(rule, TableRule))

    @cached_property
    def _all_rules(self) -> tuple[Rule, ...]:
        rules: list[Rule] = [self._grain_rule] if self.grain else []
        for column in self.columns:
            rules += [
                promise.rule(column)
                for promise in column.promises
                if not (column.identifies and isinstance(promise, Unique))
            ]
        problems = []
        for stated in self.rules:
            facts = Rule(
                stated.id,
                stated.promise.kind,
                stated.description,
                stated.dimension,
                stated.severity,
                stated.line,
            )
            try:
                rules.append(stated.promise.rule(facts, self._type_of))
            except RuleSqlError as error:
                line = stated.sql_line() if stated.sql_line else stated.query_line
                problems.append(Problem(self.path, line, RULE_SQL.id, error.message, error.fix))
        if problems:
            raise ContractInvalid(problems)
        return tuple(rules)

    @property
    def _grain_rule(self) -> TableRule:
        first = self.column(self.grain[0])
        line = first.line_of("primaryKey") if first else 1
        facts = Rule("grain.unique", Unique.kind, self.grain_label, Unique.dimension, "error", line)
        return unique_rule(facts, self.grain, self._type_of)

    def _type_of(self, name: str) -> str:
        column = self.column(name)
        return column.logical_type if column else ""
