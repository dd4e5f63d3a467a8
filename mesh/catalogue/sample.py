"""Which rows of a model's inputs its first unit test is made from: awkward ones, and enough.

A query that leaves small groups out finds nothing in a few rows: then there are as many more, of
as many others, as it takes for one row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from mesh.catalogue.unbuilt import place_of, query_on
from mesh.contracts import Contract
from mesh.environments import Opened
from mesh.environments.names import query_inputs
from mesh.lint.persons import Persons

if TYPE_CHECKING:
    from sqlmesh.core.environment import Environment
    from sqlmesh.core.model import Model

MOST_KEYS = 8
MOST_ROWS = 24
MOST_OF_A_KEY = 3
MOST_VALUES = 100
# How many more rows are looked at, of each person how many, and how many somebody would read.
MORE = ((64, 1), (1024, 1), (4096, 8))
MOST_MORE = 60


@dataclass(frozen=True)
class Sample:
    """places: where each input is read; types: its columns; main: the one with most keys
    of others. chosen: the values that are looked for, by column. more: the further rows of the main
    input, by their numbers, of each person so many as `of_each` says."""

    opened: Opened
    persons: Persons
    places: dict[str, exp.Expr]
    types: dict[str, list[str]]
    main: str
    chosen: dict[str, list[Any]] = field(default_factory=dict)
    more: tuple[int, ...] = ()
    of_each: int = 1

    def personal(self, name: str, column: str) -> bool:
        model = self.opened.models[name]
        contract = self.persons.contracts.get(name)
        if contract is not None:
            same = (one for one in contract.columns if one.name.lower() == column.lower())
            return any(one.personal for one in same)
        return self.persons.origin(model, column) is not None

    def rows(self, name: str) -> exp.Select:
        """A few rows of an input: awkward ones, of the others those that share values with them."""
        columns = [column_of(column) for column in self.types[name]]
        table = self.places[name].copy()
        if name == self.main:
            ends = [
                exp.select("*").from_(self._end(column, descending, columns).subquery("one"))
                for column in self.types[name]
                for descending in (False, True)
            ]
            further = [self._further(columns)] if self.more else []
            table = exp.union(*ends, *further, distinct=True).subquery("ends")
        query = exp.select(*columns).from_(table)
        shared = [column for column in self.types[name] if column in self.chosen]
        for column in shared:
            query = query.where(_one_of(column, self.chosen[column]))
        if shared and name != self.main:
            number = _number(columns, column_of(shared[0]))
            some = query.select(exp.alias_(number, "nth")).subquery("some")
            query = exp.select(*columns).from_(some).where(f"nth <= {MOST_OF_A_KEY}")
        return query.order_by(*columns).limit(MOST_ROWS + MOST_OF_A_KEY * self._room)

    @property
    def _room(self) -> int:
        """How many keys more there may be than in the awkward rows alone, without a cut."""
        return len(self.more) + 2 * len(self.types[self.main]) if self.more else 0

    def _end(self, column: str, descending: bool, columns: list[exp.Column]) -> exp.Select:
        """The row of the main input with the least or the greatest value, or without one."""
        order = exp.Ordered(this=column_of(column), desc=descending, nulls_first=descending)
        query = exp.select(*columns).from_(self.places[self.main].copy())
        return query.order_by(order, *columns).limit(1)

    def _further(self, columns: list[exp.Column]) -> exp.Select:
        names = self.types[self.main]
        whose = [c for c in names if self.personal(self.main, c)]
        whose = whose or [c for c in names if c.lower().endswith("id")]
        table = self.places[self.main].copy()
        if whose:
            of_each = exp.alias_(_number(columns, column_of(whose[0])), "nth")
            some = exp.select(*columns, of_each).from_(table).subquery("some")
            table = exp.select("*").from_(some).where(f"nth <= {self.of_each}").subquery("some")
        every = exp.select(*columns, exp.alias_(_number(columns), "place")).from_(table)
        wanted = exp.In(this=exp.column("place"), expressions=[*map(exp.convert, self.more)])
        return exp.select(*columns).from_(every.subquery("numbered")).where(wanted)

    def with_chosen(self) -> Sample:
        """With the values by which rows of other inputs belong to those of the main input."""
        shared = Counter(column for columns in self.types.values() for column in columns)
        columns = self.types[self.main]
        keys = [c for c in columns if shared[c] > 1 and c.lower().endswith("id")]
        made = replace(self, chosen={})
        for key in keys:
            most = self._room + (MOST_KEYS if key == keys[0] else MOST_VALUES)
            rows = made.rows(self.main).subquery("kept")
            found = self.opened.rows(exp.select(column_of(key)).distinct().from_(rows))
            values = sorted(value for (value,) in found if value is not None)
            # The first ones and the last one: the ends are what is awkward.
            made.chosen[key] = [*values[: most - 1], *values[most - 1 :][-1:]]
        return made

    def makes_rows(self, model: Model, environment: Environment) -> bool:
        """Whether the model's query finds anything in these rows."""
        rows: dict[str, exp.Expr] = {name: self.rows(name).subquery() for name in self.places}
        query = query_on(self.opened, model, environment, rows)
        if query is None:
            return True
        some = exp.select("1").from_(query.subquery("made")).limit(1)
        return bool(self.opened.rows(some))


