"""SQLMesh's unit tests, with one database for all, and one rendering for all tests of a model.

SQLMesh opens a database for each test and invents a schema in it, and so renders, qualifies and
writes the query of the model again for each, which takes longer than to run it. Tests that run one
after the other, and leave nothing behind, may all use one: then the query is the same for the same
inputs and variables.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable
from typing import Any

from sqlglot import exp
from sqlmesh.core.test import runner
from sqlmesh.core.test.definition import SqlModelTest

from mesh.wrapping import wrap

SCHEMA = "sqlmesh_test"
# Of the tests that run: their models' queries, and these as SQL of the engine by their identity.
_queries: dict[Hashable, exp.Query] = {}
_texts: dict[int, str] = {}


def install() -> None:
    """Render once what several tests of a run have in common."""
    wrap(SqlModelTest, "__init__", _init)
    wrap(SqlModelTest, "_render_model_query", _query)
    wrap(SqlModelTest, "_generate_sql", _sql)
    opened = runner.create_testing_engine_adapters

    def adapters(
        model_test_metadata: list[Any], config: Any, selected_gateway: str, **kwargs: Any
    ) -> dict[Any, Any]:
        by_gateway: dict[str, list[Any]] = {}
        for one in model_test_metadata:
            by_gateway.setdefault(one.body.get("gateway") or selected_gateway, []).append(one)
        found: dict[Any, Any] = {}
        for gateway, tests in by_gateway.items():
            in_turn = config.get_test_connection(gateway, *kwargs.values()).concurrent_tasks == 1
            few = tests[:1] if in_turn else tests
            made: dict[Any, Any] = opened(
                few, config=config, selected_gateway=selected_gateway, **kwargs
            )
            found |= {one: made.get(one) or made[tests[0]] for one in tests}
            for adapter in made.values():
                # Whether a view of inputs would replace a table, of which there is none.
                adapter.get_data_object = lambda *_, **__: None
        return {one: found[one] for one in model_test_metadata}

    runs: Any = runner
    runs.create_testing_engine_adapters = adapters


def _init(made: Any, test: SqlModelTest, body: dict[str, Any], *args: Any, **kwargs: Any) -> None:
    given = inspect.signature(made).bind(test, body, *args, **kwargs).arguments
    if not given.get("concurrency") and not given.get("preserve_fixtures"):
        body.setdefault("schema", SCHEMA)
    made(test, body, *args, **kwargs)


def _query(rendered: Any, test: SqlModelTest) -> exp.Query:
    inputs = tuple(sorted(test.body.get("inputs", {})))
    variables = repr(sorted(test.body.get("vars", {}).items()))
    key = (id(test.model), test._fixture_schema.name, inputs, variables)
    if key not in _queries:
        _queries[key] = rendered(test)
    return _queries[key]


def _sql(written: Any, test: SqlModelTest, expression: exp.Expr) -> str:
    if not any(expression is known for known in _queries.values()):
        return written(test, expression)
    if id(expression) not in _texts:
        _texts[id(expression)] = written(test, expression)
    return _texts[id(expression)]


def forget_afterwards(original: Callable[..., Any], context: Any, *args: Any, **kwargs: Any) -> Any:
    """A run of tests; what was rendered for it is of its models alone."""
    try:
        return original(context, *args, **kwargs)
    finally:
        _queries.clear()
        _texts.clear()
