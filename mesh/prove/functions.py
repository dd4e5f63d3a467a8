"""Functions that BigQuery has and the language of its analyzer does not.

Names and arguments are those of BigQuery's reference; what it takes by name is left out.
"""

from __future__ import annotations

from typing import Any


def of_bigquery() -> list[Any]:
    """The functions, as the analyzer's catalog takes them."""
    from zetasql import types

    kinds = types.SignatureArgumentKind

    def argument(kind: Any, **more: Any) -> Any:
        return types.FunctionArgumentType(kind=kind, num_occurrences=1, **more)

    one, any_ = argument(kinds.ARG_TYPE_ANY_1), argument(kinds.ARG_TYPE_ARBITRARY)
    sorts = types.FunctionArgumentTypeOptions(must_support_ordering=True)
    ordered = argument(kinds.ARG_TYPE_ANY_2, options=sorts)
    text, truth = (
        argument(kinds.ARG_TYPE_FIXED, type=types.Type(type_kind=kind))
        for kind in (types.TypeKind.TYPE_STRING, types.TypeKind.TYPE_BOOL)
    )
    aggregate, scalar = types.FunctionEnums.Mode.AGGREGATE, types.FunctionEnums.Mode.SCALAR
    return [
        types.Function(
            name_path=[name],
            group="BigQuery",
            mode=mode,
            # Else messages would name its group as well.
            options=types.FunctionOptions(sql_name=name),
            signature=[types.FunctionSignature(argument=arguments, return_type=result)],
        )
        for name, mode, arguments, result in (
            ("MAX_BY", aggregate, [one, ordered], one),
            ("MIN_BY", aggregate, [one, ordered], one),
            ("COLLATE", scalar, [text, text], text),
            ("CONTAINS_SUBSTR", scalar, [any_, text], truth),
            ("SEARCH", scalar, [any_, text], truth),
        )
    ]
