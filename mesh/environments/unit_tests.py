"""SQLMesh's unit tests, with one rendering of a model's query for all tests of the model.

SQLMesh invents a schema for each test, and so renders, qualifies and writes the query of the model
again for each, which takes longer than to run it. Tests that run one after the other, and leave
nothing behind, may all use one: then the query is the same for the same inputs and variables.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable
from typing import Any

from sqlglot import exp
from sqlmesh.core.test.definition import SqlModelTest

SCHEMA = "sqlmesh_test"
# Of the tests that run: their models' queries, and these as SQL of the engine by their identity.
_queries: dict[Hashable, exp.Query] = {}
_texts: dict[int, str] = {}


def install() -> None:
    """Render once what several tests of a run have in common."""
    made, rendered, written = (
        SqlModelTest.__init__,
        SqlModelTest._render_model_query,
        SqlModelTest._generate_sql,
    )
    signature = inspect.signature(made)

    def init(test: SqlModelTest, body: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        given = signature.bind(test, body, *args, **kwargs).arguments
        if not given.get("concurrency") and not given.get("preserve_fixtures"):
            body.setdefault("schema", SCHEMA)
        made(test, body, *args, **kwargs)

    def query(test: SqlModelTest) -> exp.Query:
        inputs = tuple(sorted(test.body.get("inputs", {})))
        variables = repr(sorted(test.body.get("vars", {}).items()))
        key = (id(test.model), test._fixture_schema.name, inputs, variables)
        if key not in _queries:
            _queries[key] = rendered(test)
        return _queries[key]

    def sql(test: SqlModelTest, expression: exp.Expr) -> str:
        if not any(expression is known for known in _queries.values()):
            return written(test, expression)
        if id(expression) not in _texts:
            _texts[id(expression)] = written(test, expression)
        return _texts[id(expression)]

    own: Any = SqlModelTest
    own.__init__, own._render_model_query, own._generate_sql = init, query, sql


def forget_afterwards(original: Callable[..., Any], context: Any, *args: Any, **kwargs: Any) -> Any:
    """A run of tests; what was rendered for it is of its models alone."""
    try:
        return original(context, *args, **kwargs)
    finally:
        _queries.clear()
        _texts.clear()
