"""Which rows of a model's inputs its first unit test is made from: awkward ones, and enough.

A query that leaves small groups out finds nothing in a few rows: then there are as many more, of
as many others, as it takes for one row.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from mesh.catalogue.looks import looks_like
from mesh.catalogue.nobody import Handed, Withheld
from mesh.catalogue.unbuilt import here, place_or_query, query_on
from mesh.contracts import Contract
from mesh.environments import Opened
from mesh.environments.names import query_inputs, short_name

if TYPE_CHECKING:
    from sqlmesh.core.environment import Environment
    from sqlmesh.core.model import Model

MOST_KEYS = 8
MOST_ROWS = 24
MOST_OF_A_KEY = 3
MOST_VALUES = 100
# How many more rows are looked at, and of each person how many; how many of them somebody would
# read, and how many seconds it may take to find these.
MORE = ((64, 1), (1024, 1), (200_000, None))
MOST_MORE = 64
MOST_SECONDS = 30
FURTHER = "mesh_sample"
Spans = list[tuple[int, int]]
"""The first and the last number of rows that follow each other."""


@dataclass(frozen=True)
class Sample:
    """places: where each input is read; types: its columns; main: the one with most keys
    of others. withheld: the columns, by input, whose values nobody sees. chosen: the values that
    are looked for, by column. further: so many more rows of the main input, if any. looks: what of
    persons the chosen texts look like, by input and column, where nothing else withholds them;
    shown: the columns of texts that are shown, of which no contract says what they are."""

    opened: Opened
    places: dict[str, exp.Expr]
    types: dict[str, list[str]]
    main: str
    withheld: frozenset[tuple[str, str]]
    chosen: dict[str, list[Any]] = field(default_factory=dict)
    further: tuple[exp.Select, int] | None = None
    looks: Mapping[tuple[str, str], str] = field(default_factory=dict)
    shown: tuple[tuple[str, str], ...] = ()

    def personal(self, name: str, column: str) -> bool:
        return (name, column) in self.withheld or (name, column) in self.looks

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
            further = [self.further[0].copy()] if self.further else []
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
        return self.further[1] + 2 * len(self.types[self.main]) if self.further else 0

    def _end(self, column: str, descending: bool, columns: list[exp.Column]) -> exp.Select:
        """The row of the main input with the least or the greatest value, or without one."""
        order = exp.Ordered(this=column_of(column), desc=descending, nulls_first=descending)
        query = exp.select(*columns).from_(self.places[self.main].copy())
        return query.order_by(order, *columns).limit(1)

    def numbered(self, most: int, of_each: int | None) -> exp.Select:
        """Rows of the main input with their numbers, of each person so many."""
        names = self.types[self.main]
        columns = [column_of(one) for one in names]
        is_id = {c: c.lower().endswith("id") for c in names}
        whose = [c for c in names if is_id[c] or self.personal(self.main, c)]
        whose.sort(key=lambda c: (not is_id[c], not self.personal(self.main, c)))
        table = self.places[self.main].copy()
        if whose and of_each:
            nth = exp.alias_(_number(columns, column_of(whose[0])), "nth")
            some = exp.select(*columns, nth).from_(table).subquery("some")
            table = exp.select("*").from_(some).where(f"nth <= {of_each}").subquery("some")
        every = exp.select(*columns, exp.alias_(_number(columns), "place")).from_(table)
        return exp.select("*").from_(every.subquery("every")).where(f"place <= {most}")

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

    def looked_at(self, known: Mapping[str, Contract]) -> Sample:
        """With what the texts look like that it would show, and that no contract speaks of."""
        looks: dict[tuple[str, str], str] = {}
        shown: list[tuple[str, str]] = []
        for name, columns in self.types.items():
            contract = known.get(name)
            stated = {one.name.lower() for one in contract.columns} if contract else set()
            rows = self.opened.rows(self.rows(name))
            for column, values in zip(columns, zip(*rows, strict=True), strict=False):
                texts = [str(one) for one in values if isinstance(one, str | list | dict)]
                if not texts or column.lower() in stated or self.personal(name, column):
                    continue
                if like := looks_like(texts):
                    looks[name, column] = like
                else:
                    shown.append((name, column))
        return replace(self, looks=looks, shown=tuple(shown))

    def makes_rows(self, model: Model, environment: Environment) -> bool:
        """Whether the model's query finds anything in these rows."""
        rows: dict[str, exp.Expr] = {name: self.rows(name).subquery() for name in self.places}
        return _makes_rows(self.opened, model, environment, rows)


