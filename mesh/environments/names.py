"""Names of models, as SQLMesh's state and the data products use them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from sqlmesh.core.model import Model

INTERNAL_SUFFIX = "_internal"


@lru_cache(maxsize=4096)
def short_name(full_name: str) -> str:
    """`schema.model` of a model's full name, quoted or not, with or without a catalog."""
    table = exp.to_table(full_name, dialect="bigquery")
    return f"{table.db}.{table.name}"


def is_public(full_name: str) -> bool:
    """Whether a model is a data product: anything outside a schema for internal models."""
    return not short_name(full_name).split(".")[0].endswith(INTERNAL_SUFFIX)


def is_of_many_tables(name: str) -> bool:
    """Whether BigQuery reads many tables by a name, as `exports.events_*`."""
    return name.endswith("*")


def domain_of(name: str) -> str:
    """The domain of a model, of its internal schema as well."""
    return name.split(".")[0].removesuffix(INTERNAL_SUFFIX)


def query_inputs(model: Model) -> set[str]:
    """What a model is made of, by short names; what only its audits read is not among it.

    SQLMesh's `depends_on` has both, and all that there is to ask when the model is no SQL.
    """
    query = model.render_query(needs_optimization=False) if model.is_sql else None
    if query is None:
        return {short_name(parent) for parent in model.depends_on}
    return {f"{table.db}.{table.name}" for table in query.find_all(exp.Table) if table.db}
