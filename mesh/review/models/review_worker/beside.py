"""What decides on the rows of a model besides the query that is compared.

Statements around the query, properties of its table, and what the query says under another gateway
or at another stage than the one in which it is rendered here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

import sqlmesh.core.dialect as d
import sqlmesh.core.model as core
from sqlglot import exp

from .code import materialization, named
from .facts import GRANTS

# What a macro can ask of where and when it is rendered.
_ELSEWHERE = ("gateway", "runtime_stage", "this_env")
_NAMED = re.compile(rf"\b({'|'.join(_ELSEWHERE)})\b")
_STATEMENTS = {
    "pre_statements_": "statement before the query",
    "post_statements_": "statement after the query",
    "on_virtual_update_": "statement on its views",
}
_PROPERTIES = {
    "physical_properties": "physical property",
    "virtual_properties": "virtual property",
    "session_properties": "session property",
}
# The contract says them.
_OF_CONTRACTS = ("labels", "description")
_STATED = (
    *("allow_partials", "end", "gateway", "optimize_query", "physical_version", "table_format"),
    GRANTS,
)


def beside(model: core.Model) -> Mapping[str, str]:
    """Each of these by what it is, in words, as it is written."""
    found = dict((*_statements(model), *_properties(model), *_stated(model)))
    if isinstance(model, core.SqlModel) and (texts := sorted(_elsewhere(model))):
        found["query elsewhere than here"] = "; ".join(texts)
    return found


def _statements(model: core.Model) -> Iterator[tuple[str, str]]:
    for field, what in _STATEMENTS.items():
        for number, one in enumerate(getattr(model, field, None) or ()):
            parsed = getattr(one, "parse", None)
            node = parsed(model.dialect) if parsed else one
            text = node.sql(model.dialect, comments=False) if isinstance(node, exp.Expr) else node
            called = f"{what}{f' ({number + 1})' if number else ''}"
            yield called, " ".join(str(text).split())
            yield from named(model, called, str(text))


def _properties(model: core.Model) -> Iterator[tuple[str, str]]:
    for field, what in _PROPERTIES.items():
        for name, value in getattr(model, field).items():
            if name not in _OF_CONTRACTS:
                text = value.sql(model.dialect) if isinstance(value, exp.Expr) else str(value)
                yield f"{what} {name}", text


def _stated(model: core.Model) -> Iterator[tuple[str, str]]:
    for name in _STATED:
        if value := getattr(model, name, None):
            yield name, str(value)
    for name, arguments in model.signals:
        told = ", ".join(f"{key}={value}" for key, value in sorted(arguments.items()))
        yield f"signal {name}", told
        yield from named(model, f"signal {name}", name)
    if code := materialization(model)[0]:
        yield "code of the materialization", code


def _elsewhere(model: core.SqlModel) -> Iterator[str]:
    """What a query asks of where and when it is rendered, with what hangs on it."""
    query = model.query
    if isinstance(query, d.JinjaQuery) and _NAMED.search(query.name):
        yield " ".join(query.name.split())
    for node in query.find_all(d.MacroVar):
        if node.name.lower() in _ELSEWHERE:
            around: exp.Expr = node
            while outer := around.find_ancestor(d.MacroFunc):
                around = outer
            yield around.sql(model.dialect, comments=False)
    for name, code in model.python_env.items():
        if code.is_definition and _NAMED.search(code.payload):
            digest = hashlib.sha256(code.payload.encode()).hexdigest()[:8]
            yield f"the macro {name} ({digest})"
