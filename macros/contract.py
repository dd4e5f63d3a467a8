"""Contracts in SQLMesh: `@contract(product)` in a MODEL block, and the query of the audit.

What a contract states is written there alone: owner, description, grain, column descriptions,
tags, labels, grants, and every rule as a blocking audit.
"""

from __future__ import annotations

from pathlib import Path

from sqlglot import exp
from sqlmesh import macro
from sqlmesh.core.macros import MacroEvaluator

from mesh.contracts.follow import follow_contracts

follow_contracts(Path(__file__))

# SQLMesh keeps the text of macros and of all that they name, so they import what they need inside.


@macro()
def contract(evaluator: MacroEvaluator, product: exp.Expr, *audits: exp.Expr) -> list[exp.Property]:
    """The properties of a model that the contract `<product>.odcs.yaml` states.

    product: its name, with the domain before it where that of the model is another one.
    audits: those that the model has besides, as they would stand in `audits (…)`.
    """
    from mesh.contracts.follow import named_in, parts_of, project_of
    from mesh.contracts.header import model_properties

    name, schema = ".".join(parts_of(product)), named_in(product.root(), evaluator)
    return model_properties(name, project_of(evaluator), audits, schema, evaluator.gateway)


@macro()
def source_contract(evaluator: MacroEvaluator, table: exp.Expr) -> list[exp.Property]:
    """The audits of a model that lets a source's table through: it keeps its contract."""
    from mesh.contracts.follow import project_of
    from mesh.contracts.header import source_audits

    return source_audits(table.sql(), project_of(evaluator))


@macro()
def broken_contract(evaluator: MacroEvaluator, *arguments: exp.Expr) -> exp.Select:
    """The query of the audit `contract`."""
    from mesh.contracts.header import audit_query

    return audit_query(evaluator, *arguments)
