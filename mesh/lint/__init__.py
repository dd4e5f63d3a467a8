"""Lint rules that hold models to their contracts. Each is one policy; its docstring says why.

SQLMesh finds rules in a project's `linter/`, which takes them from here: `from mesh.lint import *`.
"""

from __future__ import annotations

from sqlmesh.core.linter.rule import Rule

from mesh.lint.columns import ColumnsMatchContract, ExplicitColumns, PersonalColumnsAreClassified
from mesh.lint.header import GrainMatchesContract, KindMatchesContract, PublicModelNeedsContract
from mesh.lint.inputs import OnlyContractedInputs, ReadsDeprecatedProduct, ReadsEndedProduct
from mesh.lint.project import (
    ContractNeedsModel,
    ContractsAreSound,
    PublicModelNeedsTest,
    RulesAreInForce,
)
from mesh.lint.schedule import RunsAsOftenAsPromised

# Without these a contract could be left out or bypassed without a word.
_NEEDED: tuple[type[Rule], ...] = (
    PublicModelNeedsContract,
    ContractNeedsModel,
    ContractsAreSound,
    ColumnsMatchContract,
    GrainMatchesContract,
    KindMatchesContract,
    RunsAsOftenAsPromised,
    OnlyContractedInputs,
    PersonalColumnsAreClassified,
    ReadsEndedProduct,
    RulesAreInForce,
)
# Good habits that a project which was there before need not have.
_GOOD: tuple[type[Rule], ...] = (ExplicitColumns, PublicModelNeedsTest, ReadsDeprecatedProduct)
RULES = tuple(rule.name for rule in _NEEDED)
WARN_RULES = tuple(rule.name for rule in _GOOD)

__all__ = [
    *(rule.__name__ for rule in (*_NEEDED, *_GOOD)),
]
