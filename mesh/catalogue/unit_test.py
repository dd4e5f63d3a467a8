"""A first unit test of a model: awkward rows of its inputs, and what its query makes of them.

The rows are real ones, with the least and the greatest values and with those that are missing. What
leads to a person is numbered anew.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from sqlglot import exp

from mesh.catalogue.unbuilt import place_of
from mesh.contracts import Contract
from mesh.environments import Opened
from mesh.environments.names import query_inputs, short_name
from mesh.lint.persons import Persons

if TYPE_CHECKING:
    from sqlmesh.core.environment import Environment
    from sqlmesh.core.model import Model

MOST_KEYS = 8
MOST_ROWS = 24
MOST_OF_A_KEY = 3
MOST_VALUES = 100


@dataclass
class _Inputs:
    """places: where each input is read; types: its columns; main: the one with most keys
    of others. chosen: the values that are looked for, by column."""

    opened: Opened
    persons: Persons
    places: dict[str, exp.Expr]
    types: dict[str, list[str]]
    main: str
    chosen: dict[str, list[Any]] = field(default_factory=dict)

    def personal(self, name: str, column: str) -> bool:
        model = self.opened.models[name]
        contract = self.persons.contracts.get(name)
        if contract is not None:
            same = (one for one in contract.columns if one.name.lower() == column.lower())
            return any(one.personal for one in same)
        return self.persons.origin(model, column) is not None

    def rows(self, name: str) -> exp.Select:
        """A few rows of an input: awkward ones, of the others those that share values with them."""
        columns = [_column(column) for column in self.types[name]]
        table = self.places[name].copy()
        if name == self.main:
            ends = [
                exp.select("*").from_(self.end(column, descending, columns).subquery("one"))
                for column in self.types[name]
                for descending in (False, True)
            ]
            table = exp.union(*ends, distinct=True).subquery("ends")
        query = exp.select(*columns).from_(table)
        shared = [column for column in self.types[name] if column in self.chosen]
        for column in shared:
            query = query.where(_one_of(column, self.chosen[column]))
        if shared and name != self.main:
            number = exp.Window(
                this=exp.RowNumber(),
                partition_by=[_column(shared[0])],
                order=exp.Order(expressions=[exp.Ordered(this=one.copy()) for one in columns]),
            )
            some = query.select(exp.alias_(number, "nth")).subquery("some")
            query = exp.select(*columns).from_(some).where(f"nth <= {MOST_OF_A_KEY}")
        return query.order_by(*columns).limit(MOST_ROWS)

    def end(self, column: str, descending: bool, columns: list[exp.Column]) -> exp.Select:
        """The row of the main input with the least or the greatest value, or without one."""
        order = exp.Ordered(this=_column(column), desc=descending, nulls_first=descending)
        query = exp.select(*columns).from_(self.places[self.main].copy())
        return query.order_by(order, *columns).limit(1)


def draft_test(
    opened: Opened, model: Model, environment: Environment, known: Mapping[str, Contract]
) -> tuple[Path, int] | None:
    """Write the test beside the others, and say how many rows it expects; None without inputs.

    A test that is there already stays as it is.
    """
    name = short_name(model.fqn)
    domain, _, product = name.partition(".")
    path = Path(domain) / f"test_{product}.yaml"
    file = opened.project.root / "tests" / path
    if file.exists() or not model.is_sql:
        return None
    inputs = _inputs(opened, model, environment, known)
    if inputs is None:
        return None
    _choose(inputs)
    numbers = _numbers(inputs)
    dialect = opened.context.engine_adapter.dialect
    queries = {one: _anonymous(inputs, one, numbers).sql(dialect=dialect) for one in inputs.places}
    file.parent.mkdir(parents=True, exist_ok=True)
    times = {"start": "1970-01-01", "end": "2100-01-01"} if model.kind.is_incremental else None
    test = f"test_{product}_awkward_rows"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        opened.context.create_test(model.name, queries, variables=times, path=str(path), name=test)
    body = yaml.safe_load(file.read_text(encoding="utf-8"))[test]
    body["model"] = name
    body["inputs"] = {short_name(one): {"rows": rows} for one, rows in body["inputs"].items()}
    body["outputs"] = {"query": {"rows": (made := _listed(body["outputs"]["query"]))}}
    text = yaml.safe_dump({test: body}, sort_keys=False, allow_unicode=True, width=98)
    file.write_text(text, encoding="utf-8")
    return file, len(made)


def _listed(output: Any) -> list[Any]:
    return list(output.get("rows", []) if isinstance(output, dict) else output or [])


def _inputs(
    opened: Opened, model: Model, environment: Environment, known: Mapping[str, Contract]
) -> _Inputs | None:
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
    return _Inputs(opened, Persons(opened.context.models, known), places, types, main)


def _choose(inputs: _Inputs) -> None:
    """The values by which rows of other inputs belong to the awkward ones of the main input."""
    shared = Counter(column for columns in inputs.types.values() for column in columns)
    columns = inputs.types[inputs.main]
    keys = [c for c in columns if shared[c] > 1 and c.lower().endswith("id")]
    for key, most in [(one, MOST_KEYS if one == keys[0] else MOST_VALUES) for one in keys]:
        rows = inputs.rows(inputs.main).subquery("kept")
        found = inputs.opened.rows(exp.select(_column(key)).distinct().from_(rows))
        values = sorted(value for (value,) in found if value is not None)
        # The first ones and the last one: the ends are what is awkward.
        inputs.chosen[key] = [*values[: most - 1], *values[most - 1 :][-1:]]


def _numbers(inputs: _Inputs) -> dict[Any, int]:
    """A number for each personal value in the chosen rows, the same in all inputs."""
    found: set[Any] = set()
    for name, columns in inputs.types.items():
        for column in columns:
            if inputs.personal(name, column):
                query = exp.select(_column(column)).from_(inputs.rows(name).subquery("kept"))
                found |= {row[0] for row in inputs.opened.rows(query) if row[0] is not None}
    ordered = sorted(found, key=lambda value: (isinstance(value, str), value))
    return {value: number for number, value in enumerate(ordered, start=1)}


def _anonymous(inputs: _Inputs, name: str, numbers: Mapping[Any, int]) -> exp.Select:
    columns: list[exp.Expr] = []
    for column in inputs.types[name]:
        value: exp.Expr = _column(column)
        if inputs.personal(name, column):
            case = exp.Case(this=value)
            for old, new in numbers.items():
                text = f"person {new}" if isinstance(old, str) else new
                case = case.when(exp.convert(old), exp.convert(text))
            value = case
        columns.append(exp.alias_(value, column, quoted=True))
    return exp.select(*columns).from_(inputs.rows(name).subquery("kept"))


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)


def _one_of(column: str, values: list[Any]) -> exp.In:
    return exp.In(this=_column(column), expressions=[exp.convert(value) for value in values])
