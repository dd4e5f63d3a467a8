"""The audit of a contract as its macro makes it, which SQLMesh would write as text and read again.

SQLMesh does so with all that macros return, which need not be a query. Of the many rules of a
contract it takes longer than the rest of their rendering.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp
from sqlmesh.core.dialect import MacroFunc, MacroVar
from sqlmesh.core.macros import MacroEvaluator

from mesh.wrapping import wrap

MACRO = "broken_contract"


def install() -> None:
    """Take the query of the macro for what it is."""
    wrap(MacroEvaluator, "transform", _transform)


def _transform(written: Any, evaluator: MacroEvaluator, expression: Any) -> Any:
    if not _is_audit(expression):
        return written(evaluator, expression)
    query = expression.copy()
    call = query.ctes[0].this
    for variable in call.this.expressions:
        value = evaluator.locals.get(variable.name, variable)
        given = written(evaluator, value) if isinstance(value, exp.Expr) else value
        variable.replace(exp.convert(given))
    call.replace(evaluator.evaluate(call))
    return query


def _is_audit(query: exp.Expr) -> bool:
    """Whether a query is one common table expression, made by the macro of variables."""
    if not isinstance(query, exp.Select) or len(query.ctes) != 1:
        return False
    call = query.ctes[0].this
    if not isinstance(call, MacroFunc) or call.this.name != MACRO:
        return False
    macros = {id(one) for one in query.find_all(MacroFunc, MacroVar)}
    return macros == {id(call), *map(id, call.this.expressions)}
