"""Where a product is read, a query to begin with, and what some of its rows look like."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlglot import exp

from mesh.contracts import Contract
from mesh.contracts.sql import is_plain
from mesh.contracts.types import TIME_TYPES
from mesh.environments import Opened

SAMPLE = 5
COLUMNS = 8


@dataclass(frozen=True)
class Look:
    """A product in one environment.

    address: the name of its view, as queries write it. columns, rows: a sample, no rows where they
    would be about persons.
    """

    environment: str
    address: str
    query: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[object, ...], ...] = ()


def look(opened: Opened, contract: Contract, environment: str | None = None) -> Look | None:
    """A product in an environment, by default prod or else the first that has it; None for none.

    WrongUse when an environment that was named is not there.
    """
    names = opened.environment_names
    wanted = [environment] if environment else sorted(names, key=lambda name: name != "prod")
    for name in wanted:
        env = opened.environment(name)
        snapshot = opened.products(env).get(contract.product)
        if snapshot:
            return _look(opened, contract, name, opened.view(snapshot, env))
    if names and contract.is_of_source:
        table = exp.to_table(contract.product)
        table.set("catalog", exp.to_identifier(opened.context.default_catalog))
        return _look(opened, contract, "every environment", table)
    return None


def _look(opened: Opened, contract: Contract, environment: str, view: exp.Table) -> Look:
    dialect = opened.context.engine_adapter.dialect
    columns = [column.name for column in contract.columns if not column.personal][:COLUMNS]
    named = {name: exp.column(name, quoted=not is_plain(name)) for name in columns}
    query = exp.select(*named.values()).from_(view).limit(SAMPLE)
    # What has a time begins with the newest.
    for name in contract.grain:
        column = contract.column(name)
        if column and name in columns:
            newest = column.logical_type in TIME_TYPES
            query = query.order_by(exp.Ordered(this=named[name].copy(), desc=newest))
    rows: Collection[tuple] = ()
    if not contract.personal_columns:
        with opened.readable_errors():
            rows = opened.rows(query)
    address = view.sql(dialect=dialect).replace('"', "").replace("`", "")
    return Look(environment, address, query.sql(dialect), tuple(columns), tuple(map(tuple, rows)))
