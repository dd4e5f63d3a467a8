"""What a draft of a contract is made from: model, rows and other contracts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from mesh.catalogue.nobody import Withheld
from mesh.catalogue.profile import Profile
from mesh.catalogue.sure import Made
from mesh.contracts import Contract
from mesh.contracts.personal import person
from mesh.contracts.sql import is_plain
from mesh.lint.persons import Persons
from mesh.lint.schedule import longest_gap

if TYPE_CHECKING:
    from sqlmesh.core.model import Model


@dataclass(frozen=True)
class Found:
    """All that a draft is made from.

    types: of the columns, as BigQuery writes them. narrower: as DuckDB does, where it keeps them in
    a type of fewer values. is_empty: whether it has been built, without a row. made: what its query
    says of the columns. today: the day of use. above: the models that it is made from, directly or
    not.
    """

    types: dict[str, str]
    narrower: dict[str, str]
    seen: Profile | None
    grain: tuple[str, ...]
    known: Mapping[str, Contract]
    servers: list[dict[str, Any]]
    model: Model
    models: Mapping[str, Model]
    is_empty: bool
    made: Made
    today: date
    ties: list[dict[str, Any]] = field(default_factory=list)
    above: Sequence[Model] = ()

    @cached_property
    def personal(self) -> set[str]:
        """The columns that lead to a person, by their names or by what they are made of."""
        named = {person(c.name) for one in self.known.values() for c in one.personal_columns}
        persons = Persons(self.models, self.known)
        return {
            column
            for column in self.types
            if person(column) in named or persons.origin(self.model, column)
        }

    @cached_property
    def called(self) -> set[str]:
        """The same, and those that are called like what leads to one."""
        names = Withheld(self.models, self.known)
        return self.personal | {one for one in self.types if names.told(self.model.fqn, one)}

    @cached_property
    def looks_like(self) -> dict[str, str]:
        """What of persons the texts of the other columns look like, where they do."""
        seen = self.seen.columns.items() if self.seen else ()
        return {c: one.looks_like for c, one in seen if one.looks_like and c not in self.called}

    @cached_property
    def withheld(self) -> set[str]:
        """The columns of which no value is shown."""
        return self.called | {*self.looks_like}

    @cached_property
    def key(self) -> str | None:
        """The column that alone tells rows apart, or in a history what they are rows of."""
        finds = [one.name for key in self.model.unique_key for one in key.find_all(exp.Column)]
        columns = finds if self.written else self.grain
        return columns[0] if len(columns) == 1 else None

    @cached_property
    def written(self) -> tuple[str, ...]:
        """The columns that SQLMesh writes: since when and until when a row is the current one."""
        return tuple(self.model.managed_columns)

    @cached_property
    def every(self) -> tuple[int, str] | None:
        """How often the model is built, and all that it needs; None of a table of a source."""
        if self.model.kind.is_external:
            return None
        kinds = [(one, one.kind) for one in self.above]
        by_time = [m for m, k in kinds if not (k.is_external or k.is_seed or k.is_embedded)]
        longest = max(longest_gap(one.cron) for one in [self.model, *by_time])
        gap = math.ceil(longest / timedelta(days=1))
        units = ((366, "y"), (31, "month"), (7, "w"), (1, "d"))
        days, unit = next((days, unit) for days, unit in units if gap >= days - 1)
        return math.ceil(gap / days), unit

    @cached_property
    def first_days(self) -> frozenset[str]:
        """The columns that hold first days of months, as a rule of the draft says."""
        seen = self.seen.first_days.difference(self.written) if self.seen else ()
        return frozenset(filter(is_plain, seen))
