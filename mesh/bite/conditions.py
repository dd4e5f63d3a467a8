"""What the queries of a product ask of the rows that it is made from: what its shares may be of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sqlglot import exp

from mesh.contracts.sql import DIALECT
from mesh.environments.names import is_public, query_inputs

if TYPE_CHECKING:
    from sqlmesh.core.model import Model

# So many are tried on each source.
MOST = 12


def lineage(models: Mapping[str, Model], name: str) -> Iterator[str]:
    """A product, and what it is made from, over internal models down to products and sources.

    A table that keeps what rows were before has more than what it is made from.
    """
    yield name
    if name in models and models[name].managed_columns:
        return
    for above in sorted(query_inputs(models[name]) - {name}) if name in models else ():
        if is_public(above):
            yield above
        else:
            yield from lineage(models, above)


def conditions(models: Mapping[str, Model], product: str) -> list[str]:
    """The comparisons of a column with a value in the queries of a product, without tables."""
    found: dict[str, None] = {}
    for name in dict.fromkeys(lineage(models, product)):
        model = models.get(name)
        if model is None or not model.is_sql or (is_public(name) and name != product):
            continue
        query = model.render_query(needs_optimization=False)
        for node in query.find_all(exp.Predicate) if query is not None else ():
            if node.find(exp.Literal) and not node.find(exp.AggFunc, exp.Query, exp.Window):
                found[_plain(node)] = None
    return [*found][:MOST]


def _plain(node: exp.Expr) -> str:
    plain = node.transform(lambda one: exp.column(one.name) if isinstance(one, exp.Column) else one)
    return plain.sql(dialect=DIALECT)