def sampled(
    opened: Opened, model: Model, environment: Environment, known: Mapping[str, Contract]
) -> Sample | None:
    """Rows of all inputs of which the query makes a row, if there are such; None without inputs."""
    places: dict[str, exp.Expr] = {}
    types: dict[str, list[str]] = {}
    for name in sorted(query_inputs(model)):
        place = place_of(opened, name, environment)
        columns = list(
            (opened.models[name].columns_to_types or {}) if name in opened.models else ()
        )
        if place is None or not columns:
            return None
        places[name], types[name] = place, columns
    if not places:
        return None
    shared = Counter(column for columns in types.values() for column in columns)

    def ties(name: str) -> tuple[int, int]:
        keys = [column for column in types[name] if column.lower().endswith("id")]
        return sum(shared[column] > 1 for column in keys), len(keys)

    main = max(types, key=ties)
    persons = Persons(opened.context.models, known)
    few = Sample(opened, persons, places, types, main).with_chosen()
    if few.makes_rows(model, environment):
        return few
    return _enough(few, model, environment) or few


def _enough(few: Sample, model: Model, environment: Environment) -> Sample | None:
    """With as few more rows as it takes for one row of the result."""
    for most, of_each in MORE:
        grown = replace(few, more=tuple(range(1, most + 1)), of_each=of_each).with_chosen()
        if grown.makes_rows(model, environment):
            break
    else:
        return None
    kept = list(grown.more)
    # Each look is a query, which other engines bill; there the first few that are enough are taken.
    if few.opened.context.engine_adapter.dialect == "duckdb":
        for size, at in _cuts(kept):
            less = kept[:at] + kept[at + size :]
            if replace(grown, more=tuple(less)).makes_rows(model, environment):
                kept[:] = less
    if len(kept) > MOST_MORE:
        return None
    made = replace(grown, more=tuple(kept)).with_chosen()
    return made if made.makes_rows(model, environment) else None


def _cuts(kept: list[int]) -> Iterator[tuple[int, int]]:
    """How many to try without, and from where: halves, and less and less, of what is still kept."""
    size = len(kept) // 2
    while size:
        for at in reversed(range(0, len(kept), size)):
            yield size, at
        size //= 2


def _number(columns: list[exp.Column], of_each: exp.Column | None = None) -> exp.Window:
    order = exp.Order(expressions=[exp.Ordered(this=one.copy()) for one in columns])
    part = [of_each] if of_each else []
    return exp.Window(this=exp.RowNumber(), partition_by=part, order=order)


def column_of(name: str) -> exp.Column:
    return exp.column(name, quoted=True)


def _one_of(column: str, values: list[Any]) -> exp.In:
    return exp.In(this=column_of(column), expressions=[exp.convert(value) for value in values])