def sampled(
    opened: Opened,
    model: Model,
    environment: Environment,
    known: Mapping[str, Contract],
    withheld: Collection[str] = (),
) -> Sample | None:
    """Rows of all inputs of which the query makes a row, if there are such; None without inputs.

    withheld: the columns of the model whose values its contract does not show.
    """
    places: dict[str, exp.Expr] = {}
    types: dict[str, list[str]] = {}
    for name in sorted(query_inputs(model) - {short_name(model.fqn)}):
        place = place_or_query(opened, name, environment)
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
    nobody = frozenset(_withheld(opened, model, types, known, withheld))
    few = Sample(opened, places, types, main, nobody).with_chosen()
    is_enough = few.makes_rows(model, environment)
    made = few if is_enough else _enough(few, model, environment) or few
    return made.looked_at(known)


def _withheld(
    opened: Opened,
    model: Model,
    types: Mapping[str, list[str]],
    known: Mapping[str, Contract],
    withheld: Collection[str],
) -> Iterator[tuple[str, str]]:
    """The columns of inputs that lead to a person, or of which one of the model is made that does:
    its own contract may be the only one to say so."""
    names = Withheld(opened.context.models, known)
    handed = Handed(opened.context.models, known)
    columns = model.columns_to_types or {}
    own = [c for c in columns if c in withheld or names.told(model.fqn, c)]
    shown = {place for column in own for place in handed.origins(model, column)}
    for name, there in types.items():
        full_name = opened.models[name].fqn
        for column in there:
            if names.told(full_name, column) or (full_name, column) in shown:
                yield name, column


def _makes_rows(
    opened: Opened, model: Model, environment: Environment, rows: Mapping[str, exp.Expr]
) -> bool:
    query = query_on(opened, model, environment, rows)
    if query is None:
        return True
    return bool(opened.rows(exp.select("1").from_(query.subquery("made")).limit(1)))


def _enough(few: Sample, model: Model, environment: Environment) -> Sample | None:
    """With as few more rows as it takes for one row of the result."""
    opened = few.opened
    is_free = opened.context.engine_adapter.dialect == "duckdb"
    table: exp.Expr

    def further(spans: Spans) -> exp.Select:
        columns = [column_of(column) for column in few.types[few.main]]
        wanted = [f"place BETWEEN {low} AND {high}" for low, high in spans]
        return exp.select(*columns).from_(table.copy()).where(exp.or_(*wanted))

    def is_enough(spans: Spans) -> bool:
        rows = {few.main: further(spans).subquery()}
        return _makes_rows(opened, model, environment, rows)

    # Each look is a query, which other engines bill: there the first few rows are enough, or not.
    for most, of_each in MORE if is_free else MORE[:1]:
        numbered = few.numbered(most, of_each)
        table = here(opened, numbered, FURTHER) if is_free else numbered.subquery(FURTHER)
        if is_enough([(1, most)]):
            break
    else:
        return None
    kept = least(most, is_enough) if is_free else [(1, most)]
    count = sum(high - low + 1 for low, high in kept)
    if count > MOST_MORE:
        return None
    made = replace(few, further=(further(kept), count)).with_chosen()
    return made if made.makes_rows(model, environment) else None


def least(most: int, is_enough: Callable[[Spans], bool]) -> Spans:
    """Of so many rows as few as are still enough: halves are left out, and less and less."""
    kept, size, until = [(1, most)], most, monotonic() + MOST_SECONDS
    while size > 1:
        size = math.ceil(size / 2)
        kept = [
            (at, min(at + size - 1, high))
            for low, high in kept
            for at in range(low, high + 1, size)
        ]
        for span in kept[::-1]:
            less = [one for one in kept if one != span]
            if monotonic() < until and less and is_enough(less):
                kept = less
    return kept


def _number(columns: list[exp.Column], of_each: exp.Column | None = None) -> exp.Window:
    order = exp.Order(expressions=[exp.Ordered(this=one.copy()) for one in columns])
    part = [of_each] if of_each else []
    return exp.Window(this=exp.RowNumber(), partition_by=part, order=order)


def column_of(name: str) -> exp.Column:
    return exp.column(name, quoted=True)


def _one_of(column: str, values: list[Any]) -> exp.In:
    return exp.In(this=column_of(column), expressions=[exp.convert(value) for value in values])
