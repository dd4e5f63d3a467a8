"""Copies of expressions are those that SQLGlot makes."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.serde import dump

from mesh.contracts.copies import install
from mesh.contracts.load import find
from mesh.project import Project
from tests.project_copy import ROOT

WRITTEN = {
    "a_query": "SELECT /* of it */ a.b AS c, COUNT(*) FROM t AS a -- all\nGROUP BY 1, 2",
    "lists": "SELECT CASE WHEN x IN (1, 2) THEN 'a' END, [1, NULL], (SELECT 1) FROM `p.q`.r",
    "windows": "WITH x AS (SELECT 1 AS n) SELECT SUM(n) OVER (ORDER BY n DESC) FROM x",
    "types": "SELECT CAST(a AS DATE), 1.5 + 2, DATE '2020-01-01' FROM t",
}


def rules() -> list[exp.Expr]:
    contract = find("movie_lifecycles", Project(ROOT).contracts)
    return [rule.query for rule in contract.table_rules()]


def expressions() -> list[exp.Expr]:
    parsed = [parse_one(query, "bigquery") for query in WRITTEN.values()]
    return [*parsed, *(annotate_types(query.copy(), dialect="bigquery") for query in parsed)]


def _places(expression: exp.Expr) -> list[tuple[type, str | None, int | None, str | None]]:
    return [
        (type(node), node.arg_key, node.index, node.parent and type(node.parent).__name__)
        for node in expression.walk()
    ]


@pytest.mark.parametrize("original", [*expressions(), *rules()])
def test_a_copy_is_the_same_and_stands_for_itself(original: exp.Expr) -> None:
    install()
    copy = original.copy()
    assert copy == original
    assert dump(copy) == dump(original)
    assert _places(copy) == _places(original)
    assert {id(node) for node in copy.walk()}.isdisjoint(id(node) for node in original.walk())
    before = dump(original)
    for node in copy.walk():
        node.meta["seen"] = True
        node.add_comments(["changed"])
        if node.type:
            node.type.set("this", exp.DataType.Type.TEXT)
    copy.set("limit", exp.Limit(expression=exp.Literal.number(1)))
    assert dump(original) == before


def test_what_a_note_holds_is_copied_too() -> None:
    install()
    original = parse_one("SELECT a")
    original.meta["tables"] = {"t": [1]}
    original.copy().meta["tables"]["t"].append(2)
    assert original.meta == {"tables": {"t": [1]}}
