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
    def transform(evaluator: MacroEvaluator, expression: exp.Expr) -> Any:
        query = expression.copy() if _call(expression) else expression
        if (call := _call(query)) is None:
            return written(evaluator, expression)
        for variable in call.this.expressions:
            value = evaluator.locals.get(variable.name, variable)
            given = written(evaluator, value) if isinstance(value, exp.Expr) else value
            variable.replace(exp.convert(given))
        call.replace(evaluator.evaluate(call))
        return query

    own: Any = MacroEvaluator
    own.transform = transform


def _call(query: exp.Expr) -> MacroFunc | None:
    """The macro's call, if a query is one common table expression, made by it of variables."""
    if not isinstance(query, exp.Select) or len(query.ctes) != 1:
        return None
    call = query.ctes[0].this
    if not isinstance(call, MacroFunc) or call.this.name != MACRO:
        return None
    macros = {id(one) for one in query.find_all(MacroFunc, MacroVar)}
    return call if macros == {id(call), *map(id, call.this.expressions)} else None
