"""The audit of a contract as its macro makes it, which SQLMesh would write as text and read again.

SQLMesh does so with all that macros return, which need not be a query. Of the many rules of a
contract it takes longer than the rest of their rendering.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from sqlglot import exp
from sqlmesh.core.dialect import MacroFunc, MacroVar
from sqlmesh.core.macros import MacroEvaluator

MACRO = "broken_contract"


def install() -> None:
    """Take the query of the macro for what it is."""
    written = MacroEvaluator.transform

    @wraps(written)
    def transform(evaluator: MacroEvaluator, expression: Any) -> Any:
        if not _is_audit(expression):
            return written(evaluator, expression)
        query = expression.copy()
        call = query.ctes[0].this
        for variable in call.this.expressions:
            value = evaluator.locals.get(variable.name, variable)
            if _has_macros(value):
                value = written(evaluator, value)
            variable.replace(exp.convert(value, copy=True))
        call.replace(evaluator.evaluate(call))
        return query

    own: Any = MacroEvaluator
    own.transform = transform


def _has_macros(value: Any) -> bool:
    """Whether SQLMesh would make something else of a value, whose names can hold variables too."""
    return isinstance(value, exp.Expr) and any(
        not isinstance(one, exp.Identifier) or "@" in one.name
        for one in value.find_all(MacroFunc, MacroVar, exp.Identifier)
    )


def _is_audit(query: exp.Expr) -> bool:
    """Whether a query is one common table expression, made by the macro of variables."""
    if not isinstance(query, exp.Select) or len(query.ctes) != 1:
        return False
    call = query.ctes[0].this
    if not isinstance(call, MacroFunc) or call.this.name != MACRO:
        return False
    macros = {id(one) for one in query.find_all(MacroFunc, MacroVar)}
    return macros == {id(call), *map(id, call.this.expressions)}
