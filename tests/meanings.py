"""What queries on three tables mean."""

from __future__ import annotations

from sqlglot import parse_one
from sqlglot.optimizer.qualify import qualify

from mesh.contracts.queries import by_name, read_query
from mesh.contracts.relation import Relation

SCHEMA = {"t": {"k": "INT64", "v": "INT64", "w": "INT64"}}
SCHEMA |= {name: {"k": "INT64", "v": "INT64"} for name in ("u", "s")}


def meaning(query: str, dialect: str = "bigquery", **known: Relation) -> Relation:
    """known: what tables hold."""
    tree = parse_one(query, dialect=dialect)
    tree = qualify(tree, schema=SCHEMA, dialect=dialect, validate_qualify_columns=False)
    return read_query(tree, lambda table: known.get(table.name) or by_name(table))
