"""BigQuery's types as BigQuery writes them, and as the analyzer does."""

from __future__ import annotations

from typing import Any

from sqlglot import exp
from sqlglot.errors import SqlglotError

# The analyzer's names, where they are not BigQuery's.
_ANALYZERS_NAMES = {"FLOAT64": "DOUBLE"}
_BIGQUERYS_NAMES = {name: ours for ours, name in _ANALYZERS_NAMES.items()}


def analyzer_type(name: str) -> Any | None:
    """The analyzer's type of a BigQuery type; None if BigQuery has no such type for a column."""
    try:
        return _of(exp.DataType.build(name, dialect="bigquery"))
    except SqlglotError:
        return None


def _of(type_: exp.DataType) -> Any | None:
    from zetasql.types import ArrayType, RangeType, StructField, StructType, Type, TypeKind

    if type_.is_type(exp.DataType.Type.STRUCT):
        fields = []
        for part in type_.expressions:
            named = isinstance(part, exp.ColumnDef)
            kind = _of(part.args["kind"] if named else part)
            if kind is None:
                return None
            fields.append(StructField(field_name=part.name if named else "", field_type=kind))
        return Type(type_kind=TypeKind.TYPE_STRUCT, struct_type=StructType(field=fields))
    if type_.is_type(exp.DataType.Type.ARRAY, exp.DataType.Type.RANGE):
        element = _of(type_.expressions[0]) if type_.expressions else None
        if element is None or type_.expressions[0].is_type(exp.DataType.Type.ARRAY):
            return None
        if type_.is_type(exp.DataType.Type.RANGE):
            return Type(type_kind=TypeKind.TYPE_RANGE, range_type=RangeType(element_type=element))
        return Type(type_kind=TypeKind.TYPE_ARRAY, array_type=ArrayType(element_type=element))
    name = exp.DataType(this=type_.this).sql(dialect="bigquery")
    kind = TypeKind.__members__.get(f"TYPE_{_ANALYZERS_NAMES.get(name, name)}")
    return Type(type_kind=kind) if kind else None


def same_type(one: str, other: str) -> bool:
    """Whether two texts mean one type of BigQuery's, however its fields are quoted."""
    if one == other:
        return True
    types = [analyzer_type(name) for name in (one, other)]
    first, second = (bigquery_type(type_).lower() if type_ else None for type_ in types)
    return first is not None and first == second


def bigquery_type(type_: Any) -> str:
    """How BigQuery writes a type that came in an answer of the analyzer."""
    from zetasql.types import TypeKind

    kind = TypeKind(type_.type_kind).name.removeprefix("TYPE_")
    if kind in ("ARRAY", "RANGE"):
        inner = type_.array_type if kind == "ARRAY" else type_.range_type
        return f"{kind}<{bigquery_type(inner.element_type)}>"
    if kind == "STRUCT":
        fields = (
            f"{field.field_name} {bigquery_type(field.field_type)}".strip()
            for field in type_.struct_type.field
        )
        return f"STRUCT<{', '.join(fields)}>"
    return _BIGQUERYS_NAMES.get(kind, kind)
