"""Lint rules that hold models to their contracts. Each is one policy; its docstring says why.

SQLMesh finds rules in a project's `linter/`, which takes them from here: `from mesh.lint import *`.
"""

from __future__ import annotations

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

_EVERY = (
    PublicModelNeedsContract,
    PublicModelNeedsTest,
    ContractNeedsModel,
    ContractsAreSound,
    ColumnsMatchContract,
    ExplicitColumns,
    GrainMatchesContract,
    KindMatchesContract,
    RunsAsOftenAsPromised,
    OnlyContractedInputs,
    PersonalColumnsAreClassified,
    ReadsDeprecatedProduct,
    ReadsEndedProduct,
    RulesAreInForce,
)
RULES = tuple(rule.name for rule in _EVERY if rule.needed)
WARN_RULES = tuple(rule.name for rule in _EVERY if not rule.needed)

__all__ = [*(rule.__name__ for rule in _EVERY)]
