"""Functions that BigQuery has and the language of its analyzer does not.

Names and arguments are those of BigQuery's reference; what it takes by name is left out.
"""

from __future__ import annotations

from typing import Any


def of_bigquery() -> list[Any]:
    """The functions, as the analyzer's catalog takes them."""
    from zetasql.types import (
        Function,
        FunctionArgumentType,
        FunctionArgumentTypeOptions,
        FunctionEnums,
        FunctionOptions,
        FunctionSignature,
        SignatureArgumentKind,
        Type,
        TypeKind,
    )

    one, any_ = (
        FunctionArgumentType(kind=kind, num_occurrences=1)
        for kind in (
            SignatureArgumentKind.ARG_TYPE_ANY_1,
            SignatureArgumentKind.ARG_TYPE_ARBITRARY,
        )
    )
    ordered = FunctionArgumentType(
        kind=SignatureArgumentKind.ARG_TYPE_ANY_2,
        num_occurrences=1,
        options=FunctionArgumentTypeOptions(must_support_ordering=True),
    )
    text, truth = (
        FunctionArgumentType(
            kind=SignatureArgumentKind.ARG_TYPE_FIXED,
            type=Type(type_kind=kind),
            num_occurrences=1,
        )
        for kind in (TypeKind.TYPE_STRING, TypeKind.TYPE_BOOL)
    )
    aggregate, scalar = FunctionEnums.Mode.AGGREGATE, FunctionEnums.Mode.SCALAR
    return [
        Function(
            name_path=[name],
            group="BigQuery",
            mode=mode,
            # Else messages would name its group as well.
            options=FunctionOptions(sql_name=name),
            signature=[FunctionSignature(argument=arguments, return_type=result)],
        )
        for name, mode, arguments, result in (
            ("MAX_BY", aggregate, [one, ordered], one),
            ("MIN_BY", aggregate, [one, ordered], one),
            ("COLLATE", scalar, [text, text], text),
            ("CONTAINS_SUBSTR", scalar, [any_, text], truth),
            ("SEARCH", scalar, [any_, text], truth),
        )
    ]
